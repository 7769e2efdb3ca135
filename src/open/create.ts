/** Making queues. */

import { JETSTREAM } from '../jetstream/entry.ts';
import { isSystemError, type Machine } from '../os/ports.ts';
import type { Queue } from '../queue/contract.ts';
import { QueueError } from '../queue/errors.ts';
import type { LayoutName } from '../queue/snapshot.ts';
import type { Initialised as MadeHome } from '../spool/home/init.ts';
import type { Order } from '../spool/home/rooms.ts';
import type { CreateOptions as CreateSpoolOptions } from '../spool/spool.ts';
import { openQueue } from './open.ts';
import { recognise } from './recognise.ts';

export type CreateOptions = CreateSpoolOptions & {
  /** What sort of queue. Default: `filespooler`, or what the location says. */
  readonly layout?: LayoutName;
};

/** Makes a queue directory, whose parent must exist, or a queue on servers, and opens it. Throws `exists`. */
export async function createQueue(
  machine: Machine,
  location: string,
  { layout, ...options }: CreateOptions = {},
): Promise<Queue> {
  if (isOther(layout)) {
    if (options.order === 'sequence' || options.appendOnly === true) throw refused(location, NO_NUMBERS);
    return createOther(machine, location, layout);
  }
  requireScheme(location, layout);
  if (!(await isOnServers(machine, location))) {
    return (await import('../spool/spool.ts')).createSpool(machine, location, options);
  }
  if (options.order === 'sequence' || options.appendOnly === true) throw refused(location, NO_ORDER);
  const { made } = await (await import('../jetstream/stream.ts')).initStream(machine, location);
  if (!made) throw new QueueError('exists', `${location}: it exists already`);
  return openQueue(machine, location);
}

/** Those that are made in one way only. */
type Other = Exclude<LayoutName, 'filespooler' | 'jetstream'>;

function isOther(layout: LayoutName | undefined): layout is Other {
  return layout !== undefined && layout !== 'filespooler' && layout !== 'jetstream';
}

const NO_NUMBERS = 'jobs of that layout have no numbers, by which they could run in order';

async function createOther(machine: Machine, location: string, layout: Other): Promise<Queue> {
  if (layout === 'dirqueue')
    return (await import('../dirqueue/dirqueue.ts')).createDirQueue(machine, location);
  if (layout === 'fsq') return (await import('../fsq/fsq.ts')).createFsq(machine, location);
  throw refused(location, 'a root of simple-job-q is made by `intray monitor --init`');
}

/** A queue on servers has an address, and nothing else has one. */
function requireScheme(location: string, layout: LayoutName | undefined): void {
  if (layout === undefined) return;
  const hasAddress = location.startsWith(`${JETSTREAM.scheme}//`);
  if (hasAddress === (layout === 'jetstream')) return;
  throw refused(
    location,
    hasAddress
      ? 'its address is that of a queue on NATS'
      : 'a queue on NATS has an address: nats://HOST/QUEUE',
  );
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
  /** Left out: `filespooler`, or what the location says. */
  readonly layout?: LayoutName | undefined;
  /** On so many servers is each job, where servers keep it. */
  readonly replicas?: number | undefined;
};

/** Makes a queue, or gives one that is there what is missing. Throws `not-possible` for what its layout has no place for. */
export async function initQueue(
  machine: Machine,
  location: string,
  { order, replicas, layout }: InitOptions = {},
): Promise<Initialised> {
  if (isOther(layout)) {
    if (order === 'sequence') throw refused(location, NO_NUMBERS);
    if (replicas !== undefined) throw refused(location, 'a directory has no replicas');
    const made = (await layoutIn(machine, location)) !== layout;
    if (made) await createOther(machine, location, layout);
    return { made, roomsAdded: false, order: 'free', orderChanged: false, layout };
  }
  requireScheme(location, layout);
  if (await isOnServers(machine, location)) {
    if (order === 'sequence') throw refused(location, NO_ORDER);
    const made = await (await import('../jetstream/stream.ts')).initStream(machine, location, replicas);
    return { ...made, roomsAdded: false, order: 'free', orderChanged: false };
  }
  if (replicas !== undefined) throw refused(location, 'a directory has no replicas');
  return (await import('../spool/home/init.ts')).initHome(machine, location, order);
}

/** Undefined when there is no queue. */
async function layoutIn(machine: Machine, location: string): Promise<LayoutName | undefined> {
  try {
    return (await recognise(machine, location))?.name;
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

function refused(location: string, why: string): QueueError {
  return new QueueError('not-possible', `${location}: ${why}`);
}

export type Initialised = MadeHome & {
  readonly replicas?: number;
  /** Where it is another than Filespooler's. */
  readonly layout?: LayoutName;
};

export type { Order };
