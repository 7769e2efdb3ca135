/**
 * Taking over the directory of a worker that is dead. How its jobs come back, and why two never bring them back at once:
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
 */

import { entriesOf, ifThere } from '../../os/if-there.ts';
import type { Descriptor, Machine } from '../../os/ports.ts';
import { refreshNames } from '../../queue/refresh-names.ts';
import { isJobName, join } from '../layout.ts';
import { DEFAULT_LEASE_MS, readInfo, release, removeRoom, WORKER_FILE } from './worker-rooms.ts';

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
