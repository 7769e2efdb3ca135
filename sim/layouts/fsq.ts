/**
 * A queue of fsq, worked by several at once. Items have no numbers and no lanes; what is to become of one stands in its
 * label, as in home.ts, and goes along as an argument.
 */

import { DEFAULTS } from '../../src/fsq/constants.ts';
import { createFsq, openFsq } from '../../src/fsq/fsq.ts';
import { isPlace, placeAt } from '../../src/fsq/place.ts';
import type { Machine } from '../../src/os/ports.ts';
import { sleep } from '../../src/os/sleep.ts';
import { isQueueError } from '../../src/queue/errors.ts';
import type { Payload } from '../history.ts';
import { LEASES_OVER_MS, MANNER, ROUNDS_LIMIT, serve } from './home.ts';
import { type Layout, placeOf } from './layout.ts';
import { writeFile } from './spool.ts';

const QUEUE = '/queue';

const newJob = (payload: Payload) => ({ payload, params: [payload] });

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
  work: async (machine, runner) => {
    const { manner = MANNER } = runner;
    for (let round = 1; ; round++) {
      const idle = await serve(machine, await openFsq(machine, QUEUE), runner, manner);
      const isIdle = idle === undefined || idle.reason === 'empty';
      if (!manner.isPatient || (isIdle && !(await isAnythingLeft(machine)))) return { kind: 'empty' };
      if (round === ROUNDS_LIMIT) throw new Error(`after ${round} rounds it is still ${idle?.reason}`);
      await sleep(machine.clock, LEASES_OVER_MS);
    }
  },
  unreadable: async (machine) => {
    const { unreadable } = await (await openFsq(machine, QUEUE)).jobs();
    return unreadable.map(({ path, message }) => `${path}: ${message}`);
  },
  skipTo: () => Promise.reject(new Error('there are no lanes')),
  arrivals: `${QUEUE}/queue`,
  listed: [`${QUEUE}/done`, `${QUEUE}/fail`, `${QUEUE}/tmp`],
  fixedNames: [`${QUEUE}/down`, `${QUEUE}/intray`],
};

/** Items that another has locked wait here too. */
async function isAnythingLeft({ files }: Machine): Promise<boolean> {
  return (await files.readdir(`${QUEUE}/queue`)).length > 0;
}
