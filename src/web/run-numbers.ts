/** What the records of runs say, of so many jobs at most: each is a file to be read. */

import { parseTime } from '../os/calendar.ts';
import type { Keeper } from '../queue/keeper.ts';
import type { FoundJob, QueueSnapshot, RunRecord } from '../queue/snapshot.ts';

export type RunNumbers = {
  /** How many runs of these jobs ended so. */
  readonly outcomes: ReadonlyMap<RunRecord['outcome'], number>;
  /** How long those took that were run to their end, shortest first. */
  readonly seconds: readonly number[];
};

/** Of the `limit` jobs that were added last, of those that were started and are not gone. */
export async function readRunNumbers(
  keeper: Keeper,
  snapshot: QueueSnapshot,
  limit: number,
): Promise<RunNumbers> {
  const outcomes = new Map<RunRecord['outcome'], number>();
  const seconds: number[] = [];
  for await (const { records } of newestRuns(keeper, snapshot, limit)) {
    for (const { outcome, started, ended } of records) {
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      const took = tookMs(started, ended);
      if (RUN_TO_THEIR_END.has(outcome) && took !== undefined) seconds.push(took / 1000);
    }
  }
  return { outcomes, seconds: seconds.sort((a, b) => a - b) };
}

/** The records of the `limit` jobs that were added last, of those that were started and are not gone. */
export async function* newestRuns(
  keeper: Keeper,
  snapshot: QueueSnapshot,
  limit: number,
): AsyncGenerator<{ readonly job: FoundJob; readonly records: readonly RunRecord[] }> {
  const jobs = limit === 0 ? [] : (await keeper.everyJob(snapshot)).filter(wasStarted);
  jobs.sort((a, b) => (b.addedMs ?? 0) - (a.addedMs ?? 0));
  for (const job of jobs.slice(0, limit)) yield { job, records: (await keeper.runs(job)).records };
}

export const RUN_TO_THEIR_END: ReadonlySet<RunRecord['outcome']> = new Set(['succeeded', 'failed', 'retry']);

/** Undefined where nobody can tell: somebody else may have written these times. */
function tookMs(started: string | undefined, ended: string): number | undefined {
  const [from, to] = [parseTime(started ?? ''), parseTime(ended)];
  return from === undefined || to === undefined || to < from ? undefined : to - from;
}

function wasStarted({ place, attempts }: FoundJob): boolean {
  return attempts > 0 || place === 'failed' || place === 'done';
}

/** The smallest value that so large a share of the values does not exceed; undefined of none. */
export function quantile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
