/**
 * Items that are added once: under a name that their adder has chosen, or pushed by another host under their id.
 *
 * | step                                             | a crash here leaves                                          |
 * |--------------------------------------------------|--------------------------------------------------------------|
 * | tmp/NAME: content, mode, fsync                   | litter                                                       |
 * | linked to intray/adding/TICKET; fsync of it all  | litter, which `gc` removes                                   |
 * | a receipt that says NAME and TICKET is linked to | a name with an item that is not in the queue: the next adder |
 * | intray/names/KEY: of several adders one is first | of that name goes on from here, with this content            |
 * | fsync of names/                                  | the same                                                     |
 * | adding/TICKET renamed to queue/NAME              | the item; after a power cut perhaps the same as before       |
 * | fsync of queue/                                  | the item                                                     |
 * | unlink of tmp/NAME, which kept NAME free         | nothing                                                      |
 *
 * For what is pushed intray/pushed/ID takes the place of names/KEY.
 *
 * That a ticket is there says that its item has never been in the queue. Only a rename takes it away, which of several adders
 * one can make; a ticket is never made again. So whoever finds it goes on, also beside an adder that is only slow, and a
 * scanner needs to know nothing of names. Where a power cut has left a rename half done, the item is looked for in all rooms.
 */

import { decodeBytes, encodeBytes } from '../os/bytes.ts';
import { closeQuietly } from '../os/close-quietly.ts';
import { hasErrno, type Machine } from '../os/ports.ts';
import { readSmallFile } from '../os/transfer.ts';
import { QueueError } from '../queue/errors.ts';
import { asShortFileName } from '../queue/file-name.ts';
import { notDurable, syncDirectory } from '../queue/publish.ts';
import { refreshNames } from '../queue/refresh-names.ts';
import type { Constants } from './constants.ts';
import { deconstruct } from './item-name.ts';
import { ownDirectory } from './own-directory.ts';
import { join, type Place } from './place.ts';
import { quietly } from './write-file.ts';

/** Of a longer name the key has the beginning, and a number made from all of it. */
const KEY_LIMIT = 150;
const RECEIPT_LIMIT_BYTES = 64 * 1024;

/** What is added once, and by which it is known. */
export type Once =
  | { readonly kind: 'names'; readonly name: string }
  /** `name`: the id of the item. */
  | { readonly kind: 'pushed'; readonly name: string };

export type Receipt = { readonly name: string; readonly item: string; readonly ticket: string };

export type Entered = {
  /** Of the item. */
  readonly name: string;
  readonly isNew: boolean;
};

/** The item that was added before, if one was: it is in the queue for good, or has been. */
export async function enteredBefore(
  machine: Machine,
  place: Place,
  constants: Constants,
  once: Once,
): Promise<Entered | undefined> {
  const receipt = await readReceipt(machine, place, once);
  if (receipt === undefined) return undefined;
  if (receipt.ticket !== '') await enterForAnother(machine, place, constants, receipt);
  return { name: receipt.item, isNew: false };
}

/** Puts an item whose content is all in `temporary` into the queue, unless one was added before. */
export async function enterOnce(
  machine: Machine,
  place: Place,
  constants: Constants,
  once: Once,
  { temporary, name: item }: { readonly temporary: string; readonly name: string },
): Promise<Entered> {
  const { files, random } = machine;
  const receipts = await ownDirectory(machine, place, once.kind);
  const adding = await ownDirectory(machine, place, 'adding');
  const ticket = random.uuid();
  await files.link(temporary, join(adding, ticket));
  for (const directory of [adding, place.own, place.directory]) {
    await syncDirectory(files, directory, directory);
  }
  const taken = await takeName(machine, place, once, { name: once.name, item, ticket });
  if (!taken) {
    await quietly(() => files.unlink(join(adding, ticket)));
    const before = await enteredBefore(machine, place, constants, once);
    if (before !== undefined) return before;
    throw new QueueError('not-written', `${receipts}: the name was given up just now`);
  }
  await syncDirectory(files, receipts, receipts);
  await enter(machine, place, { item, ticket });
  await syncDirectory(files, place.waiting, place.waiting);
  return { name: item, isNew: true };
}

function receiptPath({ own }: Place, { kind, name }: Once): string {
  return join(join(own, kind), kind === 'pushed' ? name : asShortFileName(name, KEY_LIMIT));
}

