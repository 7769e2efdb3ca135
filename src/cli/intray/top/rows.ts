/** The lists on the screen: what is in them, filtered, in their order. Pure. */

import { parseTime } from '../../../os/calendar.ts';
import { age } from '../../../queue/job-words.ts';
import type {
  LaneSnapshot,
  QueueSnapshot,
  RunningJob,
  SeenWorker,
  StoredJob,
  WaitingJob,
} from '../../../queue/snapshot.ts';
import { laneName, QUEUE_LANE } from '../../../queue/words.ts';
import type { Failure, QueuePicture, SeenQueue } from './picture.ts';

export const SECTIONS = ['running', 'lanes', 'waiting', 'failed', 'workers'] as const;
export type Section = (typeof SECTIONS)[number];

/** As many jobs of a list are shown, and looked into. */
export const MOST_ROWS = 100;

/** `key` tells a row from all others of its list, from one picture to the next. */
export type RunningRow = { readonly key: string; readonly job: RunningJob };
export type LaneRow = { readonly key: string; readonly lane: LaneSnapshot; readonly why: Why };
export type WaitingRow = { readonly key: string; readonly job: WaitingJob };
export type FailedRow = {
  readonly key: string;
  readonly id: string;
  readonly lane: string | undefined;
  readonly attempts: number;
  readonly addedMs: number | undefined;
  readonly failure: Failure | undefined;
  /** It waits in its lane, which does not go on without it. */
  readonly holds: boolean;
};
export type WorkerRow = { readonly key: string; readonly worker: SeenWorker; readonly jobs: number };

export type Rows = {
  readonly running: readonly RunningRow[];
  readonly lanes: readonly LaneRow[];
  readonly waiting: readonly WaitingRow[];
  readonly failed: readonly FailedRow[];
  readonly workers: readonly WorkerRow[];
};

/** Why a lane does not move, or that it does. */
export type Why = { readonly text: string; readonly kind: 'moves' | 'waits' | 'stands' };

export function queueRows(queues: readonly QueuePicture[], filter: string): readonly QueuePicture[] {
  return filter === '' ? queues : queues.filter(({ name }) => matches(filter, name));
}

/** How many there are of each, filtered or not; more than are listed. */
export function rowsOf(queue: SeenQueue, filter: string, nowMs: number): Rows {
  const { snapshot, details } = queue;
  const fits = (...texts: readonly (string | undefined)[]) => filter === '' || matches(filter, ...texts);
  const paramsOf = (id: string) => details.params.get(id);
  const stands = whyStands(snapshot, nowMs);
  return {
    running: snapshot.running
      .filter(({ id, lane, worker }) => fits(id, lane, worker.name, paramsOf(id), details.said.get(id)))
      .map((job) => ({ key: job.id, job })),
    lanes: snapshot.lanes
      .filter(({ lane, waiting, running, missing }) => {
        const has = waiting > 0 || running > 0 || missing !== undefined;
        return has && fits(lane === QUEUE_LANE ? laneName(lane) : lane);
      })
      .map((lane) => ({ key: lane.lane, lane, why: whyOf(snapshot, lane, stands) }))
      .sort((a, b) => WORST_FIRST.indexOf(a.why.kind) - WORST_FIRST.indexOf(b.why.kind)),
    waiting: firstOf(snapshot.waiting, ({ id, lane, seq }) => fits(id, lane, `#${seq}`, paramsOf(id))).map(
      (job) => ({ key: job.id, job }),
    ),
    failed: failedRows(queue, fits),
    workers: snapshot.workers
      .filter(({ name }) => fits(name))
      .map((worker) => ({
        key: worker.name,
        worker,
        jobs: snapshot.running.filter((job) => job.worker.name === worker.name).length,
      })),
  };
}

const WORST_FIRST: readonly Why['kind'][] = ['stands', 'waits', 'moves'];

function firstOf<T>(all: readonly T[], wanted: (one: T) => boolean): T[] {
  const found: T[] = [];
  for (const one of all) {
    if (found.length === MOST_ROWS) break;
    if (wanted(one)) found.push(one);
  }
  return found;
}

/** Those that hold up a lane, then the others, the latest first. */
function failedRows(
  { snapshot, details }: SeenQueue,
  fits: (...texts: readonly (string | undefined)[]) => boolean,
): FailedRow[] {
  const holding = snapshot.waiting.flatMap(({ standing, id, lane, attempts, addedMs }): FailedRow[] => {
    if (standing.kind !== 'held' || standing.failed === undefined) return [];
    const { reason = '', ended } = standing.failed;
    const failure = { reason, endedMs: parseTime(ended) };
    return [{ key: id, id, lane, attempts, addedMs, failure, holds: true }];
  });
  const stored = [...snapshot.failed].reverse().map(
    ({ id, lane, attempts, addedMs }: StoredJob): FailedRow => ({
      key: id,
      id,
      lane,
      attempts,
      addedMs,
      failure: details.failures.get(id),
      holds: false,
    }),
  );
  return firstOf([...holding, ...stored], ({ id, lane, failure }) =>
    fits(id, lane, failure?.reason, details.params.get(id)),
  );
}

/** Of each lane, what its next job waits for. */
function whyStands({ waiting }: QueueSnapshot, nowMs: number): Map<string, Why> {
  const whys = new Map<string, Why & { readonly seq: bigint }>();
  for (const { lane, seq, standing } of waiting) {
    if (lane === undefined || seq === undefined || standing.kind === 'past' || standing.kind === 'duplicate')
      continue;
    const before = whys.get(lane);
    if (before !== undefined && before.seq <= seq) continue;
    whys.set(lane, { seq, ...whyOfStanding(standing, nowMs) });
  }
  return whys;
}

function whyOfStanding(standing: WaitingJob['standing'], nowMs: number): Why {
  switch (standing.kind) {
    case 'held':
      return standing.failed === undefined
        ? { kind: 'stands', text: 'held' }
        : { kind: 'stands', text: `failed: ${standing.failed.reason ?? 'no reason given'}` };
    case 'delayed':
      return { kind: 'waits', text: `not before ${age(standing.untilMs - nowMs)} from now` };
    case 'gap':
      return { kind: 'stands', text: `job ${standing.missing} is missing` };
    case 'stuck':
      return { kind: 'stands', text: 'its number file is damaged' };
    case 'behind':
      return { kind: 'moves', text: 'running' };
    case 'ready':
    case 'past':
    case 'duplicate':
      return { kind: 'moves', text: 'ready' };
  }
}

function whyOf(snapshot: QueueSnapshot, lane: LaneSnapshot, stands: ReadonlyMap<string, Why>): Why {
  if (lane.next === undefined) return { kind: 'stands', text: 'its number file is damaged' };
  if (lane.running > 0) return { kind: 'moves', text: 'running' };
  const why = stands.get(lane.lane) ?? { kind: 'stands', text: 'its jobs have numbers that are past' };
  if (why.text !== 'ready') return why;
  if (snapshot.paused) return { kind: 'waits', text: 'ready; the queue is paused' };
  return hasWorker(snapshot) ? why : { kind: 'waits', text: 'ready; no worker is there' };
}

export function hasWorker({ workers, alone }: QueueSnapshot): boolean {
  return alone !== undefined || workers.some(({ life }) => life === 'alive');
}

/** Upper and lower case are one. */
function matches(filter: string, ...texts: readonly (string | undefined)[]): boolean {
  const wanted = filter.toLowerCase();
  return texts.some((text) => text?.toLowerCase().includes(wanted) === true);
}
