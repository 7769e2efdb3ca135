/**
 * The workers' own directories, `work/WORKER/`: the jobs that each has claimed, and a file `worker` that says who it is.
 *
 *   alive      it holds flock on its `worker` file, and touches that file again and again: see own-room.ts
 *   dead       nobody holds that lock (the same machine: that is all), and it was not touched for the lease
 *              (another machine: its lock may be out of our sight, on a file system whose locks are local): see dead-room.ts
 *   fenced     it was taken for dead, and its directory is gone; what it finishes now changes nothing
 *
 * All times are the file server's, as `touch` sets them: hosts need not agree on the hour.
 */

import { decodeBytes } from '../../os/bytes.ts';
import { closeQuietly } from '../../os/close-quietly.ts';
import { entriesOf, ifThere } from '../../os/if-there.ts';
import { type Descriptor, type FileKind, hasErrno, type Machine } from '../../os/ports.ts';
import { readSmallFile } from '../../os/transfer.ts';
import { isJobName, join } from '../layout.ts';
import { room } from './rooms.ts';

export const WORKER_FILE = 'worker';

const WORKER_LIMIT_BYTES = 4096;

/** How long a worker on another machine may be silent before it counts as dead. */
export const DEFAULT_LEASE_MS = 60_000;

/** Who a worker is, as its file says it. */
export type WorkerInfo = {
  readonly host: string;
  /** Tells one run of a machine's kernel from all others; the same one means: its locks are ours to see. */
  readonly boot: string;
  readonly pid: number;
  /** Milliseconds since 1970, by its own clock. */
  readonly startedMs: number;
  readonly leaseMs: number;
};

/** A worker's directory as somebody else sees it. */
export type SeenRoom = {
  readonly name: string;
  readonly path: string;
  readonly info: WorkerInfo | undefined;
  /** Job files in it. */
  readonly jobs: readonly string[];
};

export async function listRooms(machine: Machine, queue: string): Promise<SeenRoom[]> {
  const rooms: SeenRoom[] = [];
  for (const { name, kind } of await entriesOf(machine, room(queue, 'work'))) {
    if (!mayBeDirectory(kind)) continue;
    const path = join(room(queue, 'work'), name);
    const jobs = (await entriesOf(machine, path)).map((entry) => entry.name).filter(isJobName);
    rooms.push({ name, path, info: await readInfo(machine, path), jobs });
  }
  return rooms;
}

/** The job files of all workers but one. */
export async function namesInRooms(machine: Machine, queue: string, except?: string): Promise<string[]> {
  const work = room(queue, 'work');
  const names: string[] = [];
  for (const { name, kind } of await entriesOf(machine, work)) {
    if (!mayBeDirectory(kind) || name === except) continue;
    for (const entry of await entriesOf(machine, join(work, name))) {
      if (isJobName(entry.name)) names.push(entry.name);
    }
  }
  return names;
}

/** Some file systems do not tell kinds in a listing. */
function mayBeDirectory(kind: FileKind): boolean {
  return kind === 'directory' || kind === 'unknown';
}

/** Undefined for a worker that has not written it yet, or whose file is damaged. */
export async function readInfo({ files }: Machine, path: string): Promise<WorkerInfo | undefined> {
  try {
    const read = async () => readSmallFile(files, join(path, WORKER_FILE), WORKER_LIMIT_BYTES);
    const bytes = await ifThere<Uint8Array | undefined>(read, undefined);
    return bytes === undefined ? undefined : (JSON.parse(decodeBytes(bytes)) as WorkerInfo);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Gives up the lock on a worker's file. */
export async function release({ files, locks }: Machine, lock: Descriptor): Promise<void> {
  await locks.unlock(lock);
  await closeQuietly(files, lock);
}

/** Removes a worker's directory and its file; the directory stays when there is something else in it. */
export async function removeRoom({ files }: Machine, path: string): Promise<void> {
  for (const remove of [() => files.unlink(join(path, WORKER_FILE)), () => files.rmdir(path)]) {
    try {
      await remove();
    } catch (error) {
      // Not empty: a job that was put there by hand, or whose return failed; the next look finds it.
      if (!hasErrno(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) throw error;
    }
  }
}
