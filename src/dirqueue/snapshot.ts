/**
 * A queue at one moment, by its names: no control file is opened. What is in a job's control file, and whether that is
 * damaged, `jobs()`, workers and `repair` say.
 */

import { toMs } from '../os/calendar.ts';
import { lockHolders } from '../os/lock-holders.ts';
import type { Machine } from '../os/ports.ts';
import { countsOf, oldestOf } from '../queue/counts.ts';
import { unknownJob } from '../queue/seen-job.ts';
import type {
  FoundJob,
  Life,
  Litter,
  QueueSnapshot,
  RunningJob,
  SeenJob,
  SeenWorker,
  StoredJob,
  WaitingJob,
} from '../queue/snapshot.ts';
import { byService, parseJobId } from './job-id.ts';
import {
  entriesOf,
  ifThere,
  isFanoutName,
  isJobName,
  isPaused,
  join,
  lockPath,
  type OwnRoom,
  ownRoom,
  requireQueue,
  room,
} from './layout.ts';
import { listLocks, readLockOwner, type SeenLock } from './locks.ts';
import { listControls, parseLaterName } from './look.ts';
import { readStarts } from './starts.ts';
import { parseWorkerName, safe } from './worker-file.ts';

export async function takeSnapshot(machine: Machine, queue: string): Promise<QueueSnapshot> {
  await requireQueue(machine, queue);
  const controls = await listControls(machine, queue);
  const locks = (await listLocks(machine, queue)).filter(({ id }) => controls.has(id));
  const starts = await allStarts(machine, queue);
  const seen = (id: string, path: string, more: Partial<SeenJob> = {}): SeenJob => ({
    ...seenById(id, path),
    attempts: starts.get(id) ?? 0,
    ...more,
  });
  const locked = new Set(locks.map(({ id }) => id));
  const ready = [...controls.values()].filter(({ id }) => !locked.has(id));
  const waiting: WaitingJob[] = ready
    .sort((a, b) => byService(a.id, b.id))
    .map(({ id, path }) => ({ place: 'waiting', ...seen(id, path), standing: { kind: 'ready' } }));
  for (const { name } of await jobsIn(machine, queue, 'later')) {
    const put = parseLaterName(name);
    if (put === undefined) continue;
    const { id, untilMs } = put;
    const job = seen(id, join(ownRoom(queue, 'later'), name), { name, notBeforeMs: untilMs });
    waiting.push({ place: 'waiting', ...job, standing: { kind: 'delayed', untilMs } });
  }
  for (const { name } of await jobsIn(machine, queue, 'held')) {
    const job = seen(name, join(ownRoom(queue, 'held'), name), { held: true });
    waiting.push({ place: 'waiting', ...job, standing: { kind: 'held' } });
  }
  const workers = await seeWorkers(machine, queue, locks);
  const running = locks.map((lock): RunningJob => {
    const job = seen(lock.id, controls.get(lock.id)?.path ?? '');
    const worker = workers.get(lock.worker ?? lock.id) as SeenWorker;
    const sinceMs = lock.worker === undefined ? lock.modifiedMs : undefined;
    return { place: 'running', ...job, attempts: job.attempts + 1, worker, sinceMs };
  });
  const failed = await listStored(machine, queue, 'failed');
  const done = await jobsIn(machine, queue, 'done');
  return {
    queue,
    layout: 'dirqueue',
    kind: 'dirqueue',
    takenMs: toMs(machine.clock.now()),
    order: 'free',
    paused: await isPaused(machine, queue),
    waiting,
    running,
    failed,
    unreadable: [],
    lanes: [],
    workers: [...workers.values()],
    alone: undefined,
    litter: await litterIn(machine, queue),
    damage: [],
    counts: countsOf({ waiting, running, failed, unreadable: [] }, done.length),
    settled: true,
    oldestMs: oldestOf(waiting),
  };
}

export async function everyJob(machine: Machine, snapshot: QueueSnapshot): Promise<FoundJob[]> {
  const { queue, waiting, running, failed } = snapshot;
  return [...waiting, ...running, ...failed, ...(await listStored(machine, queue, 'done'))];
}

