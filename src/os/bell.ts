import type { Clock } from './ports.ts';

/** Something to wait for: it is rung, and whoever waits goes on; rung while nobody waits, it is not forgotten. */
export type Bell = {
  ring(): void;
  /** Resolves when it is rung, or after `ms`; whether it was rung. */
  wait(ms: number): Promise<boolean>;
};

export function newBell(clock: Clock): Bell {
  let rung = false;
  let wake: (() => void) | undefined;
  return {
    ring: () => {
      rung = true;
      wake?.();
    },
    wait: async (ms) => {
      if (!rung) {
        await new Promise<void>((resolve) => {
          const cancel = clock.after(ms, resolve);
          wake = () => {
            cancel();
            resolve();
          };
        });
        wake = undefined;
      }
      const wasRung = rung;
      rung = false;
      return wasRung;
    },
  };
}
