/**
 * How an item gets into a queue: whole, and to stay.
 *
 * | step                    | what is there after it              | a crash here leaves                   |
 * |-------------------------|-------------------------------------|---------------------------------------|
 * | create tmp/NAME         | an empty file nobody looks at       | litter in tmp/                        |
 * | write, mode, fsync      | all of the content, on disk         | the same                              |
 * | link to queue/NAME      | the item, under both names          | the item, and a second name in tmp/   |
 * | unlink of tmp/NAME      | the item                            | after a power cut: it, or litter      |
 * | fsync of queue/         | the item, for good                  | the item                              |
 *
 * Creating and linking never take a name from somebody else: who meets it raises the entropy.
 */

import { encodeBytes } from '../os/bytes.ts';
import type { Machine } from '../os/ports.ts';
import type { Durability } from '../queue/publish.ts';
import type { Constants } from './constants.ts';
import { ItemWriter, type NewItem } from './item-writer.ts';
import { type Entered, enteredBefore, enterOnce, type Once } from './names.ts';
import { waitUntil } from './notes.ts';
import type { Place } from './place.ts';

/** Adds an item; returns its name. Throws `not-written` before anything is written for arguments that no name can hold. */
export async function enqueue(
  machine: Machine,
  place: Place,
  constants: Constants,
  item: NewItem,
  durability: Durability = 'power-safe',
): Promise<string> {
  const [name] = await enqueueAll(machine, place, constants, [item], durability);
  return name as string;
}

/** The same for many, whose syncing they share: they are there together, or none is, unless the disk fails in the end. */
export async function enqueueAll(
  machine: Machine,
  place: Place,
  constants: Constants,
  items: Iterable<NewItem> | AsyncIterable<NewItem>,
  durability: Durability = 'power-safe',
): Promise<string[]> {
  const writer = new ItemWriter(machine, place, constants, durability);
  try {
    for await (const item of items) await writer.draft(item);
    await writer.finish();
  } catch (error) {
    await writer.takeBack();
    throw error;
  }
  return writer.putInPlace();
}

/** Adds an item under a name, once. What a power cut takes must not be remembered, so it is synced in any case. */
export async function enqueueOnce(
  machine: Machine,
  place: Place,
  constants: Constants,
  name: string,
  item: NewItem,
): Promise<Entered> {
  const once: Once = { kind: 'names', name };
  const before = await enteredBefore(machine, place, constants, once);
  if (before !== undefined) return before;
  const writer = new ItemWriter(machine, place, constants, 'power-safe');
  try {
    const draft = await writer.draft(item);
    await writer.finish();
    await writer.reserve(draft);
    if (item.notBeforeMs !== undefined) await waitUntil(machine, place, draft.name, item.notBeforeMs);
    return await enterOnce(machine, place, constants, once, draft);
  } finally {
    await writer.takeBack();
  }
}

/** Content from memory. */
export function bytesWriter({ files }: Machine, text: string | Uint8Array): NewItem['write'] {
  const bytes = typeof text === 'string' ? encodeBytes(text) : text;
  return async (target) => {
    await files.write(target, bytes);
    return bytes.length;
  };
}
