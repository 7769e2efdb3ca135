/**
 * What the records of runs say over time: how many ended, how long jobs waited before, and how long they ran. In as many
 * equal spans as a chart has room for, each of a length that people know.
 */

import { formatMs, parseTime } from '../os/calendar.ts';
import type { Keeper } from '../queue/keeper.ts';
import type { FoundJob, QueueSnapshot, RunRecord } from '../queue/snapshot.ts';
import { newestRuns, quantile, RUN_TO_THEIR_END } from './run-numbers.ts';

/** A run that came to its end. Times are milliseconds. */
export type EndedRun = {
  readonly endedMs: number;
  readonly succeeded: boolean;
  /** Of the first start of a job: since it could have been started. */
  readonly waitedMs: number | undefined;
  readonly ranMs: number | undefined;
};

/** Of the values of one span: half of them, and 19 of 20, are no larger. */
export type Spread = { readonly p50: number; readonly p95: number };

export type Span = {
  readonly fromMs: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly waited: Spread | undefined;
  readonly ran: Spread | undefined;
};

export type History = { readonly spanMs: number; readonly spans: readonly Span[] };

const MOST_SPANS = 48;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const LENGTHS = [MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, DAY_MS, 7 * DAY_MS];

/** Of the `limit` jobs that were added last, of those that were started and are not gone. */
export async function readEndedRuns(
  keeper: Keeper,
  snapshot: QueueSnapshot,
  limit: number,
): Promise<EndedRun[]> {
  const ended: EndedRun[] = [];
  for await (const { job, records } of newestRuns(keeper, snapshot, limit)) {
    for (const [index, record] of records.entries()) {
      const run = endedRun(job, record, index === 0);
      if (run !== undefined) ended.push(run);
    }
  }
  return ended;
}

/** Undefined for one that did not run to its end, or whose times somebody else has written. */
function endedRun(
  job: FoundJob,
  { outcome, started, ended }: RunRecord,
  isFirst: boolean,
): EndedRun | undefined {
  const [startedMs, endedMs] = [parseTime(started ?? ''), parseTime(ended)];
  if (endedMs === undefined || !RUN_TO_THEIR_END.has(outcome)) return undefined;
  const dueMs = Math.max(job.addedMs ?? Number.POSITIVE_INFINITY, job.notBeforeMs);
  const isWaitKnown = isFirst && startedMs !== undefined && startedMs >= dueMs;
  return {
    endedMs,
    succeeded: outcome === 'succeeded',
    waitedMs: isWaitKnown ? startedMs - dueMs : undefined,
    ranMs: startedMs === undefined || startedMs > endedMs ? undefined : endedMs - startedMs,
  };
}

/** Undefined when there are none. */
export function historyOf(runs: readonly EndedRun[]): History | undefined {
  if (runs.length === 0) return undefined;
  const lastMs = runs.reduce((last, { endedMs }) => Math.max(last, endedMs), Number.NEGATIVE_INFINITY);
  const firstMs = runs.reduce((first, { endedMs }) => Math.min(first, endedMs), lastMs);
  const fits = (lengthMs: number) => lastMs - floorTo(firstMs, lengthMs) < MOST_SPANS * lengthMs;
  const spanMs = LENGTHS.find(fits) ?? 7 * DAY_MS;
  // Of what is older than the longest chart shows, nothing.
  const beginMs = Math.max(floorTo(firstMs, spanMs), floorTo(lastMs, spanMs) - (MOST_SPANS - 1) * spanMs);
  const bySpan = new Map<number, EndedRun[]>();
  for (let fromMs = beginMs; fromMs <= lastMs; fromMs += spanMs) bySpan.set(fromMs, []);
  for (const run of runs) bySpan.get(floorTo(run.endedMs, spanMs))?.push(run);
  return { spanMs, spans: [...bySpan].map(([fromMs, all]) => spanOf(fromMs, all)) };
}

function spanOf(fromMs: number, runs: readonly EndedRun[]): Span {
  const succeeded = runs.filter((run) => run.succeeded).length;
  return {
    fromMs,
    succeeded,
    failed: runs.length - succeeded,
    waited: spreadOf(runs.map(({ waitedMs }) => waitedMs)),
    ran: spreadOf(runs.map(({ ranMs }) => ranMs)),
  };
}

function spreadOf(values: readonly (number | undefined)[]): Spread | undefined {
  const known = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  const [p50, p95] = [quantile(known, 0.5), quantile(known, 0.95)];
  return p50 === undefined || p95 === undefined ? undefined : { p50, p95 };
}

function floorTo(ms: number, lengthMs: number): number {
  return Math.floor(ms / lengthMs) * lengthMs;
}

/** When a span begins, as exact as its length is; in UTC. */
export function spanName({ spanMs }: History, { fromMs }: Span): string {
  const [day = '', time = ''] = formatMs(fromMs).split('T');
  return spanMs >= DAY_MS ? day : `${day} ${time.slice(0, 5)}`;
}
