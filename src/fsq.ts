/**
 * Queues of fsq, for programs: `import { ... } from 'intray/fsq'`. Where a function takes constants, those of the
 * environment are meant when they are left out.
 */

import { type ConstantName, type Constants, constantsFrom, setConstant as setOne } from './fsq/constants.ts';
import { bringUp, takeDown } from './fsq/down.ts';
import * as queues from './fsq/fsq.ts';
import * as making from './fsq/install.ts';
import {
  construct,
  decodeField,
  deconstruct,
  encodeField,
  type Item,
  type Malformed,
  type NewName,
} from './fsq/item-name.ts';
import { moveItem } from './fsq/items.ts';
import { isDown, type Place, placeAt } from './fsq/place.ts';
import * as names from './fsq/queues.ts';
import { reenqueue } from './fsq/reenqueue.ts';
import { type ScanOptions, scan, type WorkItem } from './fsq/scan.ts';
import { type Listener, listen, pullTrigger } from './fsq/trigger.ts';
import { realMachine } from './os/real/index.ts';
import type { Queue } from './queue/contract.ts';

/** The defaults, as the environment and `changes` have them. Throws a QueueError `bad-setting`. */
export function fsqConstants(changes: Partial<Constants> = {}): Constants {
  return { ...constantsFrom(realMachine.host.env()), ...changes };
}

/** One of them changed, by the name and the text that its variable would have. Throws a QueueError `bad-setting`. */
export function setFsqConstant(constants: Constants, name: ConstantName, text: string): Constants {
  return setOne(constants, name, text);
}

/** Makes a queue directory, whose parent must exist, and opens it. Throws a QueueError `exists`. */
export function createFsq(
  path: string,
  options: making.InstallOptions = {},
  constants = fsqConstants(),
): Promise<Queue> {
  return queues.createFsq(realMachine, path, options, constants);
}

/** Throws a QueueError `not-a-queue`. */
export function openFsq(path: string, constants = fsqConstants()): Promise<Queue> {
  return queues.openFsq(realMachine, path, constants);
}

/** Removes a queue with all its items. Throws a QueueError `not-a-queue`. */
export function uninstallFsq(path: string, constants = fsqConstants()): Promise<void> {
  return making.uninstall(realMachine, path, constants);
}

/** Makes a host's part of a queue. Returns false when it was there and is kept. */
export function installFsqHost(
  queue: string,
  host: string,
  options: Pick<making.InstallOptions, 'existing' | 'isDown'> = {},
  constants = fsqConstants(),
): Promise<boolean> {
  return making.installHost(realMachine, queue, host, constants, options);
}

/** Names of the queues in `constants.root`. */
export function fsqQueues(constants = fsqConstants()): Promise<string[]> {
  return names.queues(realMachine, constants);
}

export function fsqHosts(queue: string, constants = fsqConstants()): Promise<string[]> {
  return names.hosts(realMachine, queue, constants);
}

/** Goes through a queue once, oldest item first; each is locked until it is said what becomes of it. */
export function scanFsq(
  path: string,
  changes: Partial<Constants> = {},
  options: ScanOptions = {},
): AsyncGenerator<WorkItem, void> {
  const constants = fsqConstants(changes);
  return scan(realMachine, placeAt(path, constants), constants, options);
}

/** The same again whenever the trigger is pulled. Throws a QueueError `not-possible` when there is none. */
export async function* scanFsqForever(
  path: string,
  changes: Partial<Constants> = {},
  options: ScanOptions = {},
): AsyncGenerator<WorkItem, void> {
  const listener = await listen(realMachine, placeOf(path).trigger);
  try {
    for (;;) {
      yield* scanFsq(path, changes, options);
      await listener.pulled();
    }
  } finally {
    await listener.close();
  }
}

/** Puts an item that waits, is done or has failed into other queues too. Returns how many did not have it. */
export async function reenqueueFsq(
  item: { readonly name: string; readonly path: string },
  targets: readonly string[],
  how: 'copy' | 'link' = 'copy',
  constants = fsqConstants(),
): Promise<number> {
  const places = targets.map((target) => placeAt(target, constants));
  return reenqueue(realMachine, item, places, constants, how);
}

/** Lets an item that has failed, or is done, wait again. False when there is none of that name. */
export async function retryFsq(path: string, name: string): Promise<boolean> {
  return (await moveItem(realMachine, placeOf(path), name, ['fail', 'done'], 'waiting', 0)).kind === 'moved';
}

export async function takeFsqDown(path: string, constants = fsqConstants()): Promise<void> {
  await takeDown(realMachine, placeAt(path, constants), constants);
}

/** Returns whether it was down. */
export function bringFsqUp(path: string): Promise<boolean> {
  return bringUp(realMachine, placeOf(path));
}

export function isFsqDown(path: string): Promise<boolean> {
  return isDown(realMachine, placeOf(path));
}

/** Without waiting. Returns whether a listener was told. */
export function pullFsqTrigger(path: string): Promise<boolean> {
  return pullTrigger(realMachine, placeOf(path).trigger);
}

/** Whoever listens is told of each time that the trigger is pulled. */
export function listenFsqTrigger(path: string): Promise<Listener> {
  return listen(realMachine, placeOf(path).trigger);
}

/** The name of an item. Throws a QueueError `not-written` for what no name can hold. */
export function constructFsqName(parts: NewName, constants = fsqConstants()): string {
  return construct(parts, constants);
}

/** What a name says, or why it is none. */
export function deconstructFsqName(name: string, constants = fsqConstants()): Item | Malformed {
  return deconstruct(name, constants, realMachine.clock);
}

/** One field of a name. */
export function encodeFsqField(field: string, constants = fsqConstants()): string {
  return encodeField(field, constants);
}

/** Undefined for what cannot be part of a name. */
export function decodeFsqField(field: string, constants = fsqConstants()): string | undefined {
  return decodeField(field, constants.encode);
}

function placeOf(path: string): Place {
  return placeAt(path, fsqConstants());
}

export type { ConstantName, Constants } from './fsq/constants.ts';
export type { InstallOptions } from './fsq/install.ts';
export type { Item, Malformed, NewName } from './fsq/item-name.ts';
export type { ScanOptions, WorkItem } from './fsq/scan.ts';
export type { Listener } from './fsq/trigger.ts';
