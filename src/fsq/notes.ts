/**
 * What our workers know of items that wait, and the format has no place for: empty files in `intray/held/`; files in
 * `intray/until/` with the time (milliseconds since 1970) before which an item is not to start; and files in `intray/died/`
 * with how many scanners have died while they ran it. Each has the name of its item. Those of the original know nothing of
 * them, and start such items.
 *
 * A note is written before the item has its name, and removed when it is over: what a crash leaves is a note too many,
 * which `gc` removes. A power cut may take a note away; then the item starts early.
 */

import { decodeBytes, encodeBytes } from '../os/bytes.ts';
import { hasErrno, type Machine } from '../os/ports.ts';
import { readSmallFile } from '../os/transfer.ts';
import { ownDirectory } from './own-directory.ts';
import { join, type Place } from './place.ts';

export const NOTE_KINDS = ['held', 'until', 'died'] as const;
export type NoteKind = (typeof NOTE_KINDS)[number];

const LIMIT_BYTES = 64;

export function notePath({ own }: Place, kind: NoteKind, name: string): string {
  return join(join(own, kind), name);
}

export async function waitUntil(machine: Machine, place: Place, name: string, ms: number): Promise<void> {
  await write(machine, place, 'until', name, `${Math.max(0, Math.ceil(ms))}\n`);
}

export async function hold(machine: Machine, place: Place, name: string): Promise<void> {
  await write(machine, place, 'held', name, '');
}

export async function countDeath(machine: Machine, place: Place, name: string): Promise<void> {
  await write(machine, place, 'died', name, `${(await deathsOf(machine, place, name)) + 1}\n`);
}

/** Returns whether there was one. */
export async function removeNote(
  { files }: Machine,
  place: Place,
  kind: NoteKind,
  name: string,
): Promise<boolean> {
  try {
    await files.unlink(notePath(place, kind, name));
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

/** The names that have notes of this kind. */
export async function notedNames({ files }: Machine, place: Place, kind: NoteKind): Promise<string[]> {
  try {
    return (await files.readdir(join(place.own, kind))).map(({ name }) => name);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

/** When it may start; 0: now. */
export function untilOf(machine: Machine, place: Place, name: string): Promise<number> {
  return numberIn(machine, notePath(place, 'until', name));
}

/** How many of its starts in a row ended with the death of their scanners. */
export function deathsOf(machine: Machine, place: Place, name: string): Promise<number> {
  return numberIn(machine, notePath(place, 'died', name));
}

async function numberIn({ files }: Machine, path: string): Promise<number> {
  try {
    const text = decodeBytes(await readSmallFile(files, path, LIMIT_BYTES));
    // One that is still being written has no end yet.
    return /^\d{1,15}\n$/.test(text) ? Number(text) : 0;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR') || error instanceof RangeError) return 0;
    throw error;
  }
}

/** All notes of a queue, as they are now. */
export type Notes = {
  readonly held: ReadonlySet<string>;
  readonly until: ReadonlyMap<string, number>;
  readonly died: ReadonlySet<string>;
};

export async function readNotes(machine: Machine, place: Place): Promise<Notes> {
  const until = new Map<string, number>();
  for (const name of await notedNames(machine, place, 'until')) {
    until.set(name, await untilOf(machine, place, name));
  }
  const [held, died] = [await notedNames(machine, place, 'held'), await notedNames(machine, place, 'died')];
  return { held: new Set(held), until, died: new Set(died) };
}

async function write(
  machine: Machine,
  place: Place,
  kind: NoteKind,
  name: string,
  text: string,
): Promise<void> {
  const { files } = machine;
  await ownDirectory(machine, place, kind);
  const descriptor = await files.open(notePath(place, kind, name), 'truncate');
  try {
    await files.write(descriptor, encodeBytes(text));
  } finally {
    await files.close(descriptor);
  }
}
