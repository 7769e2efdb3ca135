/** Making queues. */

import type { Machine } from '../os/ports.ts';
import type { Queue } from '../queue/contract.ts';
import type { Initialised } from '../spool/home/init.ts';
import type { Order } from '../spool/home/rooms.ts';
import type { CreateOptions } from '../spool/spool.ts';

/** Makes a queue directory, whose parent must exist, and opens it. Throws `exists`. */
export async function createQueue(machine: Machine, path: string, options?: CreateOptions): Promise<Queue> {
  return (await import('../spool/spool.ts')).createSpool(machine, path, options);
}

/** Makes a queue, or gives one that is there what is missing. `order` left out: that of an old one stays. */
export async function initQueue(
  machine: Machine,
  path: string,
  order: Order | undefined,
): Promise<Initialised> {
  return (await import('../spool/home/init.ts')).initHome(machine, path, order);
}

export type { CreateOptions, Initialised, Order };
