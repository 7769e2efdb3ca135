/**
 * Taking an item that another host has sent, once, however often it is sent: its content is written to tmp/, and then it is
 * added as names.ts has it. It is known, too, when an item of that id waits, is done or has failed. Whoever sends keeps the
 * item until the answer is there, and sends it again when there is none.
 */

import { closeQuietly } from '../../os/close-quietly.ts';
import type { Descriptor, Machine } from '../../os/ports.ts';
import { QueueError } from '../../queue/errors.ts';
import type { Constants } from '../constants.ts';
import { deconstruct, type Item } from '../item-name.ts';
import { enteredBefore, enterOnce, isAnywhere } from '../names.ts';
import { dress, ownerOf } from '../owners.ts';
import { join, type Place } from '../place.ts';
import type { DataSink } from './call.ts';

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
        return await addOnce(machine, place, constants, { temporary, ...item });
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
  item: Pick<Item, 'name' | 'id'> & { readonly temporary: string },
): Promise<boolean> {
  const once = { kind: 'pushed', name: item.id } as const;
  const before = await enteredBefore(machine, place, constants, once);
  if (before !== undefined || (await isAnywhere(machine, place, constants, item.name))) return false;
  return (await enterOnce(machine, place, constants, once, item)).isNew;
}
