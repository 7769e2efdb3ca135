import { closeQuietly } from '../os/close-quietly.ts';
import { hasErrno, type Machine } from '../os/ports.ts';
import type { NoteKind } from './notes.ts';
import { join, type Place } from './place.ts';

/**
 * What we keep beside the format's directories. `log`: what became of runs. `names`, `pushed`: what was added once;
 * `adding`: what is about to be, see names.ts. `running`: what scanners have in hand.
 */
export type OwnKind = NoteKind | 'log' | 'names' | 'pushed' | 'adding' | 'running';

/** A directory of ours in a queue, made when it is not there, with the mode of the queue. Returns its path. */
export async function ownDirectory(machine: Machine, place: Place, kind: OwnKind): Promise<string> {
  const path = join(place.own, kind);
  if (await isThere(machine, path)) return path;
  for (const directory of [place.own, path]) await makeLike(machine, directory, place.waiting);
  return path;
}

async function makeLike({ files }: Machine, path: string, model: string): Promise<void> {
  try {
    await files.mkdir(path);
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return;
    throw error;
  }
  const { mode } = await files.stat(model);
  const descriptor = await files.open(path, 'directory');
  try {
    await files.fchmod(descriptor, mode);
  } finally {
    await closeQuietly(files, descriptor);
  }
}

async function isThere({ files }: Machine, path: string): Promise<boolean> {
  try {
    return (await files.stat(path)).kind === 'directory';
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
