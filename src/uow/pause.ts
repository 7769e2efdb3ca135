/** A root is paused as long as a file `paused` is in it: `touch` and `rm` do as well. */

import { unlinkIfThere } from '../os/if-there.ts';
import type { Machine } from '../os/ports.ts';
import { pausedPath, type Root } from './root.ts';
import { isThere } from './unit-files.ts';

export async function isPaused({ files }: Machine, root: Root): Promise<boolean> {
  return isThere(files, pausedPath(root));
}

export async function pause({ files }: Machine, root: Root): Promise<void> {
  await files.close(await files.open(pausedPath(root), 'append'));
}

/** Returns whether it was paused. */
export function resume(machine: Machine, root: Root): Promise<boolean> {
  return unlinkIfThere(machine, pausedPath(root));
}
