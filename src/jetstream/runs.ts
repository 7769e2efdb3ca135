import type { RunRecord } from '../queue/snapshot.ts';

/** A job that was started a thousand times has no longer a record than this. */
const MOST_RUNS = 20;

export function withRun(runs: readonly RunRecord[], run: RunRecord): readonly RunRecord[] {
  return [...runs, run].slice(-MOST_RUNS);
}
