/** Numbers that every snapshot has. */

import type { Counts, QueueSnapshot, WaitingJob } from './snapshot.ts';

/** `done`: how many are kept, for those are not in a snapshot. */
export function countsOf(
  {
    waiting,
    running,
    failed,
    unreadable,
  }: Pick<QueueSnapshot, 'waiting' | 'running' | 'failed' | 'unreadable'>,
  done: number,
): Counts {
  const counts = {
    waiting: waiting.length,
    ready: 0,
    delayed: 0,
    held: 0,
    behind: 0,
    gap: 0,
    duplicate: 0,
    past: 0,
    stuck: 0,
    lanesFailed: 0,
    running: running.length,
    failed: failed.length,
    done,
    unreadable: unreadable.length,
  };
  for (const { standing } of waiting) {
    counts[standing.kind] += 1;
    if (standing.kind === 'held' && standing.failed !== undefined) counts.lanesFailed += 1;
  }
  return counts;
}

/** When the oldest of them was added. */
export function oldestOf(jobs: readonly WaitingJob[]): number | undefined {
  let oldest: number | undefined;
  for (const { addedMs } of jobs) {
    if (addedMs !== undefined && (oldest === undefined || addedMs < oldest)) oldest = addedMs;
  }
  return oldest;
}
