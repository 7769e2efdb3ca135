/** A queue directory of IPC::DirQueue, worked by several at once. It knows no lanes: all its jobs are free. */

import { createDirQueue, openDirQueue } from '../../src/dirqueue/dirqueue.ts';
import { makeOwnRooms, pause, resume } from '../../src/dirqueue/layout.ts';
import { listLocks } from '../../src/dirqueue/locks.ts';
import { encodeBytes } from '../../src/os/bytes.ts';
import type { Machine } from '../../src/os/ports.ts';
import type { NewJob } from '../../src/queue/contract.ts';
import { isQueueError } from '../../src/queue/errors.ts';
import type { Payload } from '../history.ts';
import type { Layout } from './layout.ts';
import { nameIn, placeOf, workShared } from './sharing.ts';
import { writeFile } from './spool.ts';

const QUEUE = '/queue';

/** Of a lock of the original: however young, it is old enough to be broken. */
const ALWAYS_OLD_MS = -1e9;

export type DirQueueVariant = {
  readonly fanout?: boolean;
  readonly keepSucceeded?: boolean;
  /** Each job has been locked by a worker of the original, which died. */
  readonly staleLocks?: boolean;
};

const openPlain = (machine: Machine) => openDirQueue(machine, QUEUE);

export function dirqueueWith(
  name: string,
  { fanout = false, keepSucceeded = false, staleLocks = false }: DirQueueVariant,
): Layout {
  const open = async (machine: Machine) => {
    const queue = await openPlain(machine);
    if (!staleLocks) return queue;
    const join: typeof queue.join = (options) => queue.join({ ...options, lockLifetimeMs: ALWAYS_OLD_MS });
    return { ...queue, join };
  };
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
    isNamed: (payload) => nameIn(payload) !== undefined,
    add: async (machine, payload, way) => {
      const durability = way === 'crash-safe' ? 'crash-safe' : 'power-safe';
      const added = await (await open(machine)).add(newJob(payload), { durability });
      if (staleLocks) await lockAndDie(machine, added.id);
      return placeOf(added);
    },
    addAll: async (machine, payloads) => {
      // As streams, whose data are made in tmp/.
      const jobs = payloads.map((payload) => ({ ...newJob(payload), payload: [payload] }));
      return (await (await open(machine)).addAll(jobs)).map(placeOf);
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
    listed: ['active', 'intray/workers', 'intray/later', 'intray/names', 'intray/adding'].map(
      (name) => `${QUEUE}/${name}`,
    ),
    fixedNames: [`${QUEUE}/intray/paused`],
  };
}

export const dirqueue: Layout = dirqueueWith('dirqueue', {});

/** The other ways to make and work it that the library offers. */
export const DIRQUEUE_VARIANTS: readonly Layout[] = [
  dirqueueWith('dirqueue-fanout', { fanout: true }),
  dirqueueWith('dirqueue-keep', { keepSucceeded: true }),
];

/** Two of our workers must never both take what a dead worker of the original had. */
export const dirqueueStale: Layout = dirqueueWith('dirqueue-stale', { staleLocks: true });

/** As the original locks a job, on the host whose workers come next. */
async function lockAndDie(machine: Machine, id: string): Promise<void> {
  const temporary = `${QUEUE}/tmp/${id}.active`;
  await writeFile(machine, temporary, encodeBytes(`${machine.host.name}\n${NOBODY}\n`));
  await machine.files.link(temporary, `${QUEUE}/active/${id}`);
  await machine.files.unlink(temporary);
}

/** No process has this number. */
const NOBODY = 999_999;

/** What it was added with goes along as a parameter too, so that whoever settles it knows which one it is. */
function newJob(payload: Payload): NewJob {
  const name = nameIn(payload);
  return { payload, params: [payload], ...(name === undefined ? {} : { name }) };
}

async function claimedJobs(machine: Machine): Promise<number> {
  return (await listLocks(machine, QUEUE)).length;
}
