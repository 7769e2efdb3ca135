import type { Clock, Timestamp } from '../ports.ts';
import { localOffsetSeconds } from './local-time.ts';

const MS_PER_SECOND = 1000;
const NANOS_PER_MS = 1_000_000;
/** How far the two ways to tell the time may be apart before the clock must have been set. */
const AGREEMENT_MS = 2;

/** setTimeout takes a longer time for 1 ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

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
  after: (ms, action) => {
    const due = performance.now() + ms;
    let timer: NodeJS.Timeout;
    const arm = () => {
      const left = due - performance.now();
      // Bun warns of a time that is over already.
      timer =
        left > LONGEST_TIMER_MS ? setTimeout(arm, LONGEST_TIMER_MS) : setTimeout(action, Math.max(left, 0));
    };
    arm();
    return () => clearTimeout(timer);
  },
  utcOffsetSeconds: (at: Timestamp) => {
    const byC = localOffsetSeconds(at.seconds);
    if (byC !== undefined) return byC;
    const date = new Date(Number(at.seconds) * 1000);
    const local = new Date(0);
    local.setUTCFullYear(date.getFullYear(), date.getMonth(), date.getDate());
    local.setUTCHours(date.getHours(), date.getMinutes(), date.getSeconds());
    return (local.getTime() - date.getTime()) / 1000;
  },
};
