/** A queue directory of IPC::DirQueue as a `Queue`, and what is this format's own. */

import { closeQuietly } from '../os/close-quietly.ts';
import { hasErrno, type Machine } from '../os/ports.ts';
import type { Job, Listing, Queue, SharedSession, Unreadable } from '../queue/contract.ts';
import { QueueError } from '../queue/errors.ts';
import { oneAtATime } from '../queue/one-at-a-time.ts';
import { syncDirectory } from '../queue/publish.ts';
import { outputsOf } from '../queue/run-log.ts';
import { watchDirectories } from '../queue/watch-directories.ts';
import { Adder } from './add.ts';
import { jobOf } from './claim.ts';
import { DataFiles } from './data-file.ts';
import { byService } from './job-id.ts';
import {
  entriesOf,
  FANOUT,
  isJobName,
  isThere,
  join,
  makeDirectory,
  makeRooms,
  ownRoom,
  requireQueue,
  room,
} from './layout.ts';
import { listControls, watchedDirectories } from './look.ts';
import type { FileModes } from './new-files.ts';
import { type DirQueueJoinOptions, joinQueue } from './session.ts';
import { readControl } from './take.ts';
import { pickUpJob, type TakenJob, type TakeOptions, takeJobs } from './taken-job.ts';

export type DirQueue = Omit<Queue, 'join'> & {
  join(options?: DirQueueJoinOptions): Promise<SharedSession>;
  /**
   * Jobs for a worker that lives long, one after the other: what it has loaded for one is there for the next. Each is to
   * be finished or returned; one that is not when the next is asked for is returned to the queue.
   */
  take(options?: TakeOptions): AsyncGenerator<TakenJob, void, undefined>;
  /** That very job, by its id or the path of its control file; undefined when it is not free, or over. */
  pickUp(job: string, options?: TakeOptions): Promise<TakenJob | undefined>;
  /** Every job that waits or runs, in the order of service. */
  visit(visitor: (job: Job) => void | Promise<void>): Promise<readonly Unreadable[]>;
};

export type DirQueueOptions = FileModes;

export type CreateDirQueueOptions = DirQueueOptions & {
  /** Spreads control files over 16 directories. Default: no. */
  readonly fanout?: boolean;
};

/** Makes a queue directory, whose parent must exist. Throws `exists` when there is something else at that path. */
export async function createDirQueue(
  machine: Machine,
  path: string,
  { fanout = false, ...options }: CreateDirQueueOptions = {},
): Promise<DirQueue> {
  try {
    await machine.files.mkdir(path);
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
    throw new QueueError('exists', `${path}: it exists already`, { cause: error });
  }
  await makeRooms(machine, path);
  if (fanout) {
    for (const name of FANOUT) await makeDirectory(machine, join(room(path, 'queue'), name));
    await syncDirectory(machine.files, room(path, 'queue'), path);
  }
  await syncDirectory(machine.files, parentOf(path), path);
  return dirQueueAt(machine, path, options);
}

/** Opens a queue directory, made here or by the original. Throws `not-a-queue`. */
export async function openDirQueue(
  machine: Machine,
  path: string,
  options: DirQueueOptions = {},
): Promise<DirQueue> {
  await requireQueue(machine, path);
  return dirQueueAt(machine, path, options);
}

function dirQueueAt(machine: Machine, path: string, options: DirQueueOptions): DirQueue {
  const adder = new Adder(machine, path, options);
  const join = (joining: DirQueueJoinOptions = {}) => joinQueue(machine, path, joining);
  return {
    location: path,
    add: (job, adding) => adder.add(job, adding),
    addAll: (jobs, adding) => adder.addAll(jobs, adding),
    jobs: () => listJobs(machine, path, 'waiting'),
    session: async ({ keepSucceeded = false, keepFailed = false } = {}) =>
      oneAtATime(await join({ keepSucceeded, keepFailed })),
    join,
    stirs: () => stirs(machine, path),
    watch: async (onChange) => watchDirectories(machine, await watchedDirectories(machine, path), onChange),
    countWaiting: async () => (await listControls(machine, path)).size,
    outputsOf: ({ id }, attempt) => outputsOf(ownRoom(path, 'log'), id, attempt),
    take: (taking = {}) => takeJobs(machine, path, taking),
    pickUp: (job, taking = {}) => pickUpJob(machine, path, job, taking),
    visit: async (visitor) => {
      const { jobs, unreadable } = await listJobs(machine, path, 'all');
      for (const job of jobs) await visitor(job);
      return unreadable;
    },
  };
}

/** Not those that wait for their time in intray/later/: what is in queue/, without those that run unless all are asked for. */
async function listJobs(machine: Machine, queue: string, which: 'waiting' | 'all'): Promise<Listing> {
  const running = new Set((await entriesOf(machine, room(queue, 'active'))).map(({ name }) => name));
  const data = new DataFiles(machine, queue);
  const jobs: Job[] = [];
  const unreadable: Unreadable[] = [];
  const controls = await listControls(machine, queue);
  for (const id of [...controls.keys()].sort(byService)) {
    const job = controls.get(id);
    if (job === undefined || (which === 'waiting' && running.has(id))) continue;
    const control = await readControl(machine, job.path);
    if (control === undefined) continue;
    const damage = 'damage' in control ? control.damage : await problemWithData(machine, data, control);
    if (damage !== undefined) {
      if (await isThere(machine, job.path)) unreadable.push({ path: job.path, message: damage });
    } else if (!('damage' in control)) jobs.push(jobOf(job, control));
  }
  return { jobs, unreadable };
}

async function problemWithData(
  machine: Machine,
  data: DataFiles,
  control: Parameters<DataFiles['open']>[0],
): Promise<string | undefined> {
  const found = await data.open(control);
  if (found.kind !== 'data') return found.message;
  await closeQuietly(machine.files, found.data);
  return undefined;
}

async function stirs(machine: Machine, queue: string): Promise<boolean> {
  if ((await listControls(machine, queue)).size > 0) return true;
  for (const directory of [room(queue, 'active'), ownRoom(queue, 'later'), ownRoom(queue, 'held')]) {
    if ((await entriesOf(machine, directory)).some(({ name }) => isJobName(name))) return true;
  }
  return false;
}

function parentOf(path: string): string {
  const trimmed = path.replace(/(?<=.)\/+$/, '');
  const end = trimmed.lastIndexOf('/');
  return end < 0 ? '.' : end === 0 ? '/' : trimmed.slice(0, end);
}
