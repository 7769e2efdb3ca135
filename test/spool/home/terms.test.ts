import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sequence, type Work } from '../../../src/packet/header.ts';
import { isPriority, isTerm, type Terms, termsToEnv } from '../../../src/queue/terms.ts';
import { priorityOf, termsOf } from '../../../src/spool/home/terms.ts';

const headerWith = (work: Work) => ({ seq: sequence(1), ctime: { seconds: 0n, nanos: 0 }, work });
const asked = (env: [string, string][]) => termsOf(headerWith({ kind: 'command', params: [], env }));

/** Milliseconds of the years that RFC 3339 can write. */
const time = fc.integer({ min: 0, max: 253_402_300_799_999 });
const text = fc.string({ minLength: 1 });
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

const terms: fc.Arbitrary<Terms> = fc.record({
  lane: maybe(text),
  priority: maybe(fc.integer({ min: 0, max: 99 })),
  notBeforeMs: maybe(time),
  expiresMs: maybe(time),
  id: maybe(text),
  nothing: maybe(fc.constant(true)),
});

describe('terms', () => {
  it('come out of a packet as they went in', () => {
    fc.assert(
      fc.property(terms, (given) => {
        expect(asked(termsToEnv(given))).toEqual(given);
      }),
    );
  });

  it('stand beside variables of the sender', () => {
    expect(asked([['FOO', 'bar'], ...termsToEnv({ lane: 'a' }), ['LANE', 'b']])).toMatchObject({ lane: 'a' });
  });

  it('need no variables when nothing is asked for', () => {
    expect(termsToEnv({})).toEqual([]);
    expect(asked([])).toEqual({});
    expect(priorityOf({})).toBe(50);
    expect(priorityOf({ priority: 0 })).toBe(0);
  });

  it('of a job without a command are none', () => {
    expect(termsOf(headerWith({ kind: 'nop' }))).toEqual({});
    expect(termsOf(headerWith({ kind: 'fail' }))).toEqual({});
  });

  it.each([
    ['INTRAY_LANE', ['']],
    ['INTRAY_ID', ['']],
    ['INTRAY_PRIORITY', ['', ' ', '-1', '100', '1.5', '0x10', '1e1', 'high', 'NaN', 'Infinity']],
    [
      'INTRAY_NOT_BEFORE',
      ['', 'tomorrow', '2026', '2026-11-21', '2026-11-21T07:58:13', '2026-13-41T07:58:13Z'],
    ],
    ['INTRAY_EXPIRES', ['', '0', '1763728496123', '21.11.2026', '2026-11-21 07:58:13Z']],
  ])('%s that makes no sense is as if it were not there', (name, values) => {
    for (const value of values) {
      expect([value, asked([[name, value]])]).toEqual([value, asked([['OTHER', 'x']])]);
    }
  });

  it.each([
    ['2026-11-21T07:58:13Z', 1_795_247_893_000],
    ['2026-11-21T08:58:13.25+01:00', 1_795_247_893_250],
    ['2026-11-20t23:58:13-08:00', 1_795_247_893_000],
  ])('take %s as a time', (value, ms) => {
    expect(asked([['INTRAY_NOT_BEFORE', value]]).notBeforeMs).toBe(ms);
    expect(asked([['INTRAY_EXPIRES', value]]).expiresMs).toBe(ms);
  });

  it.each([
    [0, true],
    [99, true],
    [-1, false],
    [100, false],
    [0.5, false],
    [Number.NaN, false],
  ])('take %d for a priority: %s', (value, expected) => {
    expect(isPriority(value)).toBe(expected);
  });

  it('know their names', () => {
    const all = { lane: 'a', priority: 1, notBeforeMs: 1, expiresMs: 1, id: 'x', nothing: true };
    expect(termsToEnv(all).map(([name]) => isTerm(name))).toEqual([true, true, true, true, true, true]);
    for (const name of ['FOO', '', 'INTRAY_', 'INTRAY_JOB', 'lane']) expect(isTerm(name)).toBe(false);
  });
});
