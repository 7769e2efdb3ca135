/**
 * A sequence file: one decimal number, the next to be used, and a newline.
 *
 * Its lock is the file beside it with `.lock` added, held from before the number is read until after it is
 * written. A new number is written to `FILE.temp`, synced, renamed over the old one, and the rename is synced:
 * a number once given out is not given out again, even after a power cut.
 *
 * Source: `man fspl`, "ON-DISK FORMATS" and "LOCKING AND CONCURRENCY".
 */

import { acquireLock } from '../os/acquire-lock.ts';
import { decodeBytes, encodeBytes } from '../os/bytes.ts';
import { closeQuietly } from '../os/close-quietly.ts';
import { type Descriptor, type Files, hasErrno, type Machine } from '../os/ports.ts';
import { readSmallFile } from '../os/transfer.ts';
import { LAST_SEQUENCE, type Sequence, sequence } from '../packet/header.ts';
import { QueueError } from '../queue/errors.ts';
import { notDurable, syncOpenDirectory } from '../queue/publish.ts';
import { refreshNames } from '../queue/refresh-names.ts';

/** A number and a newline are 21 bytes at most; nobody's sequence file is longer than this. */
const FILE_LIMIT_BYTES = 4096;

const FIRST = sequence(1);

/** A sequence file whose lock we hold. */
export interface LockedSequence {
  readonly path: string;
  /** The number to be used next. */
  read(): Promise<Sequence>;
  write(next: Sequence): Promise<void>;
  /** Begins `write(next)`: all but the rename, the disk's part of it in the background. */
  prepare(next: Sequence): Promise<void>;
  /** Takes back what `prepare` has begun. */
  abandon(): Promise<void>;
  /** The open lock file, to hand to a process that must keep the lock should we die. */
  readonly lock: Descriptor;
  /** Gives the lock up, for processes that were handed it too. */
  close(): Promise<void>;
}

export type LockOptions = {
  /** Makes the lock file when it is missing. The number is 1 where there is none yet. */
  readonly create: boolean;
  /** How long to try for the lock; 0: once. */
  readonly waitMs: number;
  /** The lock file, where it is not the one beside the sequence file. */
  readonly lockPath?: string;
  /**
   * The first number where there is none yet. It is not written down before another one follows it: who never uses it
   * leaves no file. Left out: 1, in a file from the first `read` on, as with the original.
   */
  readonly first?: () => Promise<Sequence>;
};

/** Locks a sequence file. Throws `locked` when another process holds it, `lock-missing` when there is no lock file. */
export async function lockSequence(
  machine: Machine,
  path: string,
  options: LockOptions,
): Promise<LockedSequence> {
  const { files, locks } = machine;
  if (path === '') throw new QueueError('sequence-damaged', 'the name of the sequence file is empty');
  const lockPath = options.lockPath ?? `${path}.lock`;
  const lock = await openLock(machine, lockPath, options.create);
  try {
    await takeLock(machine, lock, lockPath, options.waitMs);
  } catch (error) {
    await closeQuietly(files, lock);
    throw error;
  }
  const writer = new SequenceWriter(machine, path);
  return {
    path,
    lock,
    read: () => readSequence(machine, path, writer, options.first),
    write: (next) => writer.write(next),
    prepare: (next) => writer.prepare(next),
    abandon: () => writer.abandon(),
    close: async () => {
      try {
        await writer.close();
      } finally {
        try {
          await locks.unlock(lock);
        } finally {
          await closeQuietly(files, lock);
        }
      }
    },
  };
}

async function openLock(machine: Machine, lockPath: string, create: boolean): Promise<Descriptor> {
  try {
    return await machine.files.open(lockPath, create ? 'lock' : 'lock-present');
  } catch (error) {
    if (!create && hasErrno(error, 'ENOENT')) {
      throw new QueueError('lock-missing', `${lockPath}: there is no such lock file`, { cause: error });
    }
    throw error;
  }
}

async function takeLock(machine: Machine, lock: Descriptor, path: string, waitMs: number): Promise<void> {
  if (await acquireLock(machine, lock, 'exclusive', waitMs)) return;
  const waited = waitMs > 0 ? ` for ${waitMs / 1000} s` : '';
  throw new QueueError('locked', `${path}: another process has held this lock${waited}`);
}

