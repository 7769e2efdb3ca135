/**
 * Taking an item: flock(2) on its own file, and then a look whether its name still leads to that file.
 *
 *     we                                  another scanner
 *     --                                  ---------------
 *     list queue/: X
 *                                         has X locked, has run it: X -> done/X
 *     open queue/X                        (had we come later: ENOENT)
 *                                         closes it: the lock is free
 *     lock it: granted
 *     look up queue/X: not there          <- without this look X runs twice
 *
 * The same look tells an item that was tried again, which has another name, and a name that was given to another file.
 * Over a network the directory is opened before, for a host believes for seconds in names that it has seen.
 *
 * The lock is the open file's: it goes with us when we die, and a command that we hand the file to keeps it.
 */

import { closeQuietly } from '../os/close-quietly.ts';
import {
  type Descriptor,
  type DirectoryEntry,
  type FileKind,
  type FileStatus,
  hasErrno,
  type Machine,
} from '../os/ports.ts';
import { reasonOf } from '../queue/errors.ts';
import { refreshNames } from '../queue/refresh-names.ts';
import { LINK_TO_NOTHING } from './listing.ts';
import { join } from './place.ts';

export type Taken = {
  readonly kind: 'taken';
  readonly directory: string;
  readonly name: string;
  /** At the first byte of the content. */
  readonly descriptor: Descriptor;
  readonly fileKind: FileKind;
  readonly inode: bigint;
  readonly device: bigint;
  readonly bytes: number;
};

/** `busy`: another has it. `gone`: it is not there any more. `unreadable`: it is, and cannot be opened. */
export type NotTaken =
  | { readonly kind: 'busy' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unreadable'; readonly message: string };

export type TakeOptions = {
  /** Whether it is locked at all. Default: yes. */
  readonly lock?: boolean;
  /** What `namesAreOurs` says of the directory. Default: no. */
  readonly areNamesOurs?: boolean;
};

export async function take(
  machine: Machine,
  directory: string,
  entry: DirectoryEntry,
  { lock = true, areNamesOurs = false }: TakeOptions = {},
): Promise<Taken | NotTaken> {
  const { name } = entry;
  const path = join(directory, name);
  let descriptor: Descriptor;
  try {
    descriptor = await machine.files.open(path, 'read-job');
  } catch (error) {
    return notOpened(entry, error);
  }
  try {
    const locked = lock ? await lockOpen(machine, path, descriptor) : descriptor;
    if (locked === undefined) {
      await closeQuietly(machine.files, descriptor);
      return { kind: 'busy' };
    }
    descriptor = locked;
    const status = await machine.files.fstat(descriptor);
    if (!areNamesOurs) await refreshNames(machine.files, directory);
    if (await leadsTo(machine, path, status)) {
      const { inode, device, kind: fileKind, size } = status;
      return { kind: 'taken', directory, name, descriptor, fileKind, inode, device, bytes: size };
    }
  } catch (error) {
    await closeQuietly(machine.files, descriptor);
    if (hasErrno(error, 'ENOENT', 'ESTALE')) return { kind: 'gone' };
    throw error;
  }
  await closeQuietly(machine.files, descriptor);
  return { kind: 'gone' };
}

/** Gives it back as it is. */
export async function letGo({ files, locks }: Machine, { descriptor }: Taken): Promise<void> {
  try {
    // A command that has gone on without us may have it open still, and is not to keep it.
    await locks.unlock(descriptor);
  } catch (error) {
    if (!hasErrno(error, 'ESTALE', 'EBADF')) throw error;
  } finally {
    await closeQuietly(files, descriptor);
  }
}

/** Undefined when another has it. Where locks are kept by a server, exclusive ones need a file that is open for writing. */
async function lockOpen(
  { files, locks }: Machine,
  path: string,
  descriptor: Descriptor,
): Promise<Descriptor | undefined> {
  try {
    return (await locks.tryLock(descriptor, 'exclusive')) ? descriptor : undefined;
  } catch (error) {
    if (!hasErrno(error, 'EBADF')) throw error;
  }
  const writable = await files.open(path, 'lock-present');
  try {
    if (await locks.tryLock(writable, 'exclusive')) {
      await closeQuietly(files, descriptor);
      return writable;
    }
  } catch (error) {
    await closeQuietly(files, writable);
    throw error;
  }
  await closeQuietly(files, writable);
  return undefined;
}

async function leadsTo({ files }: Machine, path: string, own: Identity): Promise<boolean> {
  try {
    return isSameFile(await files.stat(path), own);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESTALE')) return false;
    throw error;
  }
}

type Identity = Pick<FileStatus, 'inode' | 'device'>;

export function isSameFile(one: Identity, other: Identity): boolean {
  return one.inode === other.inode && one.device === other.device;
}

function notOpened({ kind }: DirectoryEntry, error: unknown): NotTaken {
  if (hasErrno(error, 'ENOENT') && kind === 'link') {
    return { kind: 'unreadable', message: LINK_TO_NOTHING };
  }
  if (hasErrno(error, 'ENOENT', 'ESTALE')) return { kind: 'gone' };
  if (hasErrno(error, 'EACCES', 'EPERM', 'ELOOP', 'ENXIO', 'EIO')) {
    return { kind: 'unreadable', message: reasonOf(error) };
  }
  throw error;
}
