/** How fast bytes may go. */

import type { Clock } from '../os/ports.ts';
import { sleep } from '../os/sleep.ts';

/** What was not used is kept for so long, so that many small jobs are as fast as one large one. */
const BURST_MS = 250;

export type Pace = {
  /** Resolves when so many more may go. Those who ask at once wait one after the other. */
  take(bytes: number): Promise<void>;
};

export function newPace(clock: Clock, bytesPerSecond = Number.POSITIVE_INFINITY): Pace {
  let freeMs = clock.monotonicMs();
  return {
    take: async (bytes) => {
      if (bytesPerSecond === Number.POSITIVE_INFINITY) return;
      const nowMs = clock.monotonicMs();
      const beginMs = Math.max(freeMs, nowMs - BURST_MS);
      freeMs = beginMs + (bytes / bytesPerSecond) * 1000;
      if (freeMs > nowMs) await sleep(clock, freeMs - nowMs);
    },
  };
}
