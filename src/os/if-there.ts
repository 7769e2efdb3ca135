/** Files that others may take away at any moment: that something is gone is an answer here, not an error. */

import { type DirectoryEntry, type Files, hasErrno, type Step } from './ports.ts';

type HasFiles = { readonly files: Files };

/** Whether this error says that there is nothing of that name, or not any more. */
export function isGone(error: unknown): boolean {
  return hasErrno(error, 'ENOENT', 'ENOTDIR', 'ESTALE');
}

/** What `look` finds, or `otherwise` when the thing is not there. */
export async function ifThere<T>(look: () => Step<T>, otherwise: T): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (isGone(error)) return otherwise;
    throw error;
  }
}

/** Follows symbolic links. */
export function isThere({ files }: HasFiles, path: string): Promise<boolean> {
  return ifThere(() => files.exists(path), false);
}

/** What is in a directory; nothing when it is not there. */
export function entriesOf({ files }: HasFiles, path: string): Promise<readonly DirectoryEntry[]> {
  return ifThere<readonly DirectoryEntry[]>(() => files.readdir(path), []);
}

/** Bytes; undefined when it is not there. */
export function sizeOf({ files }: HasFiles, path: string): Promise<number | undefined> {
  return ifThere<number | undefined>(async () => (await files.stat(path)).size, undefined);
}

/** False when there is nothing of that name. */
export function unlinkIfThere({ files }: HasFiles, path: string): Promise<boolean> {
  return ifThere(async () => {
    await files.unlink(path);
    return true;
  }, false);
}
