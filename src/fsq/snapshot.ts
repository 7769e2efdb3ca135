/**
 * A queue at one moment. What an item is, its name says; who runs it, the kernel, which keeps a list of all locks: to try
 * one, however short, would make a scanner step over the item that comes by just then. So items that run on another
 * machine are seen as waiting.
 */

import { toMs } from '../os/calendar.ts';
import { type HeldLock, heldLocks } from '../os/lock-holders.ts';
import { hasErrno, type Machine } from '../os/ports.ts';
import { countsOf, oldestOf } from '../queue/counts.ts';
import { unknownJob, unreadableJobs } from '../queue/seen-job.ts';
import type {
  FoundJob,
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
import { brokenLinks, LINK_TO_NOTHING, listWaiting } from './listing.ts';
import { notedNames, untilOf } from './notes.ts';
import { isDown, join, type Place } from './place.ts';

/** Throws `not-a-queue`. */
export async function takeSnapshot(
  machine: Machine,
  place: Place,
  constants: Constants,
): Promise<QueueSnapshot> {
  const list = await listWaiting(machine, place, constants);
  const broken = new Set(await brokenLinks(machine, place.waiting, list));
  const items = list.items.filter(({ item }) => !broken.has(item.name)).map(({ item }) => item);
  const running = await runningOf(machine, place, items);
  const inHand = new Set(running.map(({ id }) => id));
  const waiting = await waitingOf(
    machine,
    place,
    items.filter(({ id }) => !inHand.has(id)),
  );
  const failed = await listStored(machine, place, constants, 'failed');
  const unreadable = [
    ...list.malformed.map(({ name, message }) => ({ path: join(place.waiting, name), message })),
    ...[...broken].map((name) => ({ path: join(place.waiting, name), message: LINK_TO_NOTHING })),
  ];
  const { length: done } = await machine.files.readdir(place.done);
  return {
    queue: place.directory,
    layout: 'fsq',
    kind: 'fsq',
    takenMs: toMs(machine.clock.now()),
    order: 'free',
    paused: await isDown(machine, place),
    waiting,
    running,
    failed,
    unreadable,
    lanes: [],
    workers: [...new Set(running.map(({ worker }) => worker))],
    alone: undefined,
    litter: [],
    damage: [],
    counts: countsOf({ waiting, running, failed, unreadable }, done),
    settled: true,
    oldestMs: oldestOf(waiting),
  };
}

export async function everyJob(
  machine: Machine,
  place: Place,
  constants: Constants,
  { waiting, running, failed, unreadable }: QueueSnapshot,
): Promise<FoundJob[]> {
  const done = await listStored(machine, place, constants, 'done');
  return [...waiting, ...running, ...failed, ...done, ...unreadableJobs(unreadable)];
}

/** Those that may start, the oldest first; those that are due later; those that are held. */
async function waitingOf(machine: Machine, place: Place, items: readonly Item[]): Promise<WaitingJob[]> {
  const held = new Set(await notedNames(machine, place, 'held'));
  const noted = new Set(await notedNames(machine, place, 'until'));
  const nowMs = toMs(machine.clock.now());
  const all: WaitingJob[] = [];
  for (const item of items) {
    const untilMs = noted.has(item.name) ? await untilOf(machine, place, item.name) : 0;
    const isHeld = held.has(item.name);
    const delayed: Standing = untilMs > nowMs ? { kind: 'delayed', untilMs } : { kind: 'ready' };
    all.push({
      place: 'waiting',
      ...seen(item, join(place.waiting, item.name)),
      notBeforeMs: untilMs,
      held: isHeld,
      standing: isHeld ? { kind: 'held' } : delayed,
    });
  }
  const start = ({ standing, notBeforeMs }: WaitingJob) =>
    standing.kind === 'ready' ? 0 : standing.kind === 'delayed' ? notBeforeMs : Number.POSITIVE_INFINITY;
  return all.sort((a, b) => (start(a) === start(b) ? 0 : start(a) - start(b)));
}

async function runningOf(machine: Machine, place: Place, items: readonly Item[]): Promise<RunningJob[]> {
  const { device } = await machine.files.stat(place.waiting);
  const locks = ((await heldLocks(machine)) ?? []).filter(
    ({ kind, inode, isOn }) => kind === 'exclusive' && isOn({ device, inode }),
  );
  if (locks.length === 0) return [];
  const found: { readonly item: Item; readonly pid: number }[] = [];
  for (const item of items) {
    const pid = await holderOf(machine, join(place.waiting, item.name), locks);
    if (pid !== undefined) found.push({ item, pid });
  }
  const workers = workersOf(
    machine,
    found.map(({ pid }) => pid),
  );
  return found.map(({ item, pid }) => ({
    place: 'running',
    ...seen(item, join(place.waiting, item.name)),
    // The try that runs is counted when it has failed.
    attempts: item.tries + 1,
    worker: workers.get(pid) as SeenWorker,
    sinceMs: undefined,
  }));
}

async function holderOf(
  { files }: Machine,
  path: string,
  locks: readonly HeldLock[],
): Promise<number | undefined> {
  try {
    const file = await files.stat(path);
    return locks.find((lock) => lock.isOn(file))?.pid;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESTALE', 'EACCES')) return undefined;
    throw error;
  }
}

/** Who holds a lock lives. Nothing else is known of them. */
function workersOf({ host }: Machine, pids: readonly number[]): Map<number, SeenWorker> {
  const jobs = new Map<number, number>();
  for (const pid of pids) jobs.set(pid, (jobs.get(pid) ?? 0) + 1);
  return new Map(
    [...jobs].map(([pid, count]) => [
      pid,
      {
        name: `${host.name}.${pid}`,
        life: 'alive',
        host: host.name,
        pid,
        startedMs: undefined,
        beatMs: undefined,
        leaseMs: undefined,
        jobs: count,
      },
    ]),
  );
}

/** Oldest first. What was put away because it is no item is among those that have failed. */
async function listStored(
  machine: Machine,
  room: Place,
  constants: Constants,
  place: StoredJob['place'],
): Promise<StoredJob[]> {
  const directory = place === 'failed' ? room.fail : room.done;
  const stored = (await machine.files.readdir(directory)).map(({ name }): StoredJob => {
    const item = deconstruct(name, constants, machine.clock);
    const path = join(directory, name);
    return { place, ...(item.kind === 'item' ? seen(item, path) : unknownJob(name, path)) };
  });
  return stored.sort((a, b) => (a.addedMs ?? 0) - (b.addedMs ?? 0) || (a.name < b.name ? -1 : 1));
}

function seen({ id, name, enqueuedMs, tries }: Item, path: string): SeenJob {
  return { ...unknownJob(name, path), id, addedMs: enqueuedMs, attempts: tries };
}
