/** Giving back the jobs of dead workers, ours and the original's. Any worker does it, at any time, as often as it likes. */

import { formatMs, toMs } from '../os/calendar.ts';
import type { Descriptor, Machine } from '../os/ports.ts';
import { syncDirectory } from '../queue/publish.ts';
import { recordRun } from '../queue/run-log.ts';
import { join, ownRoom, room, unlinkIfThere } from './layout.ts';
import { breakStale, freshEntries, listLocks, type SeenLock, takeFlock, unlinkLock } from './locks.ts';
import { isInQueue } from './look.ts';
import { readStarts, writeStarts } from './starts.ts';
import { DEFAULT_LEASE_MS, parseWorkerName, release, safe, type WorkerFile } from './worker-file.ts';

/** Returns how many jobs may be taken again. */
export async function bringBackTheDead(
  machine: Machine,
  queue: string,
  { own, lifetimeMs }: { readonly own: WorkerFile; readonly lifetimeMs: number },
): Promise<number> {
  const names = (await freshEntries(machine, ownRoom(queue, 'workers'))).map(({ name }) => name);
  const others = names.filter((name) => name !== own.name);
  const foreign = (await listLocks(machine, queue)).filter(({ worker }) => worker === undefined);
  if (others.length === 0 && foreign.length === 0) return 0;
  if (!(await own.beat())) return 0;
  const nowMs = await own.lastBeatMs();
  let freed = 0;
  for (const name of others) freed += await bringBack(machine, queue, name, nowMs);
  for (const lock of foreign) {
    if (!(await breakStale(machine, queue, lock, { nowMs, lifetimeMs }))) continue;
    await countStart(machine, queue, lock.id, 'original');
    freed += 1;
  }
  return freed;
}

/** The jobs of a worker, if it is dead. */
async function bringBack(machine: Machine, queue: string, name: string, nowMs: number): Promise<number> {
  const path = join(ownRoom(queue, 'workers'), name);
  const flock = await takeFlock(machine, path);
  if (flock === undefined) return 0;
  try {
    if (!(await isDead(machine, name, flock, nowMs))) return 0;
    const freed = await freeJobs(machine, queue, name, flock);
    // A lock must not outlive the file that says whose it is.
    await syncDirectory(machine.files, room(queue, 'active'), path);
    await unlinkIfThere(machine, path);
    // One that lives after all may have taken another meanwhile; from now on it can not.
    return freed + (await freeJobs(machine, queue, name, flock));
  } finally {
    await release(machine, flock);
  }
}

async function freeJobs(machine: Machine, queue: string, worker: string, flock: Descriptor): Promise<number> {
  const { inode } = await machine.files.fstat(flock);
  const isIts = (lock: SeenLock) => lock.inode === inode;
  let freed = 0;
  for (const { id } of (await listLocks(machine, queue)).filter(isIts)) {
    await countStart(machine, queue, id, worker);
    if (await unlinkLock(machine, queue, id, flock)) freed += 1;
  }
  return freed;
}

/** Before the lock goes: who takes the job next must know of it. */
async function countStart(machine: Machine, queue: string, id: string, worker: string): Promise<void> {
  if (!(await isInQueue(machine, queue, id))) return; // it was over, but for its lock
  const attempt = (await readStarts(machine, queue, id)) + 1;
  await writeStarts(machine, queue, id, attempt);
  try {
    const ended = formatMs(toMs(machine.clock.now()));
    await recordRun(machine, ownRoom(queue, 'log'), id, { attempt, outcome: 'died', worker, ended });
  } catch {
    // A full disk must not keep the job from coming back.
  }
}

/** Asked when we hold its flock. */
async function isDead(machine: Machine, name: string, flock: Descriptor, nowMs: number): Promise<boolean> {
  const said = parseWorkerName(name);
  // On our own machine the flock says it all.
  if (said?.boot === safe(machine.host.bootId)) return true;
  const { modifiedMs } = await machine.files.fstat(flock);
  return nowMs - modifiedMs > (said?.leaseMs ?? DEFAULT_LEASE_MS);
}
