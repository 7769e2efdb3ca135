import { execFileSync } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Timestamp } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { checkLeaks } from './checked.ts';

checkLeaks();

const { clock } = realMachine;

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

function nanosOf({ seconds, nanos }: Timestamp): bigint {
  return seconds * 1_000_000_000n + BigInt(nanos);
}

function systemNanos(): bigint {
  return BigInt(execFileSync('date', ['+%s%N'], { encoding: 'utf8' }).trim());
}

describe('now', () => {
  test('lies between what date(1) says before and after', () => {
    for (let round = 0; round < 20; round++) {
      const before = systemNanos();
      const now = nanosOf(clock.now());
      const after = systemNanos();
      expect(now).toBeGreaterThanOrEqual(before);
      expect(now).toBeLessThanOrEqual(after);
    }
  });

  test('is finer than a millisecond', () => {
    const nanos = Array.from({ length: 100 }, () => clock.now().nanos);
    expect(nanos.some((value) => value % 1_000_000 !== 0)).toBe(true);
    expect(nanos.every((value) => Number.isInteger(value) && value >= 0 && value < 1_000_000_000)).toBe(true);
  });

  test.each([3_600_000, -3_600_000])('follows a clock that was set by %i ms since our start', (by) => {
    const set = Date.now() + by;
    vi.spyOn(Date, 'now').mockReturnValue(set);
    expect(nanosOf(clock.now())).toBe(BigInt(set) * 1_000_000n);
  });

  test('has whole seconds and no negative part before 1970', () => {
    vi.spyOn(Date, 'now').mockReturnValue(-1);
    const now = clock.now();
    expect(now).toEqual({ seconds: -1n, nanos: 999_000_000 });
  });
});

describe('monotonicMs', () => {
  test('never goes back', () => {
    let last = clock.monotonicMs();
    for (let round = 0; round < 10_000; round++) {
      const next = clock.monotonicMs();
      expect(next).toBeGreaterThanOrEqual(last);
      last = next;
    }
  });
});

describe('sleep', () => {
  test('ends after its time and not before', async () => {
    vi.useFakeTimers();
    let awake = false;
    const sleeping = clock.sleep(1000).then(() => {
      awake = true;
    });
    await vi.advanceTimersByTimeAsync(999);
    expect(awake).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(awake).toBe(true);
    await sleeping;
  });

  test('ends at once when it is aborted, and leaves nothing behind', async () => {
    vi.useFakeTimers();
    const controller = new AbortController();
    const sleeping = clock.sleep(1000, controller.signal);
    expect(vi.getTimerCount()).toBe(1);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    controller.abort();
    await sleeping;
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  test('does not begin when it is aborted already', async () => {
    vi.useFakeTimers();
    const signal = AbortSignal.abort();
    await clock.sleep(1000, signal);
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('that ends by itself leaves no listener', async () => {
    vi.useFakeTimers();
    const { signal } = new AbortController();
    const sleeping = clock.sleep(10, signal);
    await vi.advanceTimersByTimeAsync(10);
    await sleeping;
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

describe('utcOffsetMinutes', () => {
  const JANUARY = { seconds: 1_768_435_200n, nanos: 0 };
  const JULY = { seconds: 1_784_073_600n, nanos: 0 };

  test.each([
    ['UTC', 0, 0],
    ['America/New_York', -300, -240],
    ['Europe/Berlin', 60, 120],
    ['Asia/Kathmandu', 345, 345],
    ['Pacific/Kiritimati', 840, 840],
  ])('%s', (zone, january, july) => {
    vi.stubEnv('TZ', zone);
    expect(clock.utcOffsetMinutes(JANUARY)).toBe(january);
    expect(clock.utcOffsetMinutes(JULY)).toBe(july);
  });

  test('is what date(1) says', () => {
    for (const at of [JANUARY, JULY]) {
      const said = execFileSync('date', ['-d', `@${at.seconds}`, '+%:z'], { encoding: 'utf8' }).trim();
      const [hours, minutes] = said.slice(1).split(':').map(Number);
      const offset = (hours ?? 0) * 60 + (minutes ?? 0);
      expect(clock.utcOffsetMinutes(at)).toBe(said.startsWith('-') ? -offset : offset);
    }
  });
});
