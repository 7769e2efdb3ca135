/**
 * A worker's own directory, `work/WORKER/`: the jobs it has claimed, and a file `worker` that says who it is.
 *
 *   alive      it holds flock on its `worker` file, and touches that file again and again
 *   dead       nobody holds that lock (the same machine: that is all), and it was not touched for the lease
 *              (another machine: its lock may be out of our sight, on a file system whose locks are local)
 *   fenced     it was taken for dead, and its directory is gone; what it finishes now changes nothing
 *
 * How a dead worker's jobs come back, and why two never bring them back at once:
 *
 *     A (dead)                 B                                    C
 *     --------                 -                                    -
 *     work/A/worker, no lock
 *                              locks work/A/worker                  tries to: B has it
 *                              jobs of A back to jobs/, one by one
 *                              (is killed: the lock is free, C or D goes on from here)
 *                              unlinks work/A/worker, work/A
 *                                                                   locks the file it had opened: it has no
 *                                                                   name any more, so there is nothing to do
 *
 * The lock is also held by the watchdogs of the worker: a job comes back only when the command that a killed worker
 * left behind is gone.
 *
 * All times are the file server's, as `touch` sets them: hosts need not agree on the hour.
 */

import { decodeBytes, encodeBytes } from '../../os/bytes.ts';
import { toMs } from '../../os/calendar.ts';
import { closeQuietly } from '../../os/close-quietly.ts';
import { entriesOf, ifThere } from '../../os/if-there.ts';
import { type Descriptor, type FileKind, hasErrno, type Machine } from '../../os/ports.ts';
import { readSmallFile } from '../../os/transfer.ts';
import { syncDirectory } from '../../queue/publish.ts';
import { refreshNames } from '../../queue/refresh-names.ts';
import { isJobName, join } from '../layout.ts';
import { room } from './rooms.ts';

export const WORKER_FILE = 'worker';
const WORKER_LIMIT_BYTES = 4096;

/** How long a worker on another machine may be silent before it counts as dead. */
export const DEFAULT_LEASE_MS = 60_000;

/** Writes to its file so many times in a lease: one may get lost. */
const BEATS_PER_LEASE = 4;

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

export class WorkerRoom {
  readonly name: string;
  readonly path: string;
  /** Kept by whoever must keep the jobs from coming back: see the watchdog. */
  readonly lock: Descriptor;
  readonly beatEveryMs: number;
  readonly #machine: Machine;
  readonly #leaseMs: number;
  /** By our steady clock: we said that we are alive, and were heard, not before this. */
  #provenAtMs: number;

  constructor(
    machine: Machine,
    path: string,
    name: string,
    lock: Descriptor,
    { leaseMs, sinceMs }: { readonly leaseMs: number; readonly sinceMs: number },
  ) {
    this.#machine = machine;
    this.path = path;
    this.name = name;
    this.lock = lock;
    this.beatEveryMs = leaseMs / BEATS_PER_LEASE;
    this.#leaseMs = leaseMs;
    this.#provenAtMs = sinceMs;
  }

  /** Says that we are alive. False when we were taken for dead. */
  async beat(): Promise<boolean> {
    const atMs = this.#machine.clock.monotonicMs();
    return ifThere(async () => {
      await this.#machine.files.touch(join(this.path, WORKER_FILE));
      this.#provenAtMs = atMs;
      return true;
    }, false);
  }

  /**
   * Whether nobody can have taken anything out of our directory up to now: our lease is not over. When it is, somebody
   * may have; on our own machine our lock still keeps them from it, but that is not known here.
   */
  get isSurelyOurs(): boolean {
    return this.#machine.clock.monotonicMs() - this.#provenAtMs < this.#leaseMs;
  }

