/** Opening a queue, whatever its layout. */

import { isSystemError, type Machine } from '../os/ports.ts';
import type { Queue } from '../queue/contract.ts';
import type { Keeper, KeeperOptions } from '../queue/keeper.ts';
import type { Layout } from '../queue/layout.ts';
import { DEFAULT_LAYOUT } from './layouts.ts';
import { recognise, recogniseRemains } from './recognise.ts';

/** Throws `not-a-queue`. */
export async function openQueue(machine: Machine, location: string): Promise<Queue> {
  const open = await (await layoutAt(machine, location)).loadQueue();
  return open(machine, location);
}

/** Throws `not-a-queue`. */
export async function openKeeper(
  machine: Machine,
  location: string,
  options: KeeperOptions = {},
): Promise<Keeper> {
  const look = options.evenDamaged === true ? recogniseRemains : recognise;
  const open = await (await layoutAt(machine, location, look)).loadKeeper();
  return open(machine, location, options);
}

/** That of a queue; of what cannot be recognised the default, which says why it is none of its queues. */
export async function layoutAt(
  machine: Machine,
  location: string,
  look: typeof recognise = recognise,
): Promise<Layout> {
  try {
    return (await look(machine, location)) ?? DEFAULT_LAYOUT;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return DEFAULT_LAYOUT;
  }
}
