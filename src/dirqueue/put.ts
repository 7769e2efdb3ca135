/**
 * Giving a file a further name, by link(2): of those who want one name, one gets it, on NFS too.
 *
 * The answer can get lost, and a link that was made be told as failed:
 *
 *     we                                   server
 *     look up the new name: not there
 *     link                                 done; the reply gets lost
 *     ask again                            EEXIST
 *     look up the new name                 not asked: this host believes what it has just seen
 *
 * So the names are asked for anew, and if the new one is our file, it was done. (The original looks at the link count of
 * its temporary file for the same reason.)
 */

import { hasErrno, type Machine } from '../os/ports.ts';
import { notDurable } from '../queue/publish.ts';
import { refreshNames } from '../queue/refresh-names.ts';
import { isGone } from './layout.ts';

/** False when another file has that name. Throws `not-durable` when nobody can tell whether it was done. */
export async function putLink(
  { files }: Machine,
  file: { readonly path: string; readonly inode: bigint },
  target: string,
): Promise<boolean> {
  try {
    await files.link(file.path, target);
    return true;
  } catch (error) {
    const found = await inodeNow(files, target, error);
    if (found === file.inode) return true;
    // Whoever had it may have given it up by now.
    if (hasErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

async function inodeNow(files: Machine['files'], path: string, cause: unknown): Promise<bigint | undefined> {
  try {
    await refreshNames(files, path.slice(0, path.lastIndexOf('/')));
    return (await files.stat(path)).inode;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw notDurable(path, cause);
  }
}