async function readSequence(
  machine: Machine,
  path: string,
  writer: SequenceWriter,
  chooseFirst?: () => Promise<Sequence>,
): Promise<Sequence> {
  const present = (await peekSequence(machine, path)) ?? (await peekAfresh(machine, path));
  if (present !== undefined) return present;
  if (chooseFirst !== undefined) return chooseFirst();
  await writer.write(FIRST);
  return FIRST;
}

/** Who believes wrongly that there is no number yet begins again at the first, and gives numbers out twice. */
export async function peekAfresh(machine: Machine, path: string): Promise<Sequence | undefined> {
  await refreshNames(machine.files, parentOf(path));
  return peekSequence(machine, path);
}

/**
 * The number in a sequence file, without its lock: right at some moment of the call, as it is only ever replaced
 * whole. Undefined when there is no file.
 */
export async function peekSequence(machine: Machine, path: string): Promise<Sequence | undefined> {
  try {
    return parseSequence(decodeBytes(await readSmallFile(machine.files, path, FILE_LIMIT_BYTES)), path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    if (!(error instanceof RangeError)) throw error;
    throw new QueueError('sequence-damaged', `${error.message}, so it is not a sequence file`);
  }
}

function parseSequence(text: string, path: string): Sequence {
  const [firstLine = ''] = text.split('\n', 1);
  const number = parseNumber(firstLine.trim());
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

/**
 * Writes new numbers, one after the other.
 *
 *   idle      no temporary file of ours
 *   prepared  the temporary file has the new number and is on its way to the disk; nobody reads it
 *
 * `write` goes through `prepared` to the rename, which is the moment the number changes, and makes that last.
 */
class SequenceWriter {
  readonly #files: Files;
  readonly #path: string;
  readonly #temporary: string;
  #prepared:
    | { readonly next: Sequence; readonly target: Descriptor; readonly onDisk: Promise<void> }
    | undefined;
  /** The directory, kept open for its fsync after each rename. */
  #directory: Descriptor | undefined;

  constructor({ files }: Machine, path: string) {
    this.#files = files;
    this.#path = path;
    this.#temporary = `${path}.temp`;
  }

  async prepare(next: Sequence): Promise<void> {
    await this.abandon();
    const target = await this.#files.open(this.#temporary, 'truncate');
    try {
      await this.#files.write(target, encodeBytes(`${next}\n`));
    } catch (error) {
      await this.#files.close(target);
      throw error;
    }
    const onDisk = this.#files.fsyncAside(target);
    onDisk.catch(() => {}); // told to whoever waits for it in `write`
    this.#prepared = { next, target, onDisk };
  }

  async write(next: Sequence): Promise<void> {
    if (this.#prepared?.next !== next) await this.prepare(next);
    const prepared = this.#prepared;
    this.#prepared = undefined;
    try {
      await prepared?.onDisk;
    } finally {
      if (prepared !== undefined) await this.#files.close(prepared.target);
    }
    await this.#files.rename(this.#temporary, this.#path);
    await this.#syncName();
  }

  /** In a directory that we may not open, the name is left to the file system. */
  async #syncName(): Promise<void> {
    try {
      this.#directory ??= await this.#files.open(parentOf(this.#path), 'directory');
    } catch (error) {
      if (hasErrno(error, 'EACCES')) return;
      throw notDurable(this.#path, error);
    }
    await syncOpenDirectory(this.#files, this.#directory, this.#path);
  }

  async abandon(): Promise<void> {
    const prepared = this.#prepared;
    if (prepared === undefined) return;
    this.#prepared = undefined;
    await prepared.onDisk.catch(() => {}); // it is not wanted any more
    await closeQuietly(this.#files, prepared.target);
    await this.#files.unlink(this.#temporary);
  }

  async close(): Promise<void> {
    try {
      await this.abandon();
    } finally {
      if (this.#directory !== undefined) await closeQuietly(this.#files, this.#directory);
      this.#directory = undefined;
    }
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : slash === 0 ? '/' : path.slice(0, slash);
}
