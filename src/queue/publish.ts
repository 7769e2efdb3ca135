/**
 * How a file comes to be in a queue: whole, and to stay.
 *
 * | step               | what is there after it          | a crash here leaves                        |
 * |--------------------|---------------------------------|--------------------------------------------|
 * | create temporary   | an empty file nobody looks at   | litter under a temporary name              |
 * | write              | part of the content             | the same                                   |
 * | check size         |                                 | the same                                   |
 * | fsync of the file  | all of the content, on disk     | the same                                   |
 * | rename             | the file, under its own name    | after a power cut: either name, whole      |
 * | fsync of directory | the file, for good              | the file                                   |
 *
 * Only then has the caller been promised anything. Level `crash-safe` leaves out both fsyncs: the file survives
 * the death of any process, but not a power cut.
 */

import { closeQuietly } from '../os/close-quietly.ts';
import { type Descriptor, type Files, hasErrno } from '../os/ports.ts';
import { QueueError, reasonOf } from './errors.ts';
import { refreshNames } from './refresh-names.ts';

export type Durability = 'power-safe' | 'crash-safe';

export type Publication = {
  readonly directory: string;
  /** A name in `directory` that no other process will choose. */
  readonly temporaryName: string;
  /** Asked for when the content is written. */
  readonly name: string | (() => string);
  readonly durability: Durability;
  /** Writes the content and returns how many bytes it was. */
  readonly write: (target: Descriptor) => Promise<number>;
};

export type Published = {
  readonly path: string;
  /** What is known of its name surviving a power cut; `unasked` at level crash-safe. */
  readonly nameSync: DirectorySync | 'unasked';
  /** Bytes. */
  readonly size: number;
};

/**
 * Puts a new file into a directory. Throws when it could not, and has then removed the temporary file; throws
 * `not-durable` when the file is there but the disk did not confirm it.
 */
export async function publish(files: Files, publication: Publication): Promise<Published> {
  const { directory, durability } = publication;
  const temporary = `${directory}/${publication.temporaryName}`;
  const size = await writeTemporary(files, temporary, publication);
  const name = typeof publication.name === 'string' ? publication.name : publication.name();
  const path = `${directory}/${name}`;
  await putInPlace(files, directory, temporary, path);
  const synced = durability === 'power-safe' ? await syncDirectory(files, directory, path) : 'unasked';
  return { path, nameSync: synced, size };
}

/** Gives a file that is whole its name. Throws `not-durable` when nobody can tell whether it has it. */
export async function putInPlace(
  files: Files,
  directory: string,
  temporary: string,
  path: string,
): Promise<void> {
  try {
    await files.rename(temporary, path);
  } catch (error) {
    if (!(await wasRenamed(files, directory, temporary, path))) throw error;
  }
}

async function writeTemporary(files: Files, temporary: string, publication: Publication): Promise<number> {
  const target = await files.open(temporary, 'create');
  try {
    return await fill(files, target, temporary, publication);
  } catch (error) {
    await unlinkQuietly(files, temporary);
    throw error;
  }
}

async function fill(
  files: Files,
  target: Descriptor,
  temporary: string,
  publication: Publication,
): Promise<number> {
  try {
    const written = await publication.write(target);
    const { size } = await files.fstat(target);
    if (size !== written) {
      throw new QueueError(
        'not-written',
        `${temporary}: ${written} bytes were written, but ${size} are there`,
      );
    }
    if (publication.durability === 'power-safe') await files.fsync(target);
    return size;
  } finally {
    await files.close(target);
  }
}

/**
 * `synced`: the disk confirmed it. `unsupported`: the file system has no such call and keeps names in its own
 * way. `not-permitted`: we may write into the directory but not open it, so nobody was asked.
 */
export type DirectorySync = 'synced' | 'unsupported' | 'not-permitted';

/**
 * Makes the names in a directory survive a power cut. `changed` is the path to name when the disk refuses, which
 * is a `not-durable` error.
 */
export async function syncDirectory(
  files: Files,
  directory: string,
  changed: string,
): Promise<DirectorySync> {
  let descriptor: Descriptor;
  try {
    descriptor = await files.open(directory, 'directory');
  } catch (error) {
    if (hasErrno(error, 'EACCES')) return 'not-permitted';
    throw notDurable(changed, error);
  }
  try {
    return await syncOpenDirectory(files, descriptor, changed);
  } finally {
    await closeQuietly(files, descriptor);
  }
}

/** The same for a directory that is open. */
export async function syncOpenDirectory(
  files: Files,
  directory: Descriptor,
  changed: string,
): Promise<DirectorySync> {
  try {
    await files.fsync(directory);
    return 'synced';
  } catch (error) {
    if (hasErrno(error, 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) return 'unsupported';
    throw notDurable(changed, error);
  }
}

/** For whoever could not even ask the disk. */
export function notDurable(changed: string, cause: unknown): QueueError {
  const message = `${changed}: the disk did not confirm it: ${reasonOf(cause)}`;
  return new QueueError('not-durable', message, { cause });
}

/**
 * Whether a rename that reported failure was done all the same: over a network it is the reply that can get lost.
 *
 *     we                                   server
 *     look up the new name: not there
 *     rename                               done; the reply gets lost
 *     ask again                            nothing to rename: ENOENT
 *     look up the new name                 not asked: this host believes what it has just seen
 *
 * So first the temporary file is removed: when that succeeds, nothing was renamed, nor will be. When it does not, the
 * names are asked for anew. Both names are our own, so nobody else has changed them.
 */
async function wasRenamed(
  files: Files,
  directory: string,
  temporary: string,
  path: string,
): Promise<boolean> {
  try {
    await files.unlink(temporary);
    return false;
  } catch {
    // It is gone, or cannot be removed: where the file is now, its new name tells.
  }
  try {
    await refreshNames(files, directory);
    await files.stat(path);
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false;
    throw notDurable(path, error);
  }
}

/** For cleaning up while another error is on its way out, which is the one to tell. */
async function unlinkQuietly(files: Files, path: string): Promise<void> {
  try {
    await files.unlink(path);
  } catch {
    // The temporary name stays; nobody takes it for a job, and `repair` removes it.
  }
}
