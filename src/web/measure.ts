/** The numbers of queues that were seen. */

import type { Measured } from './metrics.ts';
import { readRunNumbers } from './run-numbers.ts';
import type { SeenQueue } from './seen.ts';

/**
 * `runs`: of so many jobs of each queue the records of their runs are read; 0: of none. `probe` tries how long syncs take
 * in a directory.
 */
export async function measure(
  queues: readonly SeenQueue[],
  runs: number,
  probe: (location: string) => Promise<readonly number[]> = async () => [],
): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const queue of queues) {
    if (queue.kind === 'unseen') measured.push({ kind: 'unseen', queue: queue.location });
    else {
      const { location, keeper, snapshot, tookMs } = queue;
      const numbers = await readRunNumbers(keeper, snapshot, runs);
      measured.push({ kind: 'seen', snapshot, tookMs, runs: numbers, syncs: await probe(location) });
    }
  }
  return measured;
}
