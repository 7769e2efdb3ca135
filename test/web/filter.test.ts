import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FoundJob } from '../../src/queue/snapshot.ts';
import { type Filter, isAmong, isCalled, pageOf, queryOf, readFilter } from '../../src/web/filter.ts';
import { slugsOf } from '../../src/web/seen.ts';

const ALL: Filter = { state: undefined, lane: '', text: '', page: 1 };

function job(more: Partial<FoundJob> = {}): FoundJob {
  return {
    id: '0c2b1f6e',
    name: 'fspl-0c2b1f6e.fspl',
    path: '/q/jobs/fspl-0c2b1f6e.fspl',
    lane: 'alice',
    seq: 17n as FoundJob['seq'],
    priority: 50,
    addedMs: 1,
    notBeforeMs: 0,
    attempts: 0,
    held: false,
    place: 'waiting',
    standing: { kind: 'ready' },
    ...more,
  } as FoundJob;
}

describe('a filter', () => {
  it('is read from a query, whatever it is', () => {
    expect(readFilter('?state=ready&lane=a%20b&text=x&page=3')).toEqual({
      state: 'ready',
      lane: 'a b',
      text: 'x',
      page: 3,
    });
    expect(readFilter('state=none&page=-1')).toEqual(ALL);
    expect(readFilter('page=99999999999')).toEqual(ALL);
    fc.assert(
      fc.property(fc.string(), (query) => {
        const filter = readFilter(query);
        expect(readFilter(queryOf(filter))).toEqual(filter);
      }),
    );
  });

  it.each([
    [{}, true],
    [{ state: 'ready' }, true],
    [{ state: 'failed' }, false],
    [{ lane: 'alice' }, true],
    [{ lane: 'ali' }, false],
    [{ text: 'c2b1' }, true],
    [{ text: 'lic' }, true],
    [{ text: '#17' }, true],
    [{ text: '#1' }, false],
    [{ text: 'bob' }, false],
  ] as const)('%j lets a ready job of alice pass: %s', (filter, expected) => {
    const whole = { ...ALL, ...filter };
    expect(isAmong(job(), whole) && isCalled(job(), whole)).toBe(expected);
  });

  it('shows jobs that are done only when they are asked for', () => {
    expect(isAmong(job({ place: 'done' }), ALL)).toBe(false);
    expect(isAmong(job({ place: 'done' }), { ...ALL, state: 'done' })).toBe(true);
  });
});

describe('a page', () => {
  it('has each row once, on pages from the first to the last', () => {
    const shape = fc.record({ count: fc.nat(500), size: fc.integer({ min: 1, max: 120 }) });
    fc.assert(
      fc.property(shape, ({ count, size }) => {
        const all = Array.from({ length: count }, (_, index) => index);
        const { pages } = pageOf(all, 1, size);
        const rows = Array.from({ length: pages }, (_, index) => pageOf(all, index + 1, size).rows);
        expect(rows.flat()).toEqual(all);
        expect(pageOf(all, pages + 7, size)).toEqual(pageOf(all, pages, size));
      }),
    );
  });
});

describe('short names of queues', () => {
  it('differ, and need no escapes', () => {
    const slugs = slugsOf(['/a/mail', '/b/mail', '/b/mail-2', '/c/', '..', '/d/ü <b>']);
    expect(Object.fromEntries(slugs)).toEqual({
      '..': 'queue',
      '/a/mail': 'mail',
      '/b/mail': 'mail-2',
      '/b/mail-2': 'mail-2-2',
      '/c/': 'c',
      '/d/ü <b>': 'b',
    });
    fc.assert(
      fc.property(fc.uniqueArray(fc.string()), (locations) => {
        const names = [...slugsOf(locations).values()];
        expect(new Set(names).size).toBe(locations.length);
        for (const name of names) expect(name).toMatch(/^[\w-]+$/);
      }),
    );
  });
});