/** What its name says. */
function seenById(id: string, path: string): SeenJob {
  return { ...unknownJob(id, path), ...parseJobId(id) };
}

async function listStored(
  machine: Machine,
  queue: string,
  place: OwnRoom & StoredJob['place'],
): Promise<StoredJob[]> {
  const names = (await jobsIn(machine, queue, place)).map(({ name }) => name);
  const stored = names.map((id): StoredJob => ({ place, ...seenById(id, join(ownRoom(queue, place), id)) }));
  return stored.sort((a, b) => (a.addedMs ?? 0) - (b.addedMs ?? 0) || byService(a.id, b.id));
}

async function jobsIn(machine: Machine, queue: string, place: OwnRoom) {
  return (await entriesOf(machine, ownRoom(queue, place))).filter(({ name }) => isJobName(name));
}

async function allStarts(machine: Machine, queue: string): Promise<Map<string, number>> {
  const starts = new Map<string, number>();
  for (const { name } of await jobsIn(machine, queue, 'starts')) {
    starts.set(name, await readStarts(machine, queue, name));
  }
  return starts;
}

/** By name those of ours, and by the job they have those of the original. */
export async function seeWorkers(
  machine: Machine,
  queue: string,
  locks: readonly SeenLock[],
): Promise<Map<string, SeenWorker>> {
  const seen = new Map<string, SeenWorker>();
  const nowMs = toMs(machine.clock.now());
  for (const { name } of await entriesOf(machine, ownRoom(queue, 'workers'))) {
    const path = join(ownRoom(queue, 'workers'), name);
    const status = await ifThere(async () => machine.files.stat(path), undefined);
    if (status === undefined) continue;
    const said = parseWorkerName(name);
    seen.set(name, {
      name,
      life: await lifeOf(machine, path, said, nowMs - status.modifiedMs),
      host: said?.host,
      pid: said?.pid,
      startedMs: undefined,
      beatMs: status.modifiedMs,
      leaseMs: said?.leaseMs,
      jobs: locks.filter(({ worker }) => worker === name).length,
    });
  }
  for (const lock of locks) {
    // A worker of ours that has gone since its lock was seen is told like one of the original.
    if (lock.worker !== undefined && seen.has(lock.worker)) continue;
    seen.set(lock.worker ?? lock.id, await originalWorker(machine, queue, lock));
  }
  return seen;
}

async function lifeOf(
  machine: Machine,
  path: string,
  said: ReturnType<typeof parseWorkerName>,
  silentMs: number,
): Promise<Life> {
  if (said === undefined) return 'unknown';
  if (said.boot === safe(machine.host.bootId)) {
    const holders = await lockHolders(machine, path);
    if (holders !== undefined) return holders.length > 0 ? 'alive' : 'dead';
  }
  return silentMs > said.leaseMs ? 'silent' : 'alive';
}

async function originalWorker(machine: Machine, queue: string, lock: SeenLock): Promise<SeenWorker> {
  const owner = await readLockOwner(machine, lockPath(queue, lock.id));
  const isHere = owner?.host === machine.host.name;
  const life = !isHere ? 'unknown' : (await machine.processes.exists(owner?.pid ?? 0)) ? 'alive' : 'dead';
  return {
    name: owner === undefined ? 'unknown' : `${owner.host}.${owner.pid}`,
    life,
    host: owner?.host,
    pid: owner?.pid,
    startedMs: undefined,
    beatMs: lock.modifiedMs,
    leaseMs: undefined,
    jobs: 1,
  };
}

async function litterIn(machine: Machine, queue: string): Promise<Litter[]> {
  const top = room(queue, 'queue');
  const others = (await entriesOf(machine, top)).filter(
    ({ name }) => !isJobName(name) && !isFanoutName(name),
  );
  return others.map(({ name }) => ({
    path: join(top, name),
    kind: /\.te?mp$|~$/.test(name) ? 'temporary' : 'other',
  }));
}