  /** The file server's idea of now, ms since 1970: when it saw our last beat, if that was just now. */
  async lastBeatMs(): Promise<number> {
    return (await this.#machine.files.fstat(this.lock)).modifiedMs;
  }

  /** Asked of the server, where there is one: what this host remembers of names may be old. */
  async exists(): Promise<boolean> {
    return ifThere(async () => {
      await refreshNames(this.#machine.files, this.path);
      const { inode } = await this.#machine.files.stat(join(this.path, WORKER_FILE));
      return inode === (await this.#machine.files.fstat(this.lock)).inode;
    }, false);
  }

  /** Removes the directory and gives up the lock. */
  async leave(): Promise<void> {
    try {
      const left = (await entriesOf(this.#machine, this.path)).some(({ name }) => isJobName(name));
      // A job whose return failed is for others to bring back, who know by the file that we are gone.
      if (!left && (await this.exists())) await removeRoom(this.#machine, this.path);
    } finally {
      await release(this.#machine, this.lock);
    }
  }
}

/** Makes a directory for a new worker and locks it. */
export async function enterRoom(machine: Machine, queue: string, leaseMs: number): Promise<WorkerRoom> {
  for (;;) {
    const entered = await tryEnter(machine, queue, leaseMs);
    if (entered !== undefined) return entered;
  }
}

async function tryEnter(machine: Machine, queue: string, leaseMs: number): Promise<WorkerRoom | undefined> {
  const { files, locks, host, clock, random } = machine;
  const info: WorkerInfo = {
    host: host.name,
    boot: host.bootId,
    pid: host.pid,
    startedMs: toMs(clock.now()),
    leaseMs,
  };
  const name = `${safeHost(host.name)}.${host.pid}.${random.uuid().slice(0, 8)}`;
  const path = join(room(queue, 'work'), name);
  const sinceMs = clock.monotonicMs();
  await files.mkdir(path);
  // A power cut must not leave a job in a directory that is not there any more.
  await syncDirectory(files, room(queue, 'work'), path);
  let lock: Descriptor;
  try {
    lock = await files.open(join(path, WORKER_FILE), 'lock');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined; // removed as an empty one that nobody has
    throw error;
  }
  try {
    if (await locks.tryLock(lock, 'exclusive')) {
      await files.writeAt(lock, encodeBytes(`${JSON.stringify(info)}\n`), 0);
      // After a power cut it must still say how long its lease was.
      await files.fsync(lock);
      const entered = new WorkerRoom(machine, path, name, lock, { leaseMs, sinceMs });
      // Between the file and its lock somebody may have taken us for dead.
      if (await entered.exists()) return entered;
    }
  } catch (error) {
    await closeQuietly(files, lock);
    throw error;
  }
  await closeQuietly(files, lock);
  return undefined;
}

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

/** Some file systems do not tell kinds in a listing. */
function mayBeDirectory(kind: FileKind): boolean {
  return kind === 'directory' || kind === 'unknown';
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

async function readInfo({ files }: Machine, path: string): Promise<WorkerInfo | undefined> {
  try {
    const read = async () => readSmallFile(files, join(path, WORKER_FILE), WORKER_LIMIT_BYTES);
    const bytes = await ifThere<Uint8Array | undefined>(read, undefined);
    return bytes === undefined ? undefined : (JSON.parse(decodeBytes(bytes)) as WorkerInfo);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The lock of a dead worker's directory, which is ours now; `over` gives it up, with the directory or without. */
export type DeadRoom = {
  readonly jobs: readonly string[];
  over(emptied: boolean): Promise<void>;
};

/**
 * Takes the directory of a worker that is dead; undefined when it lives, or somebody else has taken it.
 * `nowMs` is the file server's idea of now.
 */
export async function takeDeadRoom(
  machine: Machine,
  seen: { readonly path: string },
  nowMs: number,
): Promise<DeadRoom | undefined> {
  const { files, locks } = machine;
  const present = await ifThere<Descriptor | undefined>(async () => {
    await refreshNames(files, seen.path);
    return files.open(join(seen.path, WORKER_FILE), 'lock-present');
  }, undefined);
  const lock = present ?? (await lockAbandoned(machine, seen.path, nowMs));
  if (lock === undefined) return undefined;
  let jobs: string[] | undefined;
  try {
    if (!(await locks.tryLock(lock, 'exclusive'))) return undefined;
    // One without its file has it by now, ours; should its worker have made it meanwhile, it says who that is.
    const isAbandoned = present === undefined && (await readInfo(machine, seen.path)) === undefined;
    if (!isAbandoned && !(await isDead(machine, seen.path, lock, nowMs))) return undefined;
    // With the lock nobody else takes anything out; what a worker that is not dead after all puts in, is found later.
    await ifThere(() => refreshNames(files, seen.path), undefined);
    jobs = (await entriesOf(machine, seen.path)).map(({ name }) => name).filter(isJobName);
  } finally {
    if (jobs === undefined) await release(machine, lock);
  }
  return {
    jobs,
    over: async (emptied) => {
      try {
        if (emptied) await removeRoom(machine, seen.path);
      } finally {
        await release(machine, lock);
      }
    },
  };
}

async function release({ files, locks }: Machine, lock: Descriptor): Promise<void> {
  await locks.unlock(lock);
  await closeQuietly(files, lock);
}

/** Asked when we hold its lock. */
async function isDead(machine: Machine, path: string, lock: Descriptor, nowMs: number): Promise<boolean> {
  const info = await readInfo(machine, path);
  const { modifiedMs } = await machine.files.fstat(lock);
  // On our own machine the lock says it all.
  if (info?.boot === machine.host.bootId) return true;
  return nowMs - modifiedMs > (info?.leaseMs ?? DEFAULT_LEASE_MS);
}

/**
 * A directory without its file: of a worker that died while it made or removed it, or that claimed one more job in
 * the moment in which it was taken for dead.
 */
async function lockAbandoned(machine: Machine, path: string, nowMs: number): Promise<Descriptor | undefined> {
  return ifThere<Descriptor | undefined>(async () => {
    const { modifiedMs } = await machine.files.stat(path);
    if (nowMs - modifiedMs <= DEFAULT_LEASE_MS) return undefined;
    return machine.files.open(join(path, WORKER_FILE), 'lock');
  }, undefined);
}

async function removeRoom({ files }: Machine, path: string): Promise<void> {
  for (const remove of [() => files.unlink(join(path, WORKER_FILE)), () => files.rmdir(path)]) {
    try {
      await remove();
    } catch (error) {
      // Not empty: a job that was put there by hand, or whose return failed; the next look finds it.
      if (!hasErrno(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) throw error;
    }
  }
}

/** A host's name as part of a file name. */
function safeHost(name: string): string {
  return name.replace(/[^A-Za-z0-9-]/g, '_').slice(0, 64);
}
