/** A worker's own directory, as the worker itself has it: see worker-rooms.ts. */

import { encodeBytes } from '../../os/bytes.ts';
import { toMs } from '../../os/calendar.ts';
import { closeQuietly } from '../../os/close-quietly.ts';
import { entriesOf, ifThere } from '../../os/if-there.ts';
import { type Descriptor, hasErrno, type Machine } from '../../os/ports.ts';
import { syncDirectory } from '../../queue/publish.ts';
import { refreshNames } from '../../queue/refresh-names.ts';
import { isJobName, join } from '../layout.ts';
import { room } from './rooms.ts';
import { release, removeRoom, WORKER_FILE, type WorkerInfo } from './worker-rooms.ts';

/** Writes to its file so many times in a lease: one may get lost. */
const BEATS_PER_LEASE = 4;

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

/** A host's name as part of a file name. */
function safeHost(name: string): string {
  return name.replace(/[^A-Za-z0-9-]/g, '_').slice(0, 64);
}
