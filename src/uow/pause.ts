/** A root is paused as long as a file `paused` is in it: `touch` and `rm` do as well. */

import { hasErrno, type Machine } from '../os/ports.ts';
import { pausedPath, type Root } from './root.ts';
import { isThere } from './unit-files.ts';

export async function isPaused({ files }: Machine, root: Root): Promise<boolean> {
  return isThere(files, pausedPath(root));
}

export async function pause({ files }: Machine, root: Root): Promise<void> {
  await files.close(await files.open(pausedPath(root), 'append'));
}

/** Returns whether it was paused. */
export async function resume({ files }: Machine, root: Root): Promise<boolean> {
  try {
    await files.unlink(pausedPath(root));
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false;
    throw error;
  }
}
