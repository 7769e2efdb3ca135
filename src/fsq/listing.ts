/** What waits in a queue, by the names alone. */

import { type DirectoryEntry, hasErrno, type Machine } from '../os/ports.ts';
import { QueueError } from '../queue/errors.ts';
import type { Constants } from './constants.ts';
import { byAge, deconstruct, type Item, type Malformed } from './item-name.ts';
import { join, NO_QUEUE_HINT, type Place } from './place.ts';

export const LINK_TO_NOTHING = 'it is a link to nothing';

export type Listed = { readonly entry: DirectoryEntry; readonly item: Item };

export type WaitingList = {
  /** Oldest first. */
  readonly items: readonly Listed[];
  /** No item's name, or none of a file. */
  readonly malformed: readonly (Malformed & { readonly entry: DirectoryEntry })[];
};

export async function listItems(
  machine: Machine,
  directory: string,
  constants: Constants,
): Promise<WaitingList> {
  const items: Listed[] = [];
  const malformed: (Malformed & { readonly entry: DirectoryEntry })[] = [];
  for (const entry of await machine.files.readdir(directory)) {
    const item = whatIs(entry, constants, machine);
    if (item.kind === 'item') items.push({ entry, item });
    else malformed.push({ ...item, entry });
  }
  items.sort((a, b) => byAge(a.item, b.item));
  malformed.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { items, malformed };
}

function whatIs(entry: DirectoryEntry, constants: Constants, { clock }: Machine): Item | Malformed {
  const { name, kind } = entry;
  if (kind !== 'file' && kind !== 'link' && kind !== 'unknown') {
    return { kind: 'malformed', name, message: `it is a ${kind}, not a file` };
  }
  return deconstruct(name, constants, clock);
}

/** What is named like an item and is no file: a link that leads nowhere. */
export async function brokenLinks(
  { files }: Machine,
  directory: string,
  { items }: WaitingList,
): Promise<string[]> {
  const broken: string[] = [];
  for (const { entry } of items) {
    if (entry.kind !== 'link') continue;
    try {
      await files.stat(join(directory, entry.name));
    } catch (error) {
      if (!hasErrno(error, 'ENOENT', 'ELOOP', 'EACCES')) throw error;
      broken.push(entry.name);
    }
  }
  return broken;
}

/** The same of a queue that may have gone meanwhile. Throws `not-a-queue`. */
export async function listWaiting(
  machine: Machine,
  place: Place,
  constants: Constants,
): Promise<WaitingList> {
  try {
    return await listItems(machine, place.waiting, constants);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw new QueueError('not-a-queue', `${place.waiting}: there is no such directory any more`, {
      cause: error,
      hint: NO_QUEUE_HINT,
    });
  }
}

/** Whether there may be something to do. Throws `not-a-queue`. */
export async function stirs(machine: Machine, place: Place): Promise<boolean> {
  try {
    return (await machine.files.readdir(place.waiting)).length > 0;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
