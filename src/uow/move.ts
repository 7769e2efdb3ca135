/**
 * Moving a file from one place to another without ever replacing one that is there.
 *
 * rename(2) would replace what somebody has put there under that name a moment ago. So the file gets its second name by
 * link(2), which refuses a name that is taken, and then loses its first one:
 *
 * | step                          | a crash here leaves                                                 |
 * |-------------------------------|---------------------------------------------------------------------|
 * | link into the new place       | the file under both names; recover.ts takes the first one away      |
 * | fsync of the new place        | the same                                                            |
 * | unlink from the old place     | the file under both, or in its new place                            |
 * | fsync of the old place        | the file in its new place                                           |
 */

import { encodeBytes } from '../os/bytes.ts';
import { unlinkIfThere } from '../os/if-there.ts';
import { hasErrno, type Machine } from '../os/ports.ts';
import { syncDirectory } from '../queue/publish.ts';
import { join } from './root.ts';
import { isThere } from './unit-files.ts';

/** Returns its new path; undefined when it was not there any more. */
export async function moveFile(
  machine: Machine,
  from: { readonly directory: string; readonly name: string },
  directory: string,
  name = from.name,
): Promise<string | undefined> {
  const source = join(from.directory, from.name);
  const target = await linkFree(machine, source, directory, name);
  if (target === undefined) return undefined;
  await syncDirectory(machine.files, directory, target);
  await unlinkIfThere(machine, source);
  await syncDirectory(machine.files, from.directory, source);
  return target;
}

/**
 * Gives a file another name, or one like it that is free; one that it has there already, of an attempt that failed behind
 * this, will do. Undefined when the file is not there.
 */
export async function linkFree(
  machine: Machine,
  source: string,
  directory: string,
  name: string,
): Promise<string | undefined> {
  const { files } = machine;
  const own = await inodeOf(machine, source);
  for (let number = 0; ; number++) {
    const target = join(directory, number === 0 ? name : `${name}.${number}`);
    if (await isThere(files, target)) {
      if (own !== undefined && (await inodeOf(machine, target)) === own) return target;
      continue;
    }
    try {
      await linkOrRename(machine, source, target);
      return target;
    } catch (error) {
      if (hasErrno(error, 'EEXIST')) continue; // somebody was faster
      if (hasErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  }
}

/**
 * On a file system without links, or of a file of somebody else's (fs.protected_hardlinks), it has to be a rename, and the
 * moment since we looked for a free name is what is left of the danger.
 */
async function linkOrRename({ files }: Machine, source: string, target: string): Promise<void> {
  try {
    await files.link(source, target);
  } catch (error) {
    if (!hasErrno(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK')) throw error;
    await files.rename(source, target);
  }
}

/** Undefined when it leads nowhere. */
export async function inodeOf({ files }: Machine, path: string): Promise<bigint | undefined> {
  try {
    return (await files.stat(path)).inode;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** A name that is short enough to get a suffix. */
export function shortened(name: string, limitBytes: number): string {
  let short = name;
  while (encodeBytes(short).length > limitBytes) short = Array.from(short).slice(0, -1).join('');
  return short;
}
