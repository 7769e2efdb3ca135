/** Lock files in active/, as somebody sees them who is not their owner. */

import { decodeBytes } from '../os/bytes.ts';
import { closeQuietly } from '../os/close-quietly.ts';
import { type Descriptor, hasErrno, type Machine } from '../os/ports.ts';
import { readSmallFile } from '../os/transfer.ts';
import { refreshNames } from '../queue/refresh-names.ts';
import { ifThere, isJobName, join, lockPath, ownRoom, room } from './layout.ts';
import { DEFAULT_LEASE_MS, OUR_MARK, release } from './worker-file.ts';

/** How old the lock of an original worker must be before anybody asks whether that is alive. */
export const DEFAULT_LOCK_LIFETIME_MS = 600_000;

const LIMIT_BYTES = 4096;

export type LockOwner = { readonly host: string; readonly pid: number };

/** Undefined when it is gone, or says nothing that makes sense. */
export async function readLockOwner({ files }: Machine, path: string): Promise<LockOwner | undefined> {
  try {
    const text = await ifThere(async () => decodeBytes(await readSmallFile(files, path, LIMIT_BYTES)), '');
    const [host, pid] = text.split('\n');
    return host && pid && /^\d{1,10}$/.test(pid) ? { host, pid: Number(pid) } : undefined;
  } catch (error) {
    if (error instanceof RangeError || hasErrno(error, 'EISDIR', 'EACCES')) return undefined;
    throw error;
  }
}

export type SeenLock = {
  readonly id: string;
  readonly inode: bigint;
  /** Of the last sign of life of its owner. */
  readonly modifiedMs: number;
  /** The worker of ours that it belongs to; undefined: one of the original, or one that is not there any more. */
  readonly worker: string | undefined;
  /** It was made by a worker of ours: see OUR_MARK. */
  readonly isOurs: boolean;
};

/** Asked of the server, where there is one. */
export async function listLocks(machine: Machine, queue: string): Promise<SeenLock[]> {
  const { files } = machine;
  const workers = new Map<bigint, string>();
  for (const { name } of await freshEntries(machine, ownRoom(queue, 'workers'))) {
    const status = await ifThere(async () => files.stat(join(ownRoom(queue, 'workers'), name)), undefined);
    if (status !== undefined) workers.set(status.inode, name);
  }
  const seen: SeenLock[] = [];
  for (const { name } of await freshEntries(machine, room(queue, 'active'))) {
    if (!isJobName(name)) continue;
    const status = await ifThere(async () => files.stat(lockPath(queue, name)), undefined);
    if (status === undefined) continue;
    const { inode, modifiedMs, mode } = status;
    const isOurs = (mode & OUR_MARK) !== 0;
    seen.push({ id: name, inode, modifiedMs, worker: workers.get(inode), isOurs });
  }
  return seen;
}

export function freshEntries({ files }: Machine, path: string) {
  return ifThere(async () => {
    await refreshNames(files, path);
    return files.readdir(path);
  }, []);
}

/** Takes the flock of a file that others may have; undefined when it is gone, or held, or not ours to open. */
export async function takeFlock({ files, locks }: Machine, path: string): Promise<Descriptor | undefined> {
  let descriptor: Descriptor | undefined;
  try {
    descriptor = await ifThere<Descriptor | undefined>(() => openNow(files, path), undefined);
  } catch (error) {
    if (hasErrno(error, 'EACCES', 'EPERM', 'EISDIR', 'EROFS', 'ENXIO')) return undefined;
    throw error;
  }
  if (descriptor === undefined) return undefined;
  try {
    if (await locks.tryLock(descriptor, 'exclusive')) return descriptor;
  } catch (error) {
    await closeQuietly(files, descriptor);
    throw error;
  }
  await closeQuietly(files, descriptor);
  return undefined;
}

async function openNow(files: Machine['files'], path: string): Promise<Descriptor> {
  return files.open(path, 'lock-present');
}

/**
 * Removes the lock of that job if it is this very file, whose flock the caller holds. Of ours nobody can have put another
 * there since: who would have to remove this one needs its flock.
 */
export async function unlinkLock(
  machine: Machine,
  queue: string,
  id: string,
  flock: Descriptor,
): Promise<boolean> {
  const { files } = machine;
  const path = lockPath(queue, id);
  const { inode } = await files.fstat(flock);
  return ifThere(async () => {
    await refreshNames(files, room(queue, 'active'));
    if ((await files.stat(path)).inode !== inode) return false;
    await files.unlink(path);
    return true;
  }, false);
}

/**
 * A lock whose owner is dead, and no worker of ours that is there. One of the original's: as its own workers do, when it is
 * older than its lifetime and a little, which is another each time, and its process is no more on this host; of other
 * hosts nobody can tell. One of ours, whose worker file is gone already: when it has been silent for a lease.
 *
 *     A and B, who both see it, stale          the file                D
 *     A opens it, has its flock                active/1
 *     B opens it, has not its flock
 *     A: active/1 is that very file: unlinks   (no name)
 *     A: gives up the flock                                            takes job 1: active/1 is another file
 *     B tries again: has the flock, but active/1 is another file: leaves it
 */
export async function breakStale(
  machine: Machine,
  queue: string,
  lock: SeenLock,
  times: { readonly nowMs: number; readonly lifetimeMs: number },
): Promise<boolean> {
  const isStale = lock.isOurs
    ? times.nowMs - lock.modifiedMs > DEFAULT_LEASE_MS
    : await isStaleOriginal(machine, queue, lock, times);
  if (!isStale) return false;
  const flock = await takeFlock(machine, lockPath(queue, lock.id));
  if (flock === undefined) return false;
  try {
    const { inode } = await machine.files.fstat(flock);
    return inode === lock.inode && (await unlinkLock(machine, queue, lock.id, flock));
  } finally {
    await release(machine, flock);
  }
}

const MOST_JITTER_SECONDS = 256;

async function isStaleOriginal(
  machine: Machine,
  queue: string,
  lock: SeenLock,
  { nowMs, lifetimeMs }: { readonly nowMs: number; readonly lifetimeMs: number },
): Promise<boolean> {
  const jitterMs = (Number.parseInt(machine.random.uuid().slice(0, 2), 16) % MOST_JITTER_SECONDS) * 1000;
  if (nowMs - lock.modifiedMs <= lifetimeMs + jitterMs) return false;
  const owner = await readLockOwner(machine, lockPath(queue, lock.id));
  if (owner === undefined || owner.host !== machine.host.name) return false;
  return !(await machine.processes.exists(owner.pid));
}
