import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Timestamp } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { sleep } from '../../src/os/sleep.ts';
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

describe('after', () => {
  test('calls once, at its time and not before', async () => {
    vi.useFakeTimers();
    const action = vi.fn();
    clock.after(1000, action);
    await vi.advanceTimersByTimeAsync(999);
    expect(action).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(action).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('does not call once it is called off, and leaves nothing behind', async () => {
    vi.useFakeTimers();
    const action = vi.fn();
    const callOff = clock.after(1000, action);
    expect(vi.getTimerCount()).toBe(1);
    callOff();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('waits for longer than a timer of the runtime can', async () => {
    vi.useFakeTimers();
    const action = vi.fn();
    const days = 100 * 24 * 3600 * 1000;
    const callOff = clock.after(days, action);
    await vi.advanceTimersByTimeAsync(days - 1);
    expect(action).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(action).toHaveBeenCalledTimes(1);
    callOff();
    clock.after(days, action)();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('sleep is the same as a promise', async () => {
    vi.useFakeTimers();
    let awake = false;
    const sleeping = sleep(clock, 10).then(() => {
      awake = true;
    });
    await vi.advanceTimersByTimeAsync(9);
    expect(awake).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await sleeping;
  });
});

const ROOT = join(import.meta.dirname, '../..');

describe('utcOffsetSeconds', () => {
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
    expect(clock.utcOffsetSeconds(JANUARY)).toBe(january * 60);
    expect(clock.utcOffsetSeconds(JULY)).toBe(july * 60);
  });

  test.each(['UTC', 'America/New_York', 'Asia/Kathmandu', 'XYZ-3:30'])('is the same in Bun: %s', (zone) => {
    const script = `
      const { realClock } = await import(${JSON.stringify(join(ROOT, 'src/os/real/clock.ts'))});
      const times = [${JANUARY.seconds}n, ${JULY.seconds}n, -2n, 40_000_000_000n];
      console.log(times.map((seconds) => realClock.utcOffsetSeconds({ seconds, nanos: 0 })).join(' '));`;
    const bun = join(ROOT, 'node_modules/.bin/bun');
    const said = execFileSync(bun, ['--no-install', '-e', script], {
      env: { ...process.env, TZ: zone },
      encoding: 'utf8',
    });
    const dates = [JANUARY.seconds, JULY.seconds, -2n, 40_000_000_000n].map((at) => {
      const text = execFileSync('date', ['-d', `@${at}`, '+%z'], {
        env: { ...process.env, TZ: zone },
        encoding: 'utf8',
      });
      const seconds = Number(text.slice(1, 3)) * 3600 + Number(text.slice(3, 5)) * 60;
      return text.startsWith('-') ? -seconds : seconds;
    });
    expect(said.trim()).toBe(dates.join(' '));
  });

  test('is what date(1) says', () => {
    for (const at of [JANUARY, JULY]) {
      const said = execFileSync('date', ['-d', `@${at.seconds}`, '+%:z'], { encoding: 'utf8' }).trim();
      const [hours, minutes] = said.slice(1).split(':').map(Number);
      const offset = ((hours ?? 0) * 60 + (minutes ?? 0)) * 60;
      expect(clock.utcOffsetSeconds(at)).toBe(said.startsWith('-') ? -offset : offset);
    }
  });
});
