import type { Clock } from '../os/ports.ts';
import { sleep } from '../os/sleep.ts';

const SLICE_MS = 20;

/**
 * To be awaited again and again in a long loop of calls that are done when they return: now and then it lets timers, such
 * as those that say that we are alive, have their turn.
 */
export function breather(clock: Clock): () => Promise<void> {
  let begunMs = clock.monotonicMs();
  return async () => {
    if (clock.monotonicMs() - begunMs < SLICE_MS) return;
    await sleep(clock, 0);
    begunMs = clock.monotonicMs();
  };
}
