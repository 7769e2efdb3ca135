/** Pictures of queues as `intray top` takes them, at a fixed time, with nothing behind them. */

import { type Details, NO_DETAILS, type Picture, type SeenQueue } from '../../src/cli/intray/top/picture.ts';
import type { Sequence } from '../../src/packet/header.ts';
import type {
  Counts,
  LaneSnapshot,
  QueueSnapshot,
  RunningJob,
  SeenWorker,
  Standing,
  StoredJob,
  WaitingJob,
} from '../../src/queue/snapshot.ts';

export const NOW_MS = Date.UTC(2026, 10, 21, 13, 59, 0);

const NO_COUNTS: Counts = {
  waiting: 0,
  ready: 0,
  delayed: 0,
  held: 0,
  behind: 0,
  gap: 0,
  duplicate: 0,
  past: 0,
  stuck: 0,
  lanesFailed: 0,
  running: 0,
  failed: 0,
  done: 0,
  unreadable: 0,
};

type Parts = Partial<Omit<QueueSnapshot, 'counts'>> & { readonly details?: Partial<Details> };

/** A queue with these in it, and the counts that follow from them. */
export function seenQueue(name: string, { details, ...parts }: Parts = {}): SeenQueue {
  const snapshot: QueueSnapshot = {
    queue: name,
    layout: 'filespooler',
    takenMs: NOW_MS,
    kind: 'home',
    order: 'free',
    paused: false,
    waiting: [],
    running: [],
    failed: [],
    unreadable: [],
    lanes: [],
    workers: [],
    alone: undefined,
    litter: [],
    damage: [],
    settled: true,
    oldestMs: parts.waiting?.[0]?.addedMs,
    ...parts,
    counts: NO_COUNTS,
  };
  const counts: Record<keyof Counts, number> = { ...NO_COUNTS };
  for (const { standing } of snapshot.waiting) {
    counts.waiting += 1;
    counts[standing.kind] += 1;
    if (standing.kind === 'held' && standing.failed !== undefined) counts.lanesFailed += 1;
  }
  counts.running = snapshot.running.length;
  counts.failed = snapshot.failed.length;
  return {
    kind: 'seen',
    name,
    rates: { tenSeconds: 1.25, minute: 20 },
    snapshot: { ...snapshot, counts },
    details: { ...NO_DETAILS, ...details },
  };
}

export function picture(...queues: Picture['queues']): Picture {
  return { takenMs: NOW_MS, queues };
}

export function waitingJob(
  id: string,
  standing: Standing = { kind: 'ready' },
  more: Partial<WaitingJob> = {},
): WaitingJob {
  return {
    place: 'waiting',
    id,
    name: `fspl-${id}.fspl`,
    path: `/q/jobs/fspl-${id}.fspl`,
    priority: 50,
    addedMs: NOW_MS - 90_000,
    notBeforeMs: 0,
    held: false,
    attempts: 0,
    seq: 1n as Sequence,
    lane: undefined,
    standing,
    ...more,
  };
}

export function failedJob(id: string): StoredJob {
  const { standing, ...job } = waitingJob(id);
  return { ...job, place: 'failed', path: `/q/failed/${job.name}` };
}

export function aWorker(name = 'vm.12.aaaa', more: Partial<SeenWorker> = {}): SeenWorker {
  const times = { startedMs: NOW_MS - 3_600_000, beatMs: NOW_MS - 5000, leaseMs: 60_000 };
  return { name, life: 'alive', host: 'vm', pid: 12, ...times, jobs: 0, ...more };
}

export function runningJob(id: string, worker: SeenWorker, more: Partial<RunningJob> = {}): RunningJob {
  const { standing, ...job } = waitingJob(id);
  return {
    ...job,
    place: 'running',
    attempts: 1,
    path: `/q/work/${worker.name}/${job.name}`,
    worker,
    sinceMs: NOW_MS - 65_000,
    ...more,
  };
}

export function lane(name: string, more: Partial<LaneSnapshot> = {}): LaneSnapshot {
  return { lane: name, next: 1n as Sequence, waiting: 1, running: 0, missing: undefined, ...more };
}
