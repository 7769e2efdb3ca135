/**
 * What our scanners have in hand, so that starts whose scanner died are counted. A lock says nothing any more when its holder
 * is gone, and in an item's name a scanner of the original would take such a start for a try. So each scanner has a file
 * `intray/running/SCANNER`, whose flock it holds as long as it lives, with a slot of 256 bytes for each item that it has at
 * once: the item's name, or a NUL where the slot is free.
 *
 * | step, for a file whose flock is free | a crash here leaves                        |
 * |--------------------------------------|--------------------------------------------|
 * | each item named in it that waits: a note in `intray/died/`, a line in its log | some, which will be counted twice |
 * | the file is removed                  | the starts, counted                        |
 *
 * Nothing of it is synced: after a power cut a start may not be counted. Where nothing can be written none is.
 */

import { decodeBytes, encodeBytes } from '../os/bytes.ts';
import { formatMs } from '../os/calendar.ts';
import { closeQuietly } from '../os/close-quietly.ts';
import { entriesOf, ifThere, isThere, unlinkIfThere } from '../os/if-there.ts';
import { type Descriptor, hasErrno, type Machine } from '../os/ports.ts';
import { readSmallFile } from '../os/transfer.ts';
import type { Constants } from './constants.ts';
import { deconstruct } from './item-name.ts';
import { countDeath } from './notes.ts';
import { ownDirectory } from './own-directory.ts';
import { join, type Place } from './place.ts';
import { noteRun, nowMs, workerName } from './run-notes.ts';

/** The longest name, and a NUL. */
const SLOT_BYTES = 256;
/** More items than this nobody has at once. */
const LIMIT_BYTES = 16_384 * SLOT_BYTES;

/** Of one scanner; its file is made with the first item. */
export class InHand {
  readonly #machine: Machine;
  readonly #place: Place;
  readonly #used = new Set<number>();
  #file: Promise<{ readonly path: string; readonly descriptor: Descriptor } | undefined> | undefined;

  constructor(machine: Machine, place: Place) {
    this.#machine = machine;
    this.#place = place;
  }

  /** Notes that an item is about to be run; returns its slot. */
  async take(name: string): Promise<number> {
    let slot = 0;
    while (this.#used.has(slot)) slot += 1;
    this.#used.add(slot);
    const bytes = new Uint8Array(SLOT_BYTES);
    bytes.set(encodeBytes(name).subarray(0, SLOT_BYTES));
    await this.#write(bytes, slot);
    return slot;
  }

  /** It runs no more. */
  async putDown(slot: number): Promise<void> {
    await this.#write(Uint8Array.of(0), slot);
    this.#used.delete(slot);
  }

  async end(): Promise<void> {
    const file = await this.#file;
    this.#file = undefined;
    if (file === undefined) return;
    try {
      await unlinkIfThere(this.#machine, file.path);
    } finally {
      await closeQuietly(this.#machine.files, file.descriptor);
    }
  }

  async #write(bytes: Uint8Array, slot: number): Promise<void> {
    try {
      this.#file ??= this.#make();
      const file = await this.#file;
      if (file !== undefined) {
        await this.#machine.files.writeAt(file.descriptor, bytes, slot * SLOT_BYTES);
      }
    } catch (error) {
      if (!cannotWrite(error)) throw error;
    }
  }

  async #make() {
    const { files, locks, random } = this.#machine;
    const name = `${workerName(this.#machine)}.${random.uuid().slice(0, 8)}`.replaceAll('/', '_');
    try {
      const path = join(await ownDirectory(this.#machine, this.#place, 'running'), name);
      const descriptor = await files.open(path, 'create');
      // Should somebody have taken it for that of a dead one already, nothing is counted.
      await locks.tryLock(descriptor, 'exclusive');
      return { path, descriptor };
    } catch (error) {
      if (!cannotWrite(error)) throw error;
      return undefined;
    }
  }
}

function cannotWrite(error: unknown): boolean {
  return hasErrno(error, 'EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'EIO', 'ENOENT', 'ESTALE');
}

/** Counts what dead scanners had in hand. */
export async function countTheDead(machine: Machine, place: Place, constants: Constants): Promise<void> {
  const directory = join(place.own, 'running');
  for (const { name } of await entriesOf(machine, directory)) {
    try {
      await countIfDead(machine, place, constants, join(directory, name));
    } catch (error) {
      if (!cannotWrite(error)) throw error;
    }
  }
}

async function countIfDead(
  machine: Machine,
  place: Place,
  constants: Constants,
  path: string,
): Promise<void> {
  const { files, locks } = machine;
  const open = async () => files.open(path, 'lock-present');
  const file = await ifThere<Descriptor | undefined>(open, undefined);
  if (file === undefined) return;
  try {
    if (!(await locks.tryLock(file, 'exclusive'))) return;
    // One that somebody else has counted is gone.
    if (!(await isThere(machine, path))) return;
    const scanner = path.slice(path.lastIndexOf('/') + 1);
    for (const name of namesIn(await readSmallFile(files, path, LIMIT_BYTES))) {
      if (!(await isThere(machine, join(place.waiting, name)))) continue;
      await countDeath(machine, place, name);
      const item = deconstruct(name, constants, machine.clock);
      if (item.kind !== 'item') continue;
      const ended = formatMs(nowMs(machine));
      const record = { attempt: item.tries + 1, outcome: 'died', worker: scanner, ended } as const;
      await noteRun(machine, place, item.id, record);
    }
    await unlinkIfThere(machine, path);
  } finally {
    await closeQuietly(files, file);
  }
}

function namesIn(bytes: Uint8Array): string[] {
  const names: string[] = [];
  for (let at = 0; at < bytes.length; at += SLOT_BYTES) {
    const slot = bytes.subarray(at, at + SLOT_BYTES);
    const end = slot.indexOf(0);
    if (end > 0) names.push(decodeBytes(slot.subarray(0, end)));
  }
  return names;
}
