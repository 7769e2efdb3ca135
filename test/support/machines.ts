/** The real machine with one of its ports replaced. */

import type { Clock, Files, Locks, Machine } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';

export function machineWith(ports: Partial<Machine>): Machine {
  return { ...realMachine, ...ports };
}

export function machineWithFiles(files: Files): Machine {
  return machineWith({ files });
}

export type ManualClock = Clock & {
  /** How long everybody has waited so far. */
  readonly waitedMs: number;
};

/** A clock on which waiting takes no time: whoever waits is called at once, and the clock has moved on. */
export function manualClock(): ManualClock {
  let waitedMs = 0;
  return {
    now: () => ({ seconds: 1_700_000_000n + BigInt(Math.floor(waitedMs / 1000)), nanos: 0 }),
    monotonicMs: () => waitedMs,
    after: (ms, action) => {
      let wanted = true;
      queueMicrotask(() => {
        if (!wanted) return;
        waitedMs += ms;
        action();
      });
      return () => {
        wanted = false;
      };
    },
    utcOffsetSeconds: () => 0,
    get waitedMs() {
      return waitedMs;
    },
  };
}

/** A real clock whose timers wait for `ring`, not for time; it returns how many there were. */
export function alarmClock(): Clock & { ring(ms: number): number; isSet(ms: number): boolean } {
  const set = new Set<{ readonly ms: number; readonly action: () => void }>();
  return {
    ...realMachine.clock,
    after: (ms, action) => {
      const alarm = { ms, action };
      set.add(alarm);
      return () => set.delete(alarm);
    },
    isSet: (ms) => [...set].some((alarm) => alarm.ms === ms),
    /** Everything that was set to this time. */
    ring: (ms) => {
      const rung = [...set].filter((alarm) => alarm.ms === ms);
      for (const alarm of rung) {
        set.delete(alarm);
        alarm.action();
      }
      return rung.length;
    },
  };
}

/** The real clock, that can be put forward. Timers are as long as ever. */
export function shiftedClock(): Clock & { advance(ms: number): void } {
  let shiftMs = 0;
  const { clock } = realMachine;
  return {
    ...clock,
    now: () => {
      const { seconds, nanos } = clock.now();
      const ms = BigInt(Math.floor(nanos / 1_000_000) + shiftMs);
      return { seconds: seconds + ms / 1000n, nanos: Number(ms % 1000n) * 1_000_000 + (nanos % 1_000_000) };
    },
    monotonicMs: () => clock.monotonicMs() + shiftMs,
    advance: (ms) => {
      shiftMs += ms;
    },
  };
}

/** Locks that are held by somebody else for the first `tries` tries. */
export function locksBusyFor(tries: number): Locks & { readonly tries: number } {
  let made = 0;
  return {
    tryLock: () => {
      made += 1;
      return made > tries;
    },
    unlock: () => {},
    get tries() {
      return made;
    },
  };
}
