/** Sharing a queue with other workers, and keeping out who wants it alone. */

import { acquireLock } from '../../os/acquire-lock.ts';
import { closeQuietly } from '../../os/close-quietly.ts';
import { type Descriptor, hasErrno, type Machine } from '../../os/ports.ts';
import { QueueError, reasonOf } from '../../queue/errors.ts';
import { refreshNames } from '../../queue/refresh-names.ts';
import { nextSequencePath } from '../layout.ts';
import { requireQueue } from '../queue-files.ts';
import { hasRooms, makeRooms } from './rooms.ts';

/** How long others may take to make the rooms. */
const MAKING_MS = 5000;

/** And how long, when they have just made them, to give the lock up. */
const LEAVING_MS = 100;

/**
 * Takes LOCK_SH on nextseq.lock, and makes the rooms where there are none yet, which takes LOCK_EX for a moment.
 * Throws `locked` when somebody works the queue alone, `append-only` when it is not to be worked.
 */
export async function shareQueue(machine: Machine, queue: string): Promise<Descriptor> {
  const { files, locks } = machine;
  const path = `${nextSequencePath(queue)}.lock`;
  let lock: Descriptor;
  try {
    lock = await files.open(path, 'lock-present');
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    await requireQueue(machine, queue);
    const message = `${queue}: ${path}: ${reasonOf(error)}; so it is an append-only queue`;
    throw new QueueError('append-only', message, { cause: error });
  }
  try {
    // So that what this host remembers to be missing, rooms or settings, is asked for anew.
    await refreshNames(files, queue);
    if (!(await hasRooms(machine, queue)) && (await acquireLock(machine, lock, 'exclusive', MAKING_MS))) {
      await makeRooms(machine, queue);
      await locks.unlock(lock);
    }
    if (!(await acquireLock(machine, lock, 'shared', LEAVING_MS)) || !(await hasRooms(machine, queue))) {
      throw new QueueError('locked', `${path}: another process works this queue alone`);
    }
    return lock;
  } catch (error) {
    await closeQuietly(files, lock);
    throw error;
  }
}
