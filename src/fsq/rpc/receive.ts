/**
 * Taking an item that another host has sent, once, however often it is sent.
 *
 * | step                                      | a crash here leaves                                          |
 * |-------------------------------------------|--------------------------------------------------------------|
 * | tmp/.UUID: content, mode, fsync           | litter                                                       |
 * | lock of tmp/; is the name known?          | the same                                                     |
 * | tmp/.UUID -> tmp/ID                       | the same; ID says that somebody was about to add it          |
 * | link to queue/ID, fsync of queue/         | the item; sent again, tmp/ID makes us look for it everywhere |
 * | intray/pushed/ID, fsync                   | the item; sent again, it is known                            |
 * | unlink of tmp/ID; answer                  | the same                                                     |
 *
 * A name is known when it is in pushed/, or an item of that id waits, is done or has failed. Whoever sends keeps the item
 * until the answer is there, and sends it again when there is none.
 */

import { acquireLock } from '../../os/acquire-lock.ts';
import { closeQuietly } from '../../os/close-quietly.ts';
import { type Descriptor, hasErrno, type Machine } from '../../os/ports.ts';
import { QueueError } from '../../queue/errors.ts';
import { syncDirectory } from '../../queue/publish.ts';
import type { Constants } from '../constants.ts';
import { deconstruct, type Item } from '../item-name.ts';
import { ownDirectory } from '../own-directory.ts';
import { dress, ownerOf } from '../owners.ts';
import { join, type Place } from '../place.ts';
import { isKnown } from '../reenqueue.ts';
import type { DataSink } from './call.ts';

const LOCK_WAIT_MS = 10_000;

/** Data on its way into a queue, in a file that nobody looks at. */
export type Incoming = DataSink & {
  /** Adds it under the name that it had where it was sent from. False when it was known. */
  accept(id: string): Promise<boolean>;
};

export async function receive(
  machine: Machine,
  place: Place,
  constants: Constants,
  limitBytes: number,
): Promise<Incoming> {
  const { files } = machine;
  const temporary = join(place.tmp, `.${machine.random.uuid()}`);
  let target: Descriptor | undefined = await files.open(temporary, 'create');
  let size = 0;
  const discard = async () => {
    if (target === undefined) return;
    await closeQuietly(files, target);
    target = undefined;
    await files.unlink(temporary);
  };
  return {
    write: async (bytes) => {
      if (target === undefined) throw new Error(`${temporary}: it is closed already`);
      size += bytes.length;
      if (size > limitBytes)
        throw new QueueError('not-written', `the data is longer than ${limitBytes} bytes`);
      await files.write(target, bytes);
    },
    discard,
    accept: async (id) => {
      if (target === undefined) throw new Error(`${temporary}: it is closed already`);
      try {
        const item = itemOf(machine, constants, id);
        await dress(
          machine,
          target,
          constants.itemMode,
          await ownerOf(machine, constants.itemUser, constants.itemGroup),
        );
        await files.fsync(target);
        return await addOnce(machine, place, constants, temporary, item);
      } finally {
        await discard().catch(() => {}); // it has its name, or is litter
      }
    },
  };
}

function itemOf({ clock }: Machine, constants: Constants, id: string): Item {
  const item = deconstruct(id, constants, clock);
  if (item.kind === 'item' && !id.includes('/')) return item;
  const why = item.kind === 'item' ? 'it holds a slash' : item.message;
  throw new QueueError('not-written', `${JSON.stringify(id)} is no name of an item: ${why}`);
}

async function addOnce(
  machine: Machine,
  place: Place,
  constants: Constants,
  temporary: string,
  item: Item,
): Promise<boolean> {
  const { files, locks } = machine;
  const guard = await files.open(place.tmp, 'directory');
  try {
    if (!(await acquireLock(machine, guard, 'exclusive', LOCK_WAIT_MS))) {
      throw new QueueError('locked', `${place.tmp}: others are adding items here`);
    }
    try {
      return await addLocked(machine, place, constants, temporary, item);
    } finally {
      await locks.unlock(guard);
    }
  } finally {
    await closeQuietly(files, guard);
  }
}

async function addLocked(
  machine: Machine,
  place: Place,
  constants: Constants,
  temporary: string,
  { name, id }: Item,
): Promise<boolean> {
  const { files } = machine;
  const pushed = await ownDirectory(machine, place, 'pushed');
  const receipt = join(pushed, id);
  if (await isThere(machine, receipt)) return false;
  const announced = join(place.tmp, id);
  const wasInterrupted = await isThere(machine, announced);
  const known =
    (await isKnown(machine, place, name)) ||
    (wasInterrupted && (await isAnywhere(machine, place, constants, id)));
  if (!known) {
    await files.rename(temporary, announced);
    await files.link(announced, join(place.waiting, name));
    await syncDirectory(files, place.waiting, join(place.waiting, name));
  }
  await files.close(await files.open(receipt, 'truncate'));
  await syncDirectory(files, pushed, receipt);
  if (!known || wasInterrupted) await files.unlink(announced);
  return !known;
}

/** By its id, for it may have been tried meanwhile. */
async function isAnywhere(
  machine: Machine,
  place: Place,
  constants: Constants,
  id: string,
): Promise<boolean> {
  for (const room of [place.waiting, place.done, place.fail]) {
    for (const { name } of await machine.files.readdir(room)) {
      const item = deconstruct(name, constants, machine.clock);
      if (item.kind === 'item' && item.id === id) return true;
    }
  }
  return false;
}

async function isThere({ files }: Machine, path: string): Promise<boolean> {
  try {
    await files.stat(path);
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false;
    throw error;
  }
}
