import { describe, expect, it } from 'vitest';
import type { Random } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { backoffMs } from '../../src/worker/backoff.ts';

/** Chance from 0 to 1, as the first digits of a UUID. */
const random = (digits: string): Random => ({ uuid: () => `${digits}-0000-4000-8000-000000000000` });
const LEAST = random('00000000');
const MIDDLE = random('80000000');
const MOST = random('ffffffff');

describe('the wait before another run', () => {
  it('doubles from ten seconds to an hour', () => {
    const waits = Array.from({ length: 12 }, (_, at) => backoffMs(MIDDLE, at + 1) / 1000);
    expect(waits).toEqual([10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]);
  });

  it('is what was asked for', () => {
    const waits = [1, 2, 3, 4].map((attempt) =>
      backoffMs(MIDDLE, attempt, { firstMs: 100, factor: 3, maxMs: 2000 }),
    );
    expect(waits).toEqual([100, 300, 900, 2000]);
    expect(backoffMs(MIDDLE, 9, { firstMs: 100, factor: 1 })).toBe(100);
    expect(backoffMs(MOST, 5, { firstMs: 0 })).toBe(0);
  });

  it('is up to a tenth shorter or longer, by chance', () => {
    expect(backoffMs(LEAST, 1)).toBe(9000);
    expect(backoffMs(MOST, 1)).toBe(11_000);
    const some = new Set(Array.from({ length: 50 }, () => backoffMs(realMachine.random, 1)));
    expect(some.size).toBeGreaterThan(10);
    for (const wait of some) expect(Math.abs(wait - 10_000)).toBeLessThanOrEqual(1000);
  });

  it('stays a number after very many attempts', () => {
    expect(backoffMs(MIDDLE, 5000)).toBe(3_600_000);
  });
});
