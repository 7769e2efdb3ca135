/**
 * A queue of fsq, worked by several at once. Items have no numbers and no lanes; what is to become of one stands in its
 * label, as sharing.ts has it, and goes along as an argument.
 */

import { DEFAULTS } from '../../src/fsq/constants.ts';
import { createFsq, openFsq } from '../../src/fsq/fsq.ts';
import { isPlace, placeAt } from '../../src/fsq/place.ts';
import type { NewJob } from '../../src/queue/contract.ts';
import { isQueueError } from '../../src/queue/errors.ts';
import type { Payload } from '../history.ts';
import type { Layout } from './layout.ts';
import { nameIn, placeOf, type Shared, workShared } from './sharing.ts';
import { writeFile } from './spool.ts';

const QUEUE = '/queue';

function newJob(payload: Payload): NewJob {
  const name = nameIn(payload);
  return { payload, params: [payload], ...(name === undefined ? {} : { name }) };
}

const shared: Shared = {
  open: (machine) => openFsq(machine, QUEUE),
  // Items that another has locked wait there too.
  claimedJobs: async ({ files }) => (await files.readdir(`${QUEUE}/queue`)).length,
};

export const fsq: Layout = {
  name: 'fsq',
  ignoresNumbers: true,
  isShared: true,
  claimsByLock: true,
  create: async (machine) => {
    await createFsq(machine, QUEUE);
  },
  createSender: () => Promise.reject(new Error('items of fsq are not carried by sync tools here')),
  exists: (machine) => isPlace(machine, placeAt(QUEUE, DEFAULTS)),
  laneOf: () => undefined,
  isNamed: (payload) => nameIn(payload) !== undefined,
  add: async (machine, payload, way) => {
    const durability = way === 'crash-safe' ? 'crash-safe' : 'power-safe';
    return placeOf(await (await openFsq(machine, QUEUE)).add(newJob(payload), { durability }));
  },
  addAll: async (machine, payloads) => {
    const queue = await openFsq(machine, QUEUE);
    return (await queue.addAll(payloads.map(newJob))).map(placeOf);
  },
  mayHaveAdded: (error) => isQueueError(error, 'not-durable'),
  pause: (machine) => writeFile(machine, `${QUEUE}/down`, new Uint8Array()),
  resume: async (machine) => {
    try {
      await machine.files.unlink(`${QUEUE}/down`);
    } catch {
      // It was not down.
    }
  },
  work: (machine, runner) => workShared(shared, machine, runner),
  unreadable: async (machine) => {
    const { unreadable } = await (await openFsq(machine, QUEUE)).jobs();
    return unreadable.map(({ path, message }) => `${path}: ${message}`);
  },
  skipTo: () => Promise.reject(new Error('there are no lanes')),
  notes: ['running', 'died'],
  arrivals: `${QUEUE}/queue`,
  listed: [`${QUEUE}/done`, `${QUEUE}/fail`, `${QUEUE}/tmp`],
  fixedNames: ['down', 'intray', 'intray/names', 'intray/adding'].map((name) => `${QUEUE}/${name}`),
};
