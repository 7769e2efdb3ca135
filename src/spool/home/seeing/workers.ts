/**
 * Who works a queue, seen from outside.
 *
 * On our own machine the lock of a worker's file says whether it lives. We try it shared, never exclusively, only for
 * the moment of the call, and only when the file says who it is, which a worker writes when it has the lock already:
 *
 *     we                          somebody else                              what comes of it
 *     --                          -------------                              ----------------
 *     shared lock for a moment    a new worker locks its new file            cannot meet: nothing is in it yet
 *     shared lock for a moment    a recoverer tries the lock of a dead one   it gives up, and tries again in a second
 *     (is refused)                it lives, or is being recovered            nothing
 *
 * Of a worker on another machine only its beats are known: when it touched its file, by the file server's clock, which
 * we compare with ours.
 */

import { closeQuietly } from '../../../os/close-quietly.ts';
import { type LockHolder, lockHolders } from '../../../os/lock-holders.ts';
import { hasErrno, type Machine } from '../../../os/ports.ts';
import type { Life, SeenWorker } from '../../../queue/snapshot.ts';
import { join, nextSequencePath } from '../../layout.ts';
import { DEFAULT_LEASE_MS, listRooms, type SeenRoom, WORKER_FILE } from '../worker-rooms.ts';

/** A worker, and what is in its room. */
export type RoomWorker = SeenWorker & { readonly path: string; readonly files: readonly string[] };

export async function seeWorkers(machine: Machine, queue: string, nowMs: number): Promise<RoomWorker[]> {
  const seen: RoomWorker[] = [];
  for (const room of await listRooms(machine, queue)) {
    const beatMs = await beatOf(machine, room);
    const { name, path, info, jobs } = room;
    seen.push({
      name,
      life: await lifeOf(machine, room, beatMs, nowMs),
      host: info?.host,
      pid: info?.pid,
      startedMs: info?.startedMs,
      beatMs,
      leaseMs: info?.leaseMs ?? DEFAULT_LEASE_MS,
      jobs: jobs.length,
      path,
      files: jobs,
    });
  }
  return seen;
}

async function beatOf(machine: Machine, { path }: SeenRoom): Promise<number | undefined> {
  return modifiedMs(machine, join(path, WORKER_FILE));
}

async function modifiedMs({ files }: Machine, path: string): Promise<number | undefined> {
  try {
    return (await files.stat(path)).modifiedMs;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ESTALE', 'EACCES')) return undefined;
    throw error;
  }
}

async function lifeOf(
  machine: Machine,
  room: SeenRoom,
  beatMs: number | undefined,
  nowMs: number,
): Promise<Life> {
  const { info } = room;
  const lastMs = beatMs ?? (await modifiedMs(machine, room.path));
  const silent = lastMs !== undefined && nowMs - lastMs > (info?.leaseMs ?? DEFAULT_LEASE_MS);
  // One that has not said who it is may be about to: until it is silent we keep away from its lock.
  if (info === undefined && !silent) return 'unknown';
  if (info === undefined || info.boot === machine.host.bootId) {
    const held = beatMs === undefined ? false : await isLocked(machine, join(room.path, WORKER_FILE));
    if (held !== undefined) return held ? 'alive' : 'dead';
  }
  return silent ? 'silent' : 'alive';
}

/** Whether somebody holds its exclusive lock; undefined when we may not ask, or it is gone. */
export async function isLocked({ files, locks }: Machine, path: string): Promise<boolean | undefined> {
  try {
    const descriptor = await files.open(path, 'read-job');
    try {
      if (!(await locks.tryLock(descriptor, 'shared'))) return true;
      await locks.unlock(descriptor);
      return false;
    } finally {
      await closeQuietly(files, descriptor);
    }
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ESTALE', 'EACCES', 'ENOLCK')) return undefined;
    throw error;
  }
}

/** The process of this machine that works the queue alone, as the original does, where that can be known. */
export async function worksAlone(machine: Machine, queue: string): Promise<LockHolder | undefined> {
  const holders = await lockHolders(machine, `${nextSequencePath(queue)}.lock`);
  return holders?.find(({ kind }) => kind === 'exclusive');
}
