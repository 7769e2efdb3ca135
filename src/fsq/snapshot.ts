/** A queue at one moment, by names and locks: what waits is in queue/, and what is locked there is running. */

import { type HeldLock, heldLocks, holdersOf } from '../os/lock-holders.ts';
import { hasErrno, type Machine } from '../os/ports.ts';
import { countsOf, oldestOf } from '../queue/counts.ts';
import type {
  Litter,
  QueueSnapshot,
  RunningJob,
  SeenJob,
  SeenWorker,
  Standing,
  StoredJob,
  WaitingJob,
} from '../queue/snapshot.ts';
import type { Constants } from './constants.ts';
import { deconstruct, type Item } from './item-name.ts';
import { brokenLinks, LINK_TO_NOTHING, listItems, listWaiting } from './listing.ts';
import { type Notes, readNotes } from './notes.ts';
import { isDown, join, type Place } from './place.ts';
import { nowMs } from './run-notes.ts';

/** Throws `not-a-queue`. */
export async function takeSnapshot(
  machine: Machine,
  place: Place,
  constants: Constants,
): Promise<QueueSnapshot> {
  const takenMs = nowMs(machine);
  const list = await listWaiting(machine, place, constants);
  const broken = new Set(await brokenLinks(machine, place.waiting, list));
  const notes = await readNotes(machine, place);
  const locks = (await heldLocks(machine)) ?? [];
  const waiting: WaitingJob[] = [];
  const running: RunningJob[] = [];
  for (const { item } of list.items) {
    if (broken.has(item.name)) continue;
    const job = seenJob(item, place.waiting, notes);
    const pid = await runnerOf(machine, job.path, locks);
    if (pid === undefined) waiting.push({ ...job, place: 'waiting', standing: standingOf(job, takenMs) });
    else running.push(await runningJob(machine, job, pid));
  }
  const failed = await stored(machine, place, constants, 'failed');
  const { length: done } = await machine.files.readdir(place.done);
  const unreadable = [
    ...list.malformed.map(({ name, message }) => ({ path: join(place.waiting, name), message })),
    ...[...broken].map((name) => ({ path: join(place.waiting, name), message: LINK_TO_NOTHING })),
  ];
  const workers = new Map(running.map(({ worker }) => [worker.name, worker]));
  const jobsOf = (name: string) => running.filter(({ worker }) => worker.name === name).length;
  return {
    queue: place.directory,
    layout: 'fsq',
    kind: 'fsq',
    takenMs,
    order: 'free',
    paused: await isDown(machine, place),
    waiting,
    running,
    failed,
    unreadable,
    lanes: [],
    workers: Array.from(workers.values(), (worker) => ({ ...worker, jobs: jobsOf(worker.name) })),
    alone: undefined,
    litter: await litterIn(machine, place),
    damage: [],
    counts: {
      ...countsOf(waiting),
      running: running.length,
      failed: failed.length,
      done,
      unreadable: unreadable.length,
    },
    settled: true,
    oldestMs: oldestOf(waiting),
  };
}

export async function stored(
  machine: Machine,
  place: Place,
  constants: Constants,
  which: 'failed' | 'done',
): Promise<StoredJob[]> {
  const directory = which === 'failed' ? place.fail : place.done;
  const { items, malformed } = await listItems(machine, directory, constants);
  const none: Notes = { held: new Set(), until: new Map() };
  return [
    ...items.map(({ item }) => ({ ...seenJob(item, directory, none), place: which })),
    ...malformed.map(({ name }) => ({ ...nameless(name, directory), place: which })),
  ];
}

/** What the name of a file says, if it is an item's. */
export function seenByName({ clock }: Machine, constants: Constants, name: string): Item | undefined {
  const item = deconstruct(name, constants, clock);
  return item.kind === 'item' ? item : undefined;
}

function seenJob(item: Item, directory: string, { held, until }: Notes): SeenJob {
  return {
    ...nameless(item.name, directory),
    id: item.id,
    addedMs: item.enqueuedMs,
    notBeforeMs: until.get(item.name) ?? 0,
    attempts: item.tries,
    held: held.has(item.name),
  };
}

/** A file of which nothing is known but its name. */
export function nameless(name: string, directory: string): SeenJob {
  return {
    id: name,
    name,
    path: join(directory, name),
    lane: undefined,
    seq: undefined,
    priority: undefined,
    addedMs: undefined,
    notBeforeMs: 0,
    attempts: 0,
    held: false,
  };
}

function standingOf({ held, notBeforeMs }: SeenJob, now: number): Standing {
  if (held) return { kind: 'held' };
  return notBeforeMs > now ? { kind: 'delayed', untilMs: notBeforeMs } : { kind: 'ready' };
}

async function runnerOf(
  { files }: Machine,
  path: string,
  locks: readonly HeldLock[],
): Promise<number | undefined> {
  if (locks.length === 0) return undefined;
  try {
    const holders = holdersOf(locks, await files.stat(path));
    return holders.find(({ kind }) => kind === 'exclusive')?.pid;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ELOOP', 'EACCES')) return undefined;
    throw error;
  }
}

/** A command goes on with the lock of a worker that has died: then that is not there any more. */
async function runningJob(machine: Machine, job: SeenJob, pid: number): Promise<RunningJob> {
  const worker: SeenWorker = {
    name: `${machine.host.name}.${pid}`,
    life: (await isAlive(machine, pid)) ? 'alive' : 'dead',
    host: machine.host.name,
    pid,
    startedMs: undefined,
    beatMs: undefined,
    leaseMs: undefined,
    jobs: 1,
  };
  return { ...job, attempts: job.attempts + 1, place: 'running', worker, sinceMs: undefined };
}

async function isAlive({ files }: Machine, pid: number): Promise<boolean> {
  try {
    await files.stat(`/proc/${pid}`);
    return true;
  } catch {
    return false;
  }
}

async function litterIn({ files }: Machine, { tmp }: Place): Promise<Litter[]> {
  return (await files.readdir(tmp)).map(({ name }) => ({ path: join(tmp, name), kind: 'temporary' }));
}
