/** A root at one moment, as a `QueueSnapshot`. */

import { toMs } from '../os/calendar.ts';
import type { Machine } from '../os/ports.ts';
import { countsOf, oldestOf } from '../queue/counts.ts';
import { unknownJob, unreadableJobs } from '../queue/seen-job.ts';
import type {
  FoundJob,
  QueueSnapshot,
  RunningJob,
  SeenJob,
  SeenWorker,
  StoredJob,
  WaitingJob,
} from '../queue/snapshot.ts';
import type { Place } from './config.ts';
import { monitorOf } from './lock.ts';
import { isPaused } from './pause.ts';
import { join, type Root } from './root.ts';
import { newSurveyor, type Survey } from './survey.ts';
import type { Unit } from './text.ts';
import { listQueue, seeUnit } from './unit-files.ts';

/** What the two queues come to, on the scale of other layouts. */
const PRIORITIES: Readonly<Partial<Record<Place, number>>> = { 'priority-q': 0, 'wait-q': 50 };
const MS_PER_SECOND = 1000;

export async function takeSnapshot(machine: Machine, location: string, root: Root): Promise<QueueSnapshot> {
  const survey = await newSurveyor(machine, root)(0);
  const waiting = waitingJobs(root, survey);
  const monitor = await seenMonitor(machine, root, survey.current.length);
  const running: RunningJob[] = survey.current.flatMap(({ name, path, seen }) =>
    seen.kind === 'unit'
      ? [{ ...seenJob(name, path, seen.unit, 1), place: 'running', worker: monitor, sinceMs: undefined }]
      : [],
  );
  const failed = [
    ...(await storedJobs(machine, root, 'error-q', 'failed')),
    ...(await storedJobs(machine, root, 'fail-q', 'failed')),
  ];
  const done = (await listQueue(machine, root.places['done-q'])).units.length;
  const unreadable = [...survey.rubbish, ...survey.troubles].map(({ place, name, reason }) => ({
    path: join(root.places[place], name),
    message: reason,
  }));
  return {
    queue: location,
    layout: 'uow',
    kind: 'a simple-job-q',
    takenMs: toMs(machine.clock.now()),
    order: 'free',
    paused: await isPaused(machine, root),
    waiting,
    running,
    failed,
    unreadable,
    lanes: [],
    workers: monitor.life === 'alive' || running.length > 0 ? [monitor] : [],
    alone: undefined,
    litter: [],
    damage: [],
    counts: countsOf({ waiting, running, failed, unreadable }, done),
    settled: true,
    oldestMs: oldestOf(waiting),
  };
}

export async function everyUnit(
  machine: Machine,
  root: Root,
  { waiting, running, failed, unreadable }: QueueSnapshot,
): Promise<readonly FoundJob[]> {
  return [
    ...running,
    ...waiting,
    ...failed,
    ...(await storedJobs(machine, root, 'done-q', 'done')),
    ...unreadableJobs(unreadable),
  ];
}

function waitingJobs(root: Root, { waiting, restless }: Survey): WaitingJob[] {
  const ready = waiting.map(({ place, name, path, seen }): WaitingJob => {
    const job = { ...seenJob(name, path, seen.unit, 0), priority: PRIORITIES[place] };
    return { ...job, place: 'waiting', standing: { kind: 'ready' } };
  });
  // In an editor: it waits for a person.
  const held = restless.map(({ place, name }): WaitingJob => {
    const job = seenJob(name, join(root.places[place], name), undefined, 0);
    return { ...job, priority: PRIORITIES[place], held: true, place: 'waiting', standing: { kind: 'held' } };
  });
  return [...ready, ...held];
}

async function storedJobs(
  machine: Machine,
  root: Root,
  place: Place,
  as: StoredJob['place'],
): Promise<StoredJob[]> {
  const directory = root.places[place];
  const jobs: StoredJob[] = [];
  for (const name of (await listQueue(machine, directory)).units) {
    const path = join(directory, name);
    const seen = await seeUnit(machine, path);
    if (seen.kind === 'gone') continue;
    jobs.push({ ...seenJob(name, path, seen.kind === 'unit' ? seen.unit : undefined, 1), place: as });
  }
  return jobs;
}

async function seenMonitor(machine: Machine, root: Root, jobs: number): Promise<SeenWorker> {
  const holder = await monitorOf(machine, root);
  return {
    name: 'Monitor',
    life: holder === undefined ? 'dead' : 'alive',
    host: holder?.host,
    pid: holder?.pid,
    startedMs: undefined,
    beatMs: undefined,
    leaseMs: undefined,
    jobs,
  };
}

/** A unit is known by the name of its file. */
function seenJob(name: string, path: string, unit: Unit | undefined, attempts: number): SeenJob {
  const addedMs = unit?.stamp === undefined ? undefined : unit.stamp.seconds * MS_PER_SECOND;
  return { ...unknownJob(name, path), addedMs, attempts };
}
