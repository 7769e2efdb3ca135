import type { Clock, Timestamp } from '../ports.ts';

const MS_PER_SECOND = 1000;
const NANOS_PER_MS = 1_000_000;
/** How far the two ways to tell the time may be apart before the clock must have been set. */
const AGREEMENT_MS = 2;

export const realClock: Clock = {
  now: () => {
    // performance.timeOrigin was read from the system clock at our start, to the microsecond. Should the clock
    // have been set since, the coarser Date.now() is right.
    const fine = performance.timeOrigin + performance.now();
    const coarse = Date.now();
    const ms = Math.abs(fine - coarse) <= AGREEMENT_MS ? fine : coarse;
    const seconds = Math.floor(ms / MS_PER_SECOND);
    const whole = Math.floor(ms);
    const nanos = (whole - seconds * MS_PER_SECOND) * NANOS_PER_MS + Math.floor((ms - whole) * NANOS_PER_MS);
    return { seconds: BigInt(seconds), nanos };
  },
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done);
    }),
  utcOffsetMinutes: (at: Timestamp) => 0 - new Date(Number(at.seconds) * 1000).getTimezoneOffset(),
};