async function readReceipt(machine: Machine, place: Place, once: Once): Promise<Receipt | undefined> {
  const { files } = machine;
  const path = receiptPath(place, once);
  let text: string;
  try {
    await refreshNames(files, join(place.own, once.kind));
    text = decodeBytes(await readSmallFile(files, path, RECEIPT_LIMIT_BYTES));
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
  const receipt = receiptIn(text);
  if (receipt?.name === once.name) return receipt;
  // As they were before there were tickets.
  if (once.kind === 'pushed' && text === '') return { name: once.name, item: once.name, ticket: '' };
  const hint = 'Remove the file: then the name is free, and its item, if it is there, may be added again.';
  throw new QueueError('not-written', `${path}: it does not say which item has the name`, { hint });
}

function receiptIn(text: string): Receipt | undefined {
  try {
    const { name, item, ticket } = JSON.parse(text) as Partial<Receipt>;
    const isRight = [name, item, ticket].every((value) => typeof value === 'string');
    return isRight ? ({ name, item, ticket } as Receipt) : undefined;
  } catch {
    return undefined;
  }
}

/** The receipt of a file that is in the directory of receipts, whatever its name; undefined for what is none. */
export async function receiptAt({ files }: Machine, path: string): Promise<Receipt | undefined> {
  try {
    return receiptIn(decodeBytes(await readSmallFile(files, path, RECEIPT_LIMIT_BYTES)));
  } catch (error) {
    if (hasErrno(error, 'ENOENT') || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** False when another has it. */
async function takeName(machine: Machine, place: Place, once: Once, receipt: Receipt): Promise<boolean> {
  const { files, random } = machine;
  const temporary = join(place.tmp, `.${random.uuid()}`);
  const path = receiptPath(place, once);
  const target = await files.open(temporary, 'create');
  try {
    await files.write(target, encodeBytes(`${JSON.stringify(receipt)}\n`));
    await files.fsync(target);
    const { inode } = await files.fstat(target);
    try {
      await files.link(temporary, path);
      return true;
    } catch (error) {
      // Over a network the reply can get lost, and asked again the server says EEXIST.
      if ((await inodeOf(machine, path, error)) === inode) return true;
      if (hasErrno(error, 'EEXIST')) return false;
      throw error;
    }
  } finally {
    await closeQuietly(files, target);
    await quietly(() => files.unlink(temporary));
  }
}

async function inodeOf({ files }: Machine, path: string, cause: unknown): Promise<bigint | undefined> {
  try {
    await refreshNames(files, path.slice(0, path.lastIndexOf('/')));
    return (await files.stat(path)).inode;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw notDurable(path, cause);
  }
}

type Pending = Pick<Receipt, 'item' | 'ticket'>;

/** Puts it into the queue, unless somebody else has done so. */
async function enter({ files }: Machine, place: Place, { item, ticket }: Pending): Promise<void> {
  const adding = join(place.own, 'adding');
  const pending = join(adding, ticket);
  try {
    await files.rename(pending, join(place.waiting, item));
  } catch (error) {
    await refreshNames(files, adding);
    if (await files.exists(pending)) throw error;
  }
}

/** The same for one that somebody has left, and so that it lasts. */
async function enterForAnother(
  machine: Machine,
  place: Place,
  constants: Constants,
  pending: Pending,
): Promise<void> {
  const { files } = machine;
  const adding = join(place.own, 'adding');
  const path = join(adding, pending.ticket);
  await refreshNames(files, adding);
  if (await files.exists(path)) {
    const receipts = [join(place.own, 'names'), join(place.own, 'pushed')];
    for (const directory of receipts) {
      if (await files.exists(directory)) await syncDirectory(files, directory, directory);
    }
    if (await isAnywhere(machine, place, constants, pending.item)) await quietly(() => files.unlink(path));
    else await enter(machine, place, pending);
  }
  await syncDirectory(files, adding, adding);
}

/** By its id, for it may have been tried meanwhile. In the order in which items move, so that none slips by. */
export async function isAnywhere(
  { files, clock }: Machine,
  place: Place,
  constants: Constants,
  name: string,
): Promise<boolean> {
  const idOf = (text: string): string => {
    const item = deconstruct(text, constants, clock);
    return item.kind === 'item' ? item.id : text;
  };
  const id = idOf(name);
  for (const room of [place.waiting, place.done, place.fail]) {
    for (const entry of await files.readdir(room)) if (idOf(entry.name) === id) return true;
  }
  return false;
}
