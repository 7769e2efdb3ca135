/** Single items of a queue, for whoever says what is to become of them: `fsq done`, `fail`, `retry`. */

import { hasErrno, type Machine } from '../os/ports.ts';
import { QueueError } from '../queue/errors.ts';
import { SharedSync } from '../queue/shared-sync.ts';
import { withTries } from './item-name.ts';
import { NOTE_KINDS, removeNote } from './notes.ts';
import { join, type Place } from './place.ts';
import { move } from './settle.ts';
import { letGo, type Taken, take } from './take.ts';

export type Room = 'waiting' | 'done' | 'fail';

/** What became of it: `gone` when no such item is there, `busy` when it runs. */
export type ItemMoved =
  | { readonly kind: 'moved'; readonly path: string }
  | { readonly kind: 'gone' | 'busy' };

/** Moves an item from one of these rooms to another. One that waits again has as many tries as it says. */
export async function moveItem(
  machine: Machine,
  place: Place,
  name: string,
  from: readonly Room[],
  to: Room,
  tries?: number,
): Promise<ItemMoved> {
  for (const room of from) {
    const taken = await take(machine, place[room], { name, kind: 'file' });
    if (taken.kind === 'gone') continue;
    if (taken.kind === 'busy') return { kind: 'busy' };
    if (taken.kind === 'unreadable') {
      throw new QueueError('not-possible', `${join(place[room], name)}: ${taken.message}`);
    }
    return moveTaken(machine, place, taken, to, tries);
  }
  return { kind: 'gone' };
}

async function moveTaken(
  machine: Machine,
  place: Place,
  taken: Taken,
  to: Room,
  tries: number | undefined,
): Promise<ItemMoved> {
  const sync = new SharedSync(machine.files);
  try {
    const name = (tries === undefined ? undefined : withTries(taken.name, tries)) ?? taken.name;
    const { settled, path } = await move({ machine, place, sync }, taken, place[to], name);
    if (settled === 'lost') return { kind: 'gone' };
    for (const kind of NOTE_KINDS) await removeNote(machine, place, kind, taken.name);
    return { kind: 'moved', path };
  } finally {
    await letGo(machine, taken);
    await sync.close();
  }
}

/** Removes an item; false when it is not there. Throws `job-running`. */
export async function removeItem(machine: Machine, directory: string, name: string): Promise<boolean> {
  const taken = await take(machine, directory, { name, kind: 'file' });
  if (taken.kind === 'busy') throw new QueueError('job-running', `${join(directory, name)}: it is running`);
  try {
    await machine.files.unlink(join(directory, name));
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false;
    throw error;
  } finally {
    if (taken.kind === 'taken') await letGo(machine, taken);
  }
}
