/**
 * Where things are in a queue directory of IPC::DirQueue.
 *
 *     queue/      control files, one for each job; the name is the job's id. In a queue with fan-out: in queue/0 to queue/f
 *     active/     lock files: a job with one, of the same name, is running
 *     data/X/Y/   data files, what jobs carry
 *     tmp/        files under construction
 *
 * And what we add, which the original never looks at:
 *
 * | name                  | what                                                                                 |
 * |-----------------------|--------------------------------------------------------------------------------------|
 * | `intray/workers/W`    | a worker of ours; its lock files in active/ are further names of this file           |
 * | `intray/later/MS.ID`  | the control file of a job that does not start before that time, ms since 1970        |
 * | `intray/held/ID`      | of a job that waits for a person                                                     |
 * | `intray/failed/ID`    | of a job that is over without success                                                |
 * | `intray/done/ID`      | of a job that has succeeded, where such are kept                                     |
 * | `intray/starts/ID`    | how often a job that is not over was started                                         |
 * | `intray/names/KEY`    | of a job that was added under a name, whatever has become of it: see names.ts        |
 * | `intray/adding/ID`    | of a job with a name that has not been in the queue yet                              |
 * | `intray/log/`         | what runs have said, and how they ended: see src/queue/run-log.ts                    |
 * | `intray/paused`       | as long as it is there, no worker of ours starts a job                               |
 *
 * A job is in exactly one place (names/ is none), and goes from one to another by a rename of its control file; its data file stays where
 * it is. Outside of queue/ no worker of the original starts it.
 */

import { closeQuietly } from '../os/close-quietly.ts';
import { ifThere, isThere, unlinkIfThere } from '../os/if-there.ts';
import { makeDirectory } from '../os/make-directory.ts';
import type { Machine } from '../os/ports.ts';
import { QueueError } from '../queue/errors.ts';
import { syncDirectory } from '../queue/publish.ts';
import { refreshNames } from '../queue/refresh-names.ts';

export { entriesOf, ifThere, isGone, isThere, unlinkIfThere } from '../os/if-there.ts';
export { makeDirectory } from '../os/make-directory.ts';

export const ORIGINAL_ROOMS = ['queue', 'active', 'data', 'tmp'] as const;
export type OriginalRoom = (typeof ORIGINAL_ROOMS)[number];

/** In the order in which they are made. */
export const OWN_ROOMS = [
  'workers',
  'later',
  'held',
  'failed',
  'done',
  'starts',
  'adding',
  'names',
  'log',
] as const;
export type OwnRoom = (typeof OWN_ROOMS)[number];

/** Those that hold control files. */
export const storedRooms = ['later', 'held', 'failed', 'done'] as const satisfies readonly OwnRoom[];

const OWN = 'intray';
const LAST_OWN_ROOM: OwnRoom = 'log';

export function join(directory: string, name: string): string {
  return `${directory}/${name}`;
}

export function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

export function room(queue: string, name: OriginalRoom): string {
  return join(queue, name);
}

export function ownRoom(queue: string, name: OwnRoom): string {
  return `${queue}/${OWN}/${name}`;
}

export function pausePath(queue: string): string {
  return `${queue}/${OWN}/paused`;
}

export function lockPath(queue: string, id: string): string {
  return join(room(queue, 'active'), id);
}

/** Whether a name in queue/ is a job's: others are not ours to look at. */
export function isJobName(name: string): boolean {
  return /^\d/.test(name);
}

/** The directories of a queue with fan-out. */
export const FANOUT = [...'0123456789abcdef'];

export function isFanoutName(name: string): boolean {
  return name.length === 1 && FANOUT.includes(name);
}

/** Makes what the original needs; it makes the same where it finds it missing. What is there already, adding syncs. */
export async function makeRooms(machine: Machine, queue: string): Promise<void> {
  let isNew = false;
  for (const name of ORIGINAL_ROOMS) isNew = (await makeDirectory(machine, room(queue, name))) || isNew;
  if (isNew) await syncDirectory(machine.files, queue, queue);
}

/** Makes what we add, where it is missing. The last one says that the others are there to stay. */
export async function makeOwnRooms(machine: Machine, queue: string): Promise<void> {
  const { files } = machine;
  // Queues from before there were names lack those.
  const wanted = [LAST_OWN_ROOM, 'names'] as const;
  if ((await Promise.all(wanted.map((name) => isThere(machine, ownRoom(queue, name))))).every(Boolean))
    return;
  for (const name of ['active', 'tmp'] as const) await makeDirectory(machine, room(queue, name));
  await makeDirectory(machine, join(queue, OWN));
  await syncDirectory(files, queue, queue);
  for (const name of OWN_ROOMS) {
    if (name === LAST_OWN_ROOM) await syncDirectory(files, join(queue, OWN), queue);
    await makeDirectory(machine, ownRoom(queue, name));
  }
  await syncDirectory(files, join(queue, OWN), queue);
}

/** Throws `not-a-queue`. */
export async function requireQueue(machine: Machine, queue: string): Promise<void> {
  if (await isThere(machine, room(queue, 'queue'))) return;
  throw new QueueError(
    'not-a-queue',
    `${queue}: it has no directory named queue, so it is no queue of IPC::DirQueue`,
    { hint: '`dq-submit --dir DIR FILE` makes one with its first job.' },
  );
}

export async function isPaused(machine: Machine, queue: string): Promise<boolean> {
  return isThere(machine, pausePath(queue));
}

export async function pause(machine: Machine, queue: string): Promise<void> {
  await makeOwnRooms(machine, queue);
  const { files } = machine;
  await closeQuietly(files, await files.open(pausePath(queue), 'lock'));
  await syncDirectory(files, join(queue, OWN), queue);
}

/** Returns whether it was paused. */
export async function resume(machine: Machine, queue: string): Promise<boolean> {
  const { files } = machine;
  if (!(await unlinkIfThere(machine, pausePath(queue)))) return false;
  await syncDirectory(files, join(queue, OWN), queue);
  return true;
}

/**
 * The same where it matters: a change that is told as failed may have been done, and one that is told as not needed may be
 * needed, so it is looked at anew. Throws when it is still there.
 */
export async function unlinkForSure(machine: Machine, path: string): Promise<boolean> {
  try {
    await machine.files.unlink(path);
    return true;
  } catch (error) {
    await refreshNames(machine.files, path.slice(0, path.lastIndexOf('/')));
    if (await isThere(machine, path)) throw error;
    return false;
  }
}

/**
 * A rename, also where a power cut in the middle of one has left the file under both names: there rename(2) does nothing,
 * and the old name would stay.
 */
export async function moveFile(machine: Machine, from: string, to: string): Promise<void> {
  if (await isSameFile(machine, from, to)) await machine.files.unlink(from);
  else await machine.files.rename(from, to);
}

/** Asked of the server, where there is one: by an old belief of this host a file would seem to have two names, and lose its only one. */
export function isSameFile(machine: Machine, one: string, other: string): Promise<boolean> {
  const { files } = machine;
  return ifThere(async () => {
    for (const path of [one, other]) await refreshNames(files, path.slice(0, path.lastIndexOf('/')));
    return (await files.stat(other)).inode === (await files.stat(one)).inode;
  }, false);
}
