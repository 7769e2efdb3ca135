/** A queue directory of fsq, or a host's part of one, as a `Queue`. */

import type { Machine } from '../os/ports.ts';
import type { Added, Listing, Queue } from '../queue/contract.ts';
import { QueueError } from '../queue/errors.ts';
import { oneAtATime } from '../queue/one-at-a-time.ts';
import { watchDirectories } from '../queue/watch-directories.ts';
import { addJobs, hasNo } from './add.ts';
import { jobOf } from './claim.ts';
import { type Constants, constantsFrom } from './constants.ts';
import { type InstallOptions, install } from './install.ts';
import { brokenLinks, LINK_TO_NOTHING, listWaiting, stirs } from './listing.ts';
import { join, type Place, placeAt, requirePlace } from './place.ts';
import { outputsOf } from './run-notes.ts';
import { joinQueue } from './session.ts';
import { pullTrigger } from './trigger.ts';

/** Makes a queue, whose parent directory must exist, and opens it. Throws `exists`. */
export async function createFsq(
  machine: Machine,
  path: string,
  options: InstallOptions = {},
  constants: Constants = constantsFrom(machine.host.env()),
): Promise<Queue> {
  await install(machine, path, constants, options);
  return queueAt(machine, placeAt(path, constants), constants);
}

/** Opens a queue that is there. Throws `not-a-queue`. */
export async function openFsq(
  machine: Machine,
  path: string,
  constants: Constants = constantsFrom(machine.host.env()),
): Promise<Queue> {
  const place = placeAt(path, constants);
  await requirePlace(machine, place);
  return queueAt(machine, place, constants);
}

export function queueAt(machine: Machine, place: Place, constants: Constants): Queue {
  const queue: Queue = {
    location: place.directory,
    add: async (job, options = {}) => {
      const [added] = await queue.addAll([job], options);
      return added as Added;
    },
    addAll: async (jobs, { durability, sequenceFile } = {}) => {
      if (sequenceFile !== undefined) throw hasNo('sequence files');
      const added = await addJobs({ machine, place, constants, durability }, jobs);
      if (constants.useTrigger && added.length > 0) await pullTrigger(machine, place.trigger);
      return added;
    },
    jobs: async ({ decoder } = {}): Promise<Listing> => {
      refuseDecoder(decoder);
      const list = await listWaiting(machine, place, constants);
      const broken = new Set(await brokenLinks(machine, place.waiting, list));
      const pathOf = ({ name }: { readonly name: string }) => join(place.waiting, name);
      const links = list.items.filter(({ item }) => broken.has(item.name));
      return {
        jobs: list.items
          .filter(({ item }) => !broken.has(item.name))
          .map(({ item }) => jobOf(item, pathOf(item))),
        unreadable: [
          ...list.malformed.map((one) => ({ path: pathOf(one), message: one.message })),
          ...links.map(({ item }) => ({ path: pathOf(item), message: LINK_TO_NOTHING })),
        ],
      };
    },
    session: async ({ decoder, keepSucceeded = false } = {}) => {
      refuseDecoder(decoder);
      return oneAtATime(
        await joinQueue(machine, place, constants, { keepSucceeded, maxStarts: Number.POSITIVE_INFINITY }),
      );
    },
    join: async (options = {}) => {
      refuseDecoder(options.decoder);
      return joinQueue(machine, place, constants, options);
    },
    stirs: () => stirs(machine, place),
    watch: (onChange) => watchDirectories(machine, [place.waiting], onChange),
    countWaiting: async () => (await machine.files.readdir(place.waiting)).length,
    outputsOf: ({ id }, attempt) => outputsOf(place, id, attempt),
  };
  return queue;
}

export function refuseDecoder(decoder: string | undefined): void {
  if (decoder === undefined) return;
  throw new QueueError('not-possible', 'items of fsq are not packed: a decoder has nothing to unpack');
}
