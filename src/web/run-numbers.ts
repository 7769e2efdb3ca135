/** What the records of runs say, of so many jobs at most: each is a file to be read. */

import { parseTime } from '../os/calendar.ts';
import type { Keeper } from '../queue/keeper.ts';
import type { FoundJob, QueueSnapshot, RunRecord } from '../queue/snapshot.ts';

export type RunNumbers = {
  /** How many runs of these jobs ended so. */
  readonly outcomes: ReadonlyMap<RunRecord['outcome'], number>;
  /** How long those took that were run to their end, shortest first. */
  readonly seconds: readonly number[];
  /** How long jobs had waited when they were first started, shortest first. */
  readonly waits: readonly number[];
  /** How often each job was started, as far as that is on record; least first. */
  readonly starts: readonly number[];
};

/** Of the `limit` jobs that were added last, of those that were started and are not gone. */
export async function readRunNumbers(
  keeper: Keeper,
  snapshot: QueueSnapshot,
  limit: number,
): Promise<RunNumbers> {
  const outcomes = new Map<RunRecord['outcome'], number>();
  const seconds: number[] = [];
  const waits: number[] = [];
  const starts: number[] = [];
  for await (const { job, records } of newestRuns(keeper, snapshot, limit)) {
    const waited = waitedMs(job, records);
    if (waited !== undefined) waits.push(waited / 1000);
    if (records.length > 0) starts.push(Math.max(job.attempts, ...records.map(({ attempt }) => attempt)));
    for (const { outcome, started, ended } of records) {
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      const took = tookMs(started, ended);
      if (RUN_TO_THEIR_END.has(outcome) && took !== undefined) seconds.push(took / 1000);
    }
  }
  const rising = (numbers: number[]) => numbers.sort((a, b) => a - b);
  return { outcomes, seconds: rising(seconds), waits: rising(waits), starts: rising(starts) };
}

/** From when it could have been started. One that was to start later and has been tried again has another such time by now. */
function waitedMs({ addedMs, notBeforeMs }: FoundJob, records: readonly RunRecord[]): number | undefined {
  const startedMs = parseTime(records.find(({ attempt }) => attempt === 1)?.started ?? '');
  if (startedMs === undefined || addedMs === undefined || startedMs < addedMs) return undefined;
  return startedMs - (notBeforeMs <= startedMs ? Math.max(addedMs, notBeforeMs) : addedMs);
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

/** How many of the values are no greater than each bound, and at last how many there are. Nothing, of none. */
export function countsWithin(
  sorted: readonly number[],
  bounds: readonly number[],
): readonly (readonly [bound: string, count: number])[] {
  if (sorted.length === 0) return [];
  const counts = bounds.map((bound) => {
    const above = sorted.findIndex((value) => value > bound);
    return [String(bound), above < 0 ? sorted.length : above] as const;
  });
  return [...counts, ['+Inf', sorted.length]];
}

/** The smallest value that so large a share of the values does not exceed; undefined of none. */
export function quantile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
