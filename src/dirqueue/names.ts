/**
 * Jobs that their adders have named: a second one of the same name is not added, also when the first is over.
 *
 * | step                                            | a crash here leaves                                         |
 * |-------------------------------------------------|-------------------------------------------------------------|
 * | the data file, and the control file as          | litter                                                      |
 * | adding/ID; fsync of both and of their names     |                                                             |
 * | adding/ID linked to names/KEY: of several       | a name with a job that is not in the queue: the next adder  |
 * | adders of one name one is the first             | of that name goes on from here, with these files            |
 * | fsync of names/                                 | the same                                                    |
 * | adding/ID renamed into queue/, or later/        | the job; after a power cut perhaps the same as before       |
 * | fsync of queue/                                 | the job                                                     |
 * | (later) the job is over, whoever ran it         | names/KEY, which is kept until gc                           |
 *
 * names/KEY says which job has the name: it is its control file, by one more name. adding/ID says that this job has never
 * been in the queue. Only a rename takes it away, and of several one is made:
 *
 *     A                             B, the same name                     a worker, of the original perhaps
 *     links adding/1 to names/KEY
 *                                   names/KEY is job 1, adding/1 is there
 *                                   renames adding/1 to queue/1
 *                                                                        runs it, unlinks queue/1
 *     renames adding/1: not there,
 *     so job 1 has been added       (with a link instead it would run again)
 *
 * So workers know nothing of names. Where a power cut has left a rename half done, the file is under both names: one whose
 * data are gone has been run by then.
 */

import type { Machine } from '../os/ports.ts';
import { QueueError } from '../queue/errors.ts';
import { asShortFileName } from '../queue/file-name.ts';
import { refreshNames } from '../queue/refresh-names.ts';
import { type Control, fromMetadata } from './control-file.ts';
import { dataPath, placeIn } from './data-file.ts';
import { dataPlaceOf, idOfPlace } from './job-id.ts';
import { isSameFile, isThere, join, ownRoom, unlinkForSure } from './layout.ts';
import type { TmpFile } from './new-files.ts';
import { putLink } from './put.ts';
import { readControl } from './take.ts';

/** Of a longer name the key has the beginning, and a number made from all of it. */
const KEY_LIMIT = 150;

export type NamedJob = {
  readonly id: string;
  /** It has not been in the queue yet. */
  readonly isPending: boolean;
};

export function namePath(queue: string, name: string): string {
  return join(ownRoom(queue, 'names'), asShortFileName(name, KEY_LIMIT));
}

/** Where the control file of a job with a name is until it is in the queue. */
export function pendingPath(queue: string, id: string): string {
  return join(ownRoom(queue, 'adding'), id);
}

/** The job that has that name; undefined when none has. */
export async function findNamed(
  machine: Machine,
  queue: string,
  name: string,
): Promise<NamedJob | undefined> {
  const path = namePath(queue, name);
  if (!(await isThere(machine, ownRoom(queue, 'names')))) return undefined;
  const control = await readControl(machine, path);
  if (control === undefined) return undefined;
  const id = 'damage' in control ? undefined : namedIn(control, name);
  if (id === undefined) {
    const hint = 'Remove the file: then the name is free, and its job, if it is there, may be added again.';
    throw new QueueError('not-written', `${path}: it does not say which job has the name`, { hint });
  }
  // Looked at after the name: it was there before that.
  await refreshNames(machine.files, ownRoom(queue, 'adding'));
  return { id, isPending: await isThere(machine, pendingPath(queue, id)) };
}

function namedIn(control: Control, name: string): string | undefined {
  const place = placeIn(control.dataFile);
  return place === undefined || fromMetadata(control.metadata).name !== name ? undefined : idOfPlace(place);
}

/** False when another job has it. */
export function takeName(machine: Machine, queue: string, name: string, control: TmpFile): Promise<boolean> {
  return putLink(machine, control, namePath(queue, name));
}

/** Puts a job that has its name into the queue, unless somebody else has done so. */
export async function enter(machine: Machine, queue: string, id: string, target: string): Promise<void> {
  const pending = pendingPath(queue, id);
  try {
    await machine.files.rename(pending, target);
  } catch (error) {
    await refreshNames(machine.files, ownRoom(queue, 'adding'));
    if (await isThere(machine, pending)) throw error;
  }
}

/** The same for one that somebody has left. */
export async function enterForAnother(
  machine: Machine,
  queue: string,
  id: string,
  target: string,
): Promise<void> {
  const pending = pendingPath(queue, id);
  const isUnderBoth = await isSameFile(machine, pending, target);
  if (isUnderBoth || !(await isThere(machine, dataPath(queue, dataPlaceOf(id))))) {
    await unlinkForSure(machine, pending);
  } else await enter(machine, queue, id, target);
}
