/** Who is at work in a queue, as somebody sees it who is not. */

import { toMs } from '../../os/calendar.ts';
import { closeQuietly } from '../../os/close-quietly.ts';
import { type Descriptor, hasErrno, type Machine } from '../../os/ports.ts';
import { join, nextSequencePath } from '../layout.ts';
import { DEFAULT_LEASE_MS, listRooms, type SeenRoom } from './worker-room.ts';

export type Running = {
  /** Jobs that workers have in hand. */
  readonly jobs: number;
  /** Jobs whose worker is dead: they wait for the next one to bring them back. */
  readonly abandoned: number;
  /** Somebody works it alone, as the original does. */
  readonly alone: boolean;
};

export async function whatRuns(machine: Machine, queue: string): Promise<Running> {
  let jobs = 0;
  let abandoned = 0;
  for (const seen of await listRooms(machine, queue)) {
    if (seen.jobs.length === 0) continue;
    if (await isAlive(machine, seen)) jobs += seen.jobs.length;
    else abandoned += seen.jobs.length;
  }
  const alone = (await probe(machine, `${nextSequencePath(queue)}.lock`))?.locked === true;
  return { jobs, abandoned, alone };
}

/**
 * On our own machine a worker lives as long as its lock is held. Of one on another machine we may not see the lock; it
 * lives as long as it has touched its file within its lease, by our clock.
 */
async function isAlive(machine: Machine, { path, info }: SeenRoom): Promise<boolean> {
  const found = await probe(machine, join(path, 'worker'));
  if (found === undefined) return false;
  if (found.locked || info?.boot === machine.host.bootId) return found.locked;
  return toMs(machine.clock.now()) - found.modifiedMs <= (info?.leaseMs ?? DEFAULT_LEASE_MS);
}

/** Whether somebody holds a file's exclusive lock; undefined when there is no such file. */
async function probe(
  { files, locks }: Machine,
  path: string,
): Promise<{ readonly locked: boolean; readonly modifiedMs: number } | undefined> {
  let lock: Descriptor;
  try {
    lock = await files.open(path, 'lock-present');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ESTALE')) return undefined;
    throw error;
  }
  try {
    const { modifiedMs } = await files.fstat(lock);
    const free = await locks.tryLock(lock, 'shared');
    if (free) await locks.unlock(lock);
    return { locked: !free, modifiedMs };
  } finally {
    await closeQuietly(files, lock);
  }
}
