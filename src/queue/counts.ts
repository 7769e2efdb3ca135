/** Numbers that every snapshot has. */

import type { Counts, WaitingJob } from './snapshot.ts';

export function countsOf(
  jobs: readonly WaitingJob[],
): Omit<Counts, 'running' | 'failed' | 'done' | 'unreadable'> {
  const counts = {
    waiting: jobs.length,
    ready: 0,
    delayed: 0,
    held: 0,
    behind: 0,
    gap: 0,
    duplicate: 0,
    past: 0,
    stuck: 0,
    lanesFailed: 0,
  };
  for (const { standing } of jobs) {
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
