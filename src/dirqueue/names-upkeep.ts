/**
 * Names that nobody needs any more, and what adders have left that did not get theirs.
 *
 * Whoever removes names has the flock of their directory, and looks whether each is still what was found:
 *
 *     gc                         another gc                 an adder
 *     finds names/KEY, old       finds it too
 *                                removes it
 *                                                           makes a new one
 *     its time is another one: it stays
 */

import { acquireLock } from '../os/acquire-lock.ts';
import { closeQuietly } from '../os/close-quietly.ts';
import type { Machine } from '../os/ports.ts';
import { QueueError } from '../queue/errors.ts';
import type { Garbage } from '../queue/keeper.ts';
import { fromMetadata } from './control-file.ts';
import { placeIn } from './data-file.ts';
import { idOfPlace } from './job-id.ts';
import { isSameFile, ownRoom, unlinkIfThere } from './layout.ts';
import { namePath } from './names.ts';
import { fileAt, filesIn, type SeenFile } from './seen-files.ts';
import { readControl } from './take.ts';

const LOCK_WAIT_MS = 10_000;

/** The job that has the name with that path. */
export async function namedAt(machine: Machine, path: string): Promise<string | undefined> {
  const control = await readControl(machine, path);
  const place = control === undefined || 'damage' in control ? undefined : placeIn(control.dataFile);
  return place && idOfPlace(place);
}

/** Control files of jobs that have not got the name under which they were to be added. */
export async function nameless(machine: Machine, queue: string): Promise<SeenFile[]> {
  const found: SeenFile[] = [];
  for (const file of await filesIn(machine, ownRoom(queue, 'adding'))) {
    const control = await readControl(machine, file.path);
    if (control === undefined) continue;
    const name = 'damage' in control ? undefined : fromMetadata(control.metadata).name;
    const hasIt = name !== undefined && (await isSameFile(machine, file.path, namePath(queue, name)));
    if (!hasIt) found.push(file);
  }
  return found;
}

/** Returns those that are gone now. */
export async function forgetNames(
  machine: Machine,
  queue: string,
  names: readonly Garbage[],
): Promise<Garbage[]> {
  if (names.length === 0) return [];
  const { files, locks } = machine;
  const directory = ownRoom(queue, 'names');
  const lock = await files.open(directory, 'directory');
  const gone: Garbage[] = [];
  try {
    if (!(await acquireLock(machine, lock, 'exclusive', LOCK_WAIT_MS))) {
      throw new QueueError('locked', `${directory}: another process has held this lock`);
    }
    for (const one of names) {
      const now = await fileAt(machine, one.path);
      if (now?.changedMs === one.changedMs && (await unlinkIfThere(machine, one.path))) gone.push(one);
    }
    await locks.unlock(lock);
  } finally {
    await closeQuietly(files, lock);
  }
  return gone;
}
