import { describe, expect, it } from 'vitest';
import { newPace } from '../../src/relay/pace.ts';
import { Patience } from '../../src/relay/patience.ts';
import { manualClock } from '../support/machines.ts';

const never = new AbortController().signal;

describe('a pace', () => {
  it('lets no more go than it is told, whether in many pieces or few', async () => {
    for (const pieces of [1, 10, 100]) {
      const clock = manualClock();
      const pace = newPace(clock, 1000);
      for (let piece = 0; piece < pieces; piece++) await pace.take(10_000 / pieces);
      expect(clock.waitedMs).toBeGreaterThanOrEqual(9750);
      expect(clock.waitedMs).toBeLessThanOrEqual(10_000);
    }
  });

  it('holds for all who ask at once together', async () => {
    const clock = manualClock();
    const pace = newPace(clock, 1000);
    const waits: number[] = [];
    await Promise.all(
      [1000, 1000, 1000].map(async (bytes) => {
        await pace.take(bytes);
        waits.push(clock.waitedMs);
      }),
    );
    expect(Math.max(...waits)).toBeGreaterThanOrEqual(2750);
  });

  it('without a limit is none', async () => {
    const clock = manualClock();
    await newPace(clock).take(1e12);
    expect(clock.waitedMs).toBe(0);
  });
});

describe('patience', () => {
  it('waits longer each time, up to a minute, and from the beginning when it went well', async () => {
    const clock = manualClock();
    const patience = new Patience(clock);
    const waits: number[] = [];
    for (let turn = 0; turn < 9; turn++) {
      waits.push(patience.lose());
      await patience.wait(never);
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    patience.regain();
    expect(patience.lose()).toBe(500);
  });

  it('is lost once by several who find out together', () => {
    const patience = new Patience(manualClock());
    expect([patience.lose(), patience.lose(), patience.lose()]).toEqual([500, 500, 500]);
  });

  it('does not outlast what it waits for', async () => {
    const clock = manualClock();
    const patience = new Patience({ ...clock, after: () => () => {} });
    patience.lose();
    const stop = new AbortController();
    const waiting = patience.wait(stop.signal);
    stop.abort();
    await waiting;
  });
});
