import { expect, test } from 'vitest';
import { acquireLock } from '../../src/os/acquire-lock.ts';
import type { Clock, Descriptor, Locks } from '../../src/os/ports.ts';

const DESCRIPTOR = 7 as Descriptor;

/** A lock that is free from `freeAt` on, and a clock that only moves when somebody waits. */
function machine(freeAt: number) {
  let now = 0;
  const asked: number[] = [];
  const clock: Clock = {
    now: () => ({ seconds: 0n, nanos: 0 }),
    monotonicMs: () => now,
    utcOffsetSeconds: () => 0,
    after: (ms, action) => {
      now += ms;
      queueMicrotask(action);
      return () => {};
    },
  };
  const locks: Locks = {
    tryLock: () => {
      asked.push(now);
      return now >= freeAt;
    },
    unlock: () => {},
  };
  return { clock, locks, asked };
}

test('a free lock is taken at once', async () => {
  const { asked, ...ports } = machine(0);
  expect(await acquireLock(ports, DESCRIPTOR, 'exclusive', 0)).toBe(true);
  expect(asked).toEqual([0]);
});

test('without time to wait it is tried once', async () => {
  const { asked, ...ports } = machine(1);
  expect(await acquireLock(ports, DESCRIPTOR, 'shared', 0)).toBe(false);
  expect(asked).toEqual([0]);
});

test('one that becomes free in time is taken, asked for less and less often', async () => {
  const { asked, ...ports } = machine(100);
  expect(await acquireLock(ports, DESCRIPTOR, 'exclusive', 10_000)).toBe(true);
  expect(asked).toEqual([0, 1, 3, 8, 18, 38, 58, 78, 98, 118]);
});

test('one that does not is given up after the time, not before', async () => {
  const { asked, ...ports } = machine(Number.POSITIVE_INFINITY);
  expect(await acquireLock(ports, DESCRIPTOR, 'exclusive', 1000)).toBe(false);
  expect(asked.at(-1)).toBeGreaterThanOrEqual(1000);
  expect(asked.at(-2)).toBeLessThan(1000);
});
