/**
 * A worker's own file, `intray/workers/W`, says `HOST\nPID\n` as the original's lock files do, and its lock on a job is one
 * more name of it: active/ID. So one beat is a beat for all its jobs, and one flock(2) holds them all.
 *
 *   alive      it holds flock on its file, and touches it again and again
 *   dead       nobody holds that flock (the same machine: that is all), and it was not touched for its lease (another
 *              machine: its flock may be out of our sight)
 *   fenced     it was taken for dead, and its file is gone; what it finishes now changes nothing
 *
 * How the jobs of a dead worker come back, and why two never bring one back at once:
 *
 *     A (dead)                B                                       C
 *     --------                -                                       -
 *     workers/A, active/1
 *                             opens workers/A, has its flock          opens workers/A, tries its flock: B has it
 *                             active/1 is that very file: unlink
 *                             (is killed: the flock is free, C goes on from here)
 *                             unlinks workers/A, gives up the flock
 *     D takes job 1:                                                  has the flock of a file without names
 *     active/1 is D's file                                            active/1 is another file: nothing to do
 *
 * A lock file is unlinked by whoever has its flock only, and looked at when that is had: what is unlinked cannot be
 * anybody else's. (Workers of the original know of no flock: GUARANTEES.md says what remains.)
 *
 * The flock is also held by the watchdogs of the worker: a job comes back only when the command that a killed worker left
 * behind is gone. All times are the file server's.
 */

import { encodeBytes } from '../os/bytes.ts';
import { closeQuietly } from '../os/close-quietly.ts';
import type { Descriptor, Machine } from '../os/ports.ts';
import { QueueError } from '../queue/errors.ts';
import { syncDirectory } from '../queue/publish.ts';
import { refreshNames } from '../queue/refresh-names.ts';
import { ifThere, isThere, join, ownRoom, room, unlinkIfThere } from './layout.ts';

/** How long a worker on another machine may be silent before it counts as dead. */
export const DEFAULT_LEASE_MS = 60_000;

/**
 * The sticky bit, which means nothing for a file: it tells our locks from those of the original, also where a power cut
 * has kept a lock and taken the file of its worker.
 */
export const OUR_MARK = 0o1000;

/** It touches its file so many times in a lease: one may get lost. */
const BEATS_PER_LEASE = 4;

/** What a worker's name says of it: `HOST.PID.BOOT.LEASE.RANDOM`. */
export type WorkerName = {
  readonly host: string;
  readonly pid: number;
  /** Tells one run of a machine's kernel from all others; the same one means: its flock is ours to see. */
  readonly boot: string;
  readonly leaseMs: number;
};

export function parseWorkerName(name: string): WorkerName | undefined {
  const match = /^([\w-]+)\.(\d+)\.([\w-]+)\.(\d+)\.[\w-]+$/.exec(name);
  if (match === null) return undefined;
  const [, host = '', pid, boot = '', leaseMs] = match;
  return { host, pid: Number(pid), boot, leaseMs: Number(leaseMs) };
}

export class WorkerFile {
  readonly name: string;
  readonly path: string;
  readonly inode: bigint;
  /** Kept by whoever must keep the jobs from coming back: see the watchdog. */
  readonly lock: Descriptor;
  readonly beatEveryMs: number;
  readonly #machine: Machine;
  readonly #leaseMs: number;
  /** By our steady clock: we said that we are alive, and were heard, not before this. */
  #provenAtMs: number;

  constructor(
    machine: Machine,
    place: {
      readonly path: string;
      readonly name: string;
      readonly inode: bigint;
      readonly lock: Descriptor;
    },
    { leaseMs, sinceMs }: { readonly leaseMs: number; readonly sinceMs: number },
  ) {
    this.#machine = machine;
    this.path = place.path;
    this.name = place.name;
    this.inode = place.inode;
    this.lock = place.lock;
    this.beatEveryMs = leaseMs / BEATS_PER_LEASE;
    this.#leaseMs = leaseMs;
    this.#provenAtMs = sinceMs;
  }

  /** Says that we are alive. False when we were taken for dead. */
  beat(): Promise<boolean> {
    const atMs = this.#machine.clock.monotonicMs();
    return ifThere(async () => {
      await this.#machine.files.touch(this.path);
      this.#provenAtMs = atMs;
      return true;
    }, false);
  }

  /** Whether nobody can have taken a job of ours up to now: our lease is not over. */
  get isSurelyOurs(): boolean {
    return this.#machine.clock.monotonicMs() - this.#provenAtMs < this.#leaseMs;
  }

  /** The file server's idea of now, ms since 1970: when it saw our last beat, if that was just now. */
  async lastBeatMs(): Promise<number> {
    return (await this.#machine.files.fstat(this.lock)).modifiedMs;
  }

  /** Asked of the server, where there is one: what this host remembers of names may be old. */
  exists(): Promise<boolean> {
    return ifThere(async () => {
      await refreshNames(this.#machine.files, this.path.slice(0, this.path.lastIndexOf('/')));
      return isThere(this.#machine, this.path);
    }, false);
  }

  /** Removes the file, unless locks are left that others have to see to, and gives up the flock. */
  async leave({ locksAreLeft }: { readonly locksAreLeft: boolean }): Promise<void> {
    try {
      if (!locksAreLeft) await unlinkIfThere(this.#machine, this.path);
    } finally {
      await release(this.#machine, this.lock);
    }
  }
}

/** Makes the file of a new worker, on the disk for good: no lock may outlive it there. */
export async function enterQueue(machine: Machine, queue: string, leaseMs: number): Promise<WorkerFile> {
  const { files, locks, host, clock, random } = machine;
  const own = random.uuid().slice(0, 8);
  const name = [safe(host.name), host.pid, safe(host.bootId), leaseMs, own].join('.');
  const path = join(ownRoom(queue, 'workers'), name);
  const temporary = join(room(queue, 'tmp'), `${name}.worker`);
  const sinceMs = clock.monotonicMs();
  const lock = await files.open(temporary, 'lock');
  try {
    await files.writeAt(lock, encodeBytes(`${host.name}\n${host.pid}\n`), 0);
    await files.fchmod(lock, (await files.fstat(lock)).mode | OUR_MARK);
    await files.fsync(lock);
    // Before anybody can find it.
    if (!(await locks.tryLock(lock, 'exclusive')))
      throw new Error(`${temporary}: somebody else has locked it`);
    const { inode } = await files.fstat(lock);
    const worker = new WorkerFile(machine, { path, name, inode, lock }, { leaseMs, sinceMs });
    await files.rename(temporary, path);
    await syncDirectory(files, ownRoom(queue, 'workers'), path);
    if ((await files.stat(path)).inode === inode) return worker;
    throw new QueueError(
      'not-possible',
      `${queue}: its file system does not know a file again under another name, so it cannot be worked from here`,
    );
  } catch (error) {
    await unlinkIfThere(machine, temporary).catch(() => {});
    await unlinkIfThere(machine, path).catch(() => {});
    await closeQuietly(files, lock);
    throw error;
  }
}

export async function release({ files, locks }: Machine, lock: Descriptor): Promise<void> {
  await locks.unlock(lock);
  await closeQuietly(files, lock);
}

/** As part of a file name; the same for all that is said of a host. */
export function safe(name: string): string {
  return name.replace(/[^A-Za-z0-9-]/g, '_').slice(0, 64) || '_';
}
