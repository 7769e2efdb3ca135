import { describe, expect, it } from 'vitest';
import { type Moment, moment, momentMs, span } from '../../src/cli/time.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { formatSpan } from '../../src/os/span.ts';
import { machineWith } from '../support/machines.ts';

const HOUR_MS = 3_600_000;

describe('a span', () => {
  it.each([
    ['10s', 10_000],
    ['5m', 300_000],
    ['2h', 2 * HOUR_MS],
    ['1d', 24 * HOUR_MS],
    ['1w', 168 * HOUR_MS],
    ['250ms', 250],
    ['1h30m', 1.5 * HOUR_MS],
    ['1.5h', 1.5 * HOUR_MS],
    ['0s', 0],
  ])('%s', (text, value) => {
    expect(span(text)).toEqual({ value });
  });

  it.each(['', '10', '5x', '-5s', 's', '1h 30m', '1e3s', '99999999d'])('that is none: %j', (text) => {
    expect(span(text)).toEqual({ expected: 'a span of time such as 10s, 5m, 2h, 1d or 1h30m' });
  });

  it.each([
    [0, '0.0s'],
    [400, '0.4s'],
    [45_000, '45s'],
    [200_000, '3m 20s'],
    [2 * HOUR_MS, '2h'],
    [26 * HOUR_MS, '1d 2h'],
  ])('of %i ms is said as %s', (ms, text) => {
    expect(formatSpan(ms)).toBe(text);
  });
});

/** A clock on the wall in a zone that goes from +1 to +2 hours at 2026-03-29T01:00Z. */
function machineAt(iso: string) {
  const clock = {
    ...realMachine.clock,
    now: () => ({ seconds: BigInt(Date.parse(iso)) / 1000n, nanos: 0 }),
    utcOffsetSeconds: ({ seconds }: { seconds: bigint }) =>
      Number(seconds) * 1000 < Date.parse('2026-03-29T01:00:00Z') ? 3600 : 7200,
  };
  return machineWith({ clock });
}

function when(text: string, now = '2026-01-10T12:00:00Z'): string {
  const parsed = moment(text);
  if ('expected' in parsed) throw new Error(parsed.expected);
  return new Date(momentMs(machineAt(now), parsed.value as Moment)).toISOString();
}

describe('a moment', () => {
  it.each([
    ['2026-12-24T18:30:00Z', '2026-12-24T18:30:00.000Z'],
    ['2026-12-24T18:30:00+05:30', '2026-12-24T13:00:00.000Z'],
    ['2h', '2026-01-10T14:00:00.000Z'],
    ['18:30', '2026-01-10T17:30:00.000Z'],
    ['9:05', '2026-01-11T08:05:00.000Z'],
    ['13:00', '2026-01-11T12:00:00.000Z'],
    ['13:00:01', '2026-01-10T12:00:01.000Z'],
    ['2026-02-01', '2026-01-31T23:00:00.000Z'],
    ['2026-02-01 06:00', '2026-02-01T05:00:00.000Z'],
    ['2026-07-01T06:00:30', '2026-07-01T04:00:30.000Z'],
  ])('%s', (text, expected) => {
    expect(when(text)).toBe(expected);
  });

  it('is of the next day by the calendar, over a change of the clocks too', () => {
    expect(when('00:30', '2026-03-28T12:00:00Z')).toBe('2026-03-28T23:30:00.000Z');
    expect(when('06:00', '2026-03-28T12:00:00Z')).toBe('2026-03-29T04:00:00.000Z');
    expect(when('06:00', '2026-12-31T20:00:00Z')).toBe('2027-01-01T04:00:00.000Z');
  });

  it.each(['', 'soon', '25:00', '12:60', '2026-02-30', '2026-13-01', '1:2', '2026-02-01 ', '2026-02-01T'])(
    'that is none: %j',
    (text) => {
      expect(moment(text)).toHaveProperty('expected');
    },
  );
});
