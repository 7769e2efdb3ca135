/**
 * Putting an item that we have into other queues too, or into those of hosts. It keeps its name, so that whoever was
 * interrupted can begin again: a queue that has the item, waiting, done or failed, is left as it is.
 *
 * By hard link all share one file: nothing is copied, but it has one lock, so only one of them can run it at a time.
 */

import { type Descriptor, hasErrno, type Machine } from '../os/ports.ts';
import { copyAll } from '../os/transfer.ts';
import { QueueError } from '../queue/errors.ts';
import { syncDirectory } from '../queue/publish.ts';
import type { Constants } from './constants.ts';
import { join, type Place } from './place.ts';
import { writeTemporary } from './write-file.ts';

export type Source = {
  readonly name: string;
  /** Where it is now. */
  readonly path: string;
};

/** Returns how many of the queues did not have it. */
export async function reenqueue(
  machine: Machine,
  source: Source,
  targets: readonly Place[],
  constants: Constants,
  how: 'copy' | 'link',
): Promise<number> {
  let added = 0;
  for (const target of targets) {
    if (await isKnown(machine, target, source.name)) continue;
    if (how === 'link') await addLink(machine, source.path, join(target.waiting, source.name));
    else await addCopy(machine, source, target, constants);
    await syncDirectory(machine.files, target.waiting, target.waiting);
    added += 1;
  }
  return added;
}

/** Whether a queue has, or had, an item of that name. In the order in which items move, so that none slips by. */
export async function isKnown({ files }: Machine, place: Place, name: string): Promise<boolean> {
  for (const room of [place.waiting, place.done, place.fail]) {
    if (await files.exists(join(room, name))) return true;
  }
  return false;
}

async function addCopy(
  machine: Machine,
  { name, path }: Source,
  target: Place,
  constants: Constants,
): Promise<void> {
  const { files } = machine;
  const source = await files.open(path, 'read-job');
  try {
    const temporary = join(target.tmp, `.${machine.random.uuid()}`);
    const write = (to: Descriptor) => copyAll(files, source, to);
    await writeTemporary(machine, temporary, constants, write);
    try {
      await addLink(machine, temporary, join(target.waiting, name));
    } finally {
      await files.unlink(temporary);
    }
  } finally {
    await files.close(source);
  }
}

async function addLink({ files }: Machine, from: string, to: string): Promise<void> {
  try {
    await files.link(from, to);
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return; // somebody was faster, with the same item
    if (!hasErrno(error, 'EXDEV')) throw error;
    throw new QueueError(
      'not-possible',
      `${to}: it is on another file system than ${from}, and cannot be a link`,
      {
        cause: error,
      },
    );
  }
}
