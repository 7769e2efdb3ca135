/** Making queues. */

import { isSystemError, type Machine } from '../os/ports.ts';
import type { Queue } from '../queue/contract.ts';
import { QueueError } from '../queue/errors.ts';
import type { Initialised as MadeHome } from '../spool/home/init.ts';
import type { Order } from '../spool/home/rooms.ts';
import type { CreateOptions } from '../spool/spool.ts';
import { openQueue } from './open.ts';
import { recognise } from './recognise.ts';

/** Makes a queue directory, whose parent must exist, or a queue on servers, and opens it. Throws `exists`. */
export async function createQueue(
  machine: Machine,
  location: string,
  options: CreateOptions = {},
): Promise<Queue> {
  if (!(await isOnServers(machine, location))) {
    return (await import('../spool/spool.ts')).createSpool(machine, location, options);
  }
  if (options.order === 'sequence' || options.appendOnly === true) throw refused(location, NO_ORDER);
  const { made } = await (await import('../jetstream/stream.ts')).initStream(machine, location);
  if (!made) throw new QueueError('exists', `${location}: it exists already`);
  return openQueue(machine, location);
}

const NO_ORDER = 'jobs have no order there but that of their lanes: give them one';

/** Whether it is no directory. */
export async function isOnServers(machine: Machine, location: string): Promise<boolean> {
  try {
    return (await recognise(machine, location))?.scheme !== undefined;
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}

export type InitOptions = {
  /** Left out: that of an old one stays. */
  readonly order?: Order | undefined;
  /** On so many servers is each job, where servers keep it. */
  readonly replicas?: number | undefined;
};

/** Makes a queue, or gives one that is there what is missing. Throws `not-possible` for what its layout has no place for. */
export async function initQueue(
  machine: Machine,
  location: string,
  { order, replicas }: InitOptions = {},
): Promise<Initialised> {
  if (await isOnServers(machine, location)) {
    if (order === 'sequence') throw refused(location, NO_ORDER);
    const made = await (await import('../jetstream/stream.ts')).initStream(machine, location, replicas);
    return { ...made, roomsAdded: false, order: 'free', orderChanged: false };
  }
  if (replicas !== undefined) throw refused(location, 'a directory has no replicas');
  return (await import('../spool/home/init.ts')).initHome(machine, location, order);
}

function refused(location: string, why: string): QueueError {
  return new QueueError('not-possible', `${location}: ${why}`);
}

export type Initialised = MadeHome & { readonly replicas?: number };

export type { CreateOptions, Order };
