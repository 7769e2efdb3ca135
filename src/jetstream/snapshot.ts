/** A queue at one moment, as its log says it is. */

import { toMs } from '../os/calendar.ts';
import type { Machine } from '../os/ports.ts';
import { sequence } from '../packet/header.ts';
import { countsOf, oldestOf } from '../queue/counts.ts';
import { unreadableJobs } from '../queue/seen-job.ts';
import type {
  FoundJob,
  LaneSnapshot,
  QueueSnapshot,
  RunningJob,
  SeenJob,
  SeenWorker,
  StoredJob,
  WaitingJob,
} from '../queue/snapshot.ts';
import { LEVEL } from './add.ts';
import type { Log } from './log.ts';
import type { Entry, Picture } from './picture.ts';
import { isSilent } from './recovery.ts';
import { byTurn, priorityOf, standingOf, waitingIn } from './standing.ts';
import type { StreamFacts } from './wire.ts';

export function snapshotOf(machine: Machine, { picture, place }: Log, facts: StreamFacts): QueueSnapshot {
  const takenMs = toMs(machine.clock.now());
  const workers = workersOf(picture, takenMs);
  const waiting = waitingOf(picture, place, takenMs);
  const running = runningOf(picture, place, workers);
  const failed = storedOf(picture, place, 'failed');
  const unreadable = [...picture.strangers.values()].map(({ subject, message }) => ({
    path: `${place}/${subject}`,
    message,
  }));
  return {
    queue: place,
    layout: 'jetstream',
    kind: 'jetstream',
    takenMs,
    order: 'free',
    paused: picture.paused,
    waiting,
    running,
    failed,
    unreadable,
    lanes: lanesOf(picture),
    workers: [...workers.values()],
    alone: undefined,
    litter: [],
    damage: [],
    counts: countsOf({ waiting, running, failed, unreadable }, storedOf(picture, place, 'done').length),
    settled: true,
    oldestMs: oldestOf(waiting),
    safety: safetyOf(facts),
  };
}

/** All of a snapshot's jobs, and those that are done and kept. */
export function everyJob(
  { waiting, running, failed, unreadable }: QueueSnapshot,
  place: string,
  entries: readonly Entry[],
): FoundJob[] {
  const done = entries
    .filter(({ state }) => state.place === 'done')
    .map((entry) => storedJob(place, entry, 'done'));
  return [...waiting, ...running, ...failed, ...done, ...unreadableJobs(unreadable)];
}

/** What the servers have promised about what they have confirmed, as a sentence. */
function safetyOf({ replicas, current, server }: StreamFacts): NonNullable<QueueSnapshot['safety']> {
  const copies =
    replicas === 1
      ? 'one server has it, and nobody else'
      : `${replicas} servers have it, of which ${current} are up to date`;
  return {
    level: LEVEL,
    sentence: `An accepted job outlives processes, ${replicas === 1 ? 'not the loss of its server' : 'and any one server'}: ${copies} (nats-server ${server}). A power cut that all of them share can take the last seconds or minutes: they do not say whether they have synced.`,
  };
}

function seen(place: string, entry: Entry): SeenJob {
  const { id, seq, job, state, addedMs } = entry;
  return {
    id,
    name: id,
    path: `${place}/${id}`,
    lane: job.lane,
    seq: sequence(seq),
    priority: priorityOf(entry),
    addedMs,
    notBeforeMs: state.untilMs,
    attempts: state.attempts,
    held: state.held,
  };
}

/** In the order in which they would be started. */
function waitingOf(picture: Picture, place: string, nowMs: number): WaitingJob[] {
  const rows = waitingIn(picture)
    .sort(byTurn)
    .map((entry): WaitingJob => {
      return { place: 'waiting', ...seen(place, entry), standing: standingOf(picture, entry, nowMs) };
    });
  const start = ({ standing }: WaitingJob) =>
    standing.kind === 'ready'
      ? 0
      : standing.kind === 'delayed'
        ? standing.untilMs
        : standing.kind === 'behind'
          ? Number.MAX_VALUE
          : Number.POSITIVE_INFINITY;
  return rows
    .map((job) => ({ job, start: start(job) }))
    .sort((a, b) => (a.start === b.start ? 0 : a.start - b.start))
    .map(({ job }) => job);
}

function runningOf(picture: Picture, place: string, workers: ReadonlyMap<string, SeenWorker>): RunningJob[] {
  return [...picture.entries.values()]
    .filter(({ state }) => state.place === 'running')
    .map((entry): RunningJob => {
      const { worker = '', sinceMs } = entry.state;
      const known = workers.get(worker) ?? { ...GONE, name: worker };
      return { place: 'running', ...seen(place, entry), worker: known, sinceMs };
    });
}

/** One that has left without giving its jobs back. */
const GONE: Omit<SeenWorker, 'name'> = {
  life: 'dead',
  host: undefined,
  pid: undefined,
  startedMs: undefined,
  beatMs: undefined,
  leaseMs: undefined,
  jobs: 0,
};

function storedOf(picture: Picture, place: string, kind: StoredJob['place']): StoredJob[] {
  return [...picture.entries.values()]
    .filter(({ state }) => state.place === kind)
    .map((entry) => storedJob(place, entry, kind));
}

function storedJob(place: string, entry: Entry, kind: StoredJob['place']): StoredJob {
  return { place: kind, ...seen(place, entry) };
}

function lanesOf({ lanes }: Picture): LaneSnapshot[] {
  return [...lanes].map(([lane, { jobs, running }]) => {
    const head = running ?? jobs[0];
    return {
      lane,
      next: head && sequence(head.seq),
      waiting: jobs.filter(({ state }) => state.place === 'waiting').length,
      running: running === undefined ? 0 : 1,
      missing: undefined,
    };
  });
}

/** By the clock of the servers and ours, which are the same, give or take much less than a lease. */
function workersOf(picture: Picture, nowMs: number): ReadonlyMap<string, SeenWorker> {
  const inHand = new Map<string, number>();
  for (const { state } of picture.entries.values()) {
    if (state.place === 'running' && state.worker !== undefined)
      inHand.set(state.worker, (inHand.get(state.worker) ?? 0) + 1);
  }
  return new Map(
    [...picture.workers].map(([name, beat]) => {
      const { host, pid, startedMs, leaseMs, beatMs } = beat;
      const life = isSilent(beat, nowMs) ? 'silent' : 'alive';
      return [name, { name, life, host, pid, startedMs, beatMs, leaseMs, jobs: inHand.get(name) ?? 0 }];
    }),
  );
}
