/**
 * What we add beside `jobs/` and `nextseq` in a queue directory. The original uses none of these names.
 *
 * | name                     | what                                                                             |
 * |--------------------------|----------------------------------------------------------------------------------|
 * | `settings.json`          | how this queue is worked: `{"order": "free"}`; not there: as the original does  |
 * | `paused`                 | as long as it is there, no job starts                                            |
 * | `work/WORKER/`           | jobs that this worker has claimed, and `worker`: who it is, locked by it         |
 * | `lanes/LANE`             | a lane's next number, as `nextseq` is the queue's own; `LANE.lock` is its lock   |
 * | `lanes/LANE.added`       | the number that the next job added here to that lane gets                        |
 * | `done/`, `failed/`       | job files that are over, where they are kept                                     |
 * | `log/STEM.jsonl`         | a line for each run of a job; `log/STEM.N.out` what the Nth run said             |
 * | `receipts/`              | one file for each name that a sender gave a job                                  |
 * | `README`                 | says this to a person with ls                                                    |
 *
 * Directories are made once, by whoever makes the queue or first works it, and never by two hosts at once: some
 * network file systems break a directory that two hosts make at the same moment.
 */

import { encodeBytes } from '../../os/bytes.ts';
import { closeQuietly } from '../../os/close-quietly.ts';
import { isThere, unlinkIfThere } from '../../os/if-there.ts';
import { makeDirectory } from '../../os/make-directory.ts';
import { hasErrno, type Machine } from '../../os/ports.ts';
import { readSmallFile } from '../../os/transfer.ts';
import { QueueError, reasonOf } from '../../queue/errors.ts';
import { asShortFileName } from '../../queue/file-name.ts';
import { publish, syncDirectory } from '../../queue/publish.ts';
import { join } from '../layout.ts';

/** In the order in which they are made. */
export const ROOMS = ['work', 'lanes', 'done', 'failed', 'receipts', 'log'] as const;
export type Room = (typeof ROOMS)[number];

export function room(queue: string, name: Room): string {
  return join(queue, name);
}

const LANE_FILE_LIMIT = 150;

/** Of a longer name, the beginning and a number made from all of it. */
export function laneFileName(lane: string): string {
  return asShortFileName(lane, LANE_FILE_LIMIT);
}

/**
 * `free`: jobs without a lane may run side by side, in the order of their priority and age. `sequence`: they run one
 * after the other by number, as with the original. Jobs of a lane keep that lane's order in both.
 */
export type Order = 'free' | 'sequence';

export type Settings = { readonly order: Order };

const DEFAULT_SETTINGS: Settings = { order: 'sequence' };
const SETTINGS_LIMIT_BYTES = 65_536;

export function settingsPath(queue: string): string {
  return join(queue, 'settings.json');
}

export async function readSettings({ files }: Machine, queue: string): Promise<Settings> {
  const path = settingsPath(queue);
  let bytes: Uint8Array;
  try {
    bytes = await readSmallFile(files, path, SETTINGS_LIMIT_BYTES);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return DEFAULT_SETTINGS;
    throw error;
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new QueueError('settings-damaged', `${path}: it is not JSON: ${reasonOf(error)}`, { cause: error });
  }
  const order = (parsed as { order?: unknown } | null)?.order ?? DEFAULT_SETTINGS.order;
  if (order !== 'free' && order !== 'sequence') {
    throw new QueueError(
      'settings-damaged',
      `${path}: expected "order" to be "free" or "sequence", found ${JSON.stringify(order)}`,
    );
  }
  return { order };
}

export async function writeSettings(machine: Machine, queue: string, settings: Settings): Promise<void> {
  await replaceFile(machine, queue, 'settings.json', `${JSON.stringify(settings)}\n`);
}

/** A small file of ours, replaced whole and for good. */
export async function replaceFile(
  { files, random }: Machine,
  directory: string,
  name: string,
  text: string,
): Promise<void> {
  await publish(files, {
    directory,
    temporaryName: `${name}.${random.uuid()}.temp`,
    name,
    durability: 'power-safe',
    write: async (target) => {
      const bytes = encodeBytes(text);
      await files.write(target, bytes);
      return bytes.length;
    },
  });
}

/** Makes the rooms that are missing. The caller sees to it that nobody else does. */
export async function makeRooms(machine: Machine, queue: string): Promise<void> {
  const { files } = machine;
  if (!(await isThere(machine, join(queue, 'README')))) await replaceFile(machine, queue, 'README', README);
  for (const name of ROOMS) {
    // The last one says that the others are there to stay. After it nothing takes long, for others may come in now.
    if (name === LAST_ROOM) await syncDirectory(files, queue, queue);
    await makeDirectory(machine, room(queue, name));
  }
}

const LAST_ROOM: Room = 'log';

/** Whether all rooms are there: the last one that is made. */
export function hasRooms(machine: Machine, queue: string): Promise<boolean> {
  return isThere(machine, room(queue, LAST_ROOM));
}

export function isPaused(machine: Machine, queue: string): Promise<boolean> {
  return isThere(machine, pausePath(queue));
}

export function pausePath(queue: string): string {
  return join(queue, 'paused');
}

export async function pause({ files }: Machine, queue: string): Promise<void> {
  const descriptor = await files.open(pausePath(queue), 'lock');
  await closeQuietly(files, descriptor);
  await syncDirectory(files, queue, queue);
}

/** Returns whether it was paused. */
export async function resume(machine: Machine, queue: string): Promise<boolean> {
  if (!(await unlinkIfThere(machine, pausePath(queue)))) return false;
  await syncDirectory(machine.files, queue, queue);
  return true;
}

const README = `This directory is a job queue: https://www.npmjs.com/package/intray; also for fspl(1).

  jobs/          jobs that wait, one file each: fspl-PRIORITY.ADDED.NOTBEFORE.STARTS.NUMBER.LANE.NAME.fspl
  work/WORKER/   jobs that a worker is running now; a dead worker's jobs go back to jobs/ by themselves
  failed/        jobs that are over without success; mv one back to jobs/ to run it again
  done/          jobs that are over with success, where they are kept
  log/           what each run of a job said, and how it ended
  lanes/         the next number of each lane
  receipts/      names that senders gave their jobs, so that none is added twice
  nextseq        the next number of jobs without a lane, in an ordered queue
  paused         while this file is there, no job starts
`;
