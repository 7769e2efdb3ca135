/**
 * A sequence file: one decimal number, the next to be used, and a newline.
 *
 * Its lock is the file beside it with `.lock` added, held from before the number is read until after it is
 * written. A new number is written to `FILE.temp`, synced, renamed over the old one, and the rename is synced:
 * a number once given out is not given out again, even after a power cut.
 *
 * Source: `man fspl`, "ON-DISK FORMATS" and "LOCKING AND CONCURRENCY".
 */

import { decodeBytes, encodeBytes } from '../os/bytes.ts';
import { type Descriptor, hasErrno, type Machine } from '../os/ports.ts';
import { readSmallFile } from '../os/transfer.ts';
import { LAST_SEQUENCE, type Sequence, sequence } from '../packet/header.ts';
import { QueueError, reasonOf } from '../queue/errors.ts';
import { syncDirectory } from '../queue/publish.ts';

/** A number of 20 digits and room for a little white space; anything longer is no sequence file. */
const FILE_LIMIT_BYTES = 64;

const FIRST = sequence(1);

/** Waits between two tries for a lock: short first, then longer. */
const LOCK_RETRY_MS = [1, 2, 5, 10, 20] as const;

/** A sequence file whose lock we hold. */
export interface LockedSequence {
  readonly path: string;
  /** The number to be used next. */
  read(): Promise<Sequence>;
  write(next: Sequence): Promise<void>;
  /** The open lock file, to hand to a process that must keep the lock should we die. */
  readonly lock: Descriptor;
  /** Gives the lock up, for processes that were handed it too. */
  close(): Promise<void>;
}

export type LockOptions = {
  /** Makes the files when they are missing, the number being 1. */
  readonly create: boolean;
  /** How long to try for the lock; 0: once. */
  readonly waitMs: number;
};

/** Locks a sequence file. Throws `locked` when another process holds it, `sequence-missing` when it is not there. */
export async function lockSequence(
  machine: Machine,
  path: string,
  options: LockOptions,
): Promise<LockedSequence> {
  const { files, locks } = machine;
  const lockPath = `${path}.lock`;
  const lock = await openLock(machine, lockPath, options.create);
  try {
    await waitForLock(machine, lock, lockPath, options.waitMs);
  } catch (error) {
    await files.close(lock);
    throw error;
  }
  return {
    path,
    lock,
    read: () => readSequence(machine, path, options.create),
    write: (next) => writeSequence(machine, path, next),
    close: async () => {
      await locks.unlock(lock);
      await files.close(lock);
    },
  };
}

async function openLock(machine: Machine, lockPath: string, create: boolean): Promise<Descriptor> {
  try {
    return await machine.files.open(lockPath, create ? 'lock' : 'lock-present');
  } catch (error) {
    if (!create && hasErrno(error, 'ENOENT')) {
      throw new QueueError('sequence-missing', `${lockPath}: there is no such lock file`, { cause: error });
    }
    throw new QueueError('sequence-missing', `${lockPath}: cannot open the lock file: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

async function waitForLock(machine: Machine, lock: Descriptor, path: string, waitMs: number): Promise<void> {
  const { locks, clock } = machine;
  const deadline = clock.monotonicMs() + waitMs;
  for (let attempt = 0; ; attempt++) {
    if (await locks.tryLock(lock, 'exclusive')) return;
    if (clock.monotonicMs() >= deadline) {
      const waited = waitMs > 0 ? ` for ${waitMs / 1000} s` : '';
      throw new QueueError('locked', `${path}: another process has held this lock${waited}`);
    }
    await clock.sleep(LOCK_RETRY_MS[Math.min(attempt, LOCK_RETRY_MS.length - 1)] ?? 20);
  }
}

async function readSequence(machine: Machine, path: string, create: boolean): Promise<Sequence> {
  let text: string;
  try {
    text = decodeBytes(await readSmallFile(machine.files, path, FILE_LIMIT_BYTES));
  } catch (error) {
    if (error instanceof RangeError) {
      throw new QueueError('sequence-damaged', `${error.message}, so it is not a sequence file`);
    }
    if (!hasErrno(error, 'ENOENT')) throw error;
    if (!create) throw new QueueError('sequence-missing', `${path}: there is no such sequence file`);
    await writeSequence(machine, path, FIRST);
    return FIRST;
  }
  return parseSequence(text, path);
}

function parseSequence(text: string, path: string): Sequence {
  const number = parseNumber(text.trim());
  if (number === undefined) {
    throw new QueueError(
      'sequence-damaged',
      `${path}: expected a number from 0 to ${LAST_SEQUENCE}, found ${JSON.stringify(text)}`,
    );
  }
  return number;
}

/** A decimal u64 as the original reads it: digits, leading zeros and one leading plus allowed. */
export function parseNumber(text: string): Sequence | undefined {
  if (!/^\+?\d{1,64}$/.test(text)) return undefined;
  const number = BigInt(text.replace('+', ''));
  return number <= LAST_SEQUENCE ? sequence(number) : undefined;
}

async function writeSequence(machine: Machine, path: string, next: Sequence): Promise<void> {
  const { files } = machine;
  const temporary = `${path}.temp`;
  const target = await files.open(temporary, 'truncate');
  try {
    await files.write(target, encodeBytes(`${next}\n`));
    await files.fsync(target);
  } finally {
    await files.close(target);
  }
  await files.rename(temporary, path);
  await syncDirectory(files, parentOf(path), path);
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : slash === 0 ? '/' : path.slice(0, slash);
}
