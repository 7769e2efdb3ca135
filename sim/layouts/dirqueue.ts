/** A queue directory of IPC::DirQueue, worked by several at once. It knows no lanes: all its jobs are free. */

import { createDirQueue, openDirQueue } from '../../src/dirqueue/dirqueue.ts';
import { makeOwnRooms, pause, resume } from '../../src/dirqueue/layout.ts';
import { listLocks } from '../../src/dirqueue/locks.ts';
import type { Machine } from '../../src/os/ports.ts';
import type { NewJob } from '../../src/queue/contract.ts';
import { isQueueError } from '../../src/queue/errors.ts';
import type { Payload } from '../history.ts';
import type { Layout } from './layout.ts';
import { placeOf, workShared } from './sharing.ts';

const QUEUE = '/queue';

const open = (machine: Machine) => openDirQueue(machine, QUEUE);

export function dirqueueWith(
  name: string,
  { fanout = false, keepSucceeded = false }: { readonly fanout?: boolean; readonly keepSucceeded?: boolean },
): Layout {
  return {
    name,
    ignoresNumbers: true,
    isShared: true,
    create: async (machine) => {
      await createDirQueue(machine, QUEUE, { fanout });
      await makeOwnRooms(machine, QUEUE);
    },
    createSender: () => Promise.reject(new Error('nobody carries its jobs from elsewhere')),
    exists: async (machine) => {
      try {
        await open(machine);
        return true;
      } catch (error) {
        if (isQueueError(error, 'not-a-queue')) return false;
        throw error;
      }
    },
    laneOf: () => undefined,
    add: async (machine, payload, way) => {
      const durability = way === 'crash-safe' ? 'crash-safe' : 'power-safe';
      return placeOf(await (await open(machine)).add(newJob(payload), { durability }));
    },
    addAll: async (machine, payloads) => {
      return (await (await open(machine)).addAll(payloads.map(newJob))).map(placeOf);
    },
    pause: (machine) => pause(machine, QUEUE),
    resume: async (machine) => {
      await resume(machine, QUEUE);
    },
    mayHaveAdded: (error) => isQueueError(error, 'not-durable'),
    work: (machine, runner) => workShared({ open, claimedJobs, variant: { keepSucceeded } }, machine, runner),
    unreadable: async (machine) => {
      const { unreadable } = await (await open(machine)).jobs();
      return unreadable.map(({ path, message }) => `${path}: ${message}`);
    },
    skipTo: () => Promise.reject(new Error('it has no numbers')),
    arrivals: `${QUEUE}/queue`,
    listed: ['active', 'intray/workers', 'intray/later'].map((name) => `${QUEUE}/${name}`),
    fixedNames: [`${QUEUE}/intray/paused`],
  };
}

export const dirqueue: Layout = dirqueueWith('dirqueue', {});

/** The other ways to make and work it that the library offers. */
export const DIRQUEUE_VARIANTS: readonly Layout[] = [
  dirqueueWith('dirqueue-fanout', { fanout: true }),
  dirqueueWith('dirqueue-keep', { keepSucceeded: true }),
];

/** What it was added with goes along as a parameter too, so that whoever settles it knows which one it is. */
function newJob(payload: Payload): NewJob {
  return { payload, params: [payload] };
}

async function claimedJobs(machine: Machine): Promise<number> {
  return (await listLocks(machine, QUEUE)).length;
}
