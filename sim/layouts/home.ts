/**
 * The same directory, worked by several at once: free jobs beside each other, jobs of a lane one after the other.
 *
 * Labels: `red/...` is in the lane red; for the others see sharing.ts.
 */

import { encodeBytes } from '../../src/os/bytes.ts';
import type { Machine } from '../../src/os/ports.ts';
import type { NewJob } from '../../src/queue/contract.ts';
import { makeRooms, pause, resume, writeSettings } from '../../src/spool/home/rooms.ts';
import { listRooms } from '../../src/spool/home/worker-room.ts';
import { createSpool, openSpool } from '../../src/spool/spool.ts';
import type { Payload } from '../history.ts';
import { type Layout, numberOf } from './layout.ts';
import { workShared } from './sharing.ts';
import { spool, writeFile } from './spool.ts';

const QUEUE = '/queue';
export type HomeVariant = { readonly keepSucceeded?: boolean };

export function homeWith(name: string, variant: HomeVariant): Layout {
  const shared = { open: (machine: Machine) => openSpool(machine, QUEUE), claimedJobs, options: variant };
  return {
    ...spool,
    name,
    isShared: true,
    create: async (machine) => {
      await createSpool(machine, QUEUE);
      await makeRooms(machine, QUEUE);
      await writeSettings(machine, QUEUE, { order: 'free' });
    },
    laneOf,
    add: async (machine, payload, way) => {
      const durability = way === 'crash-safe' ? 'crash-safe' : 'power-safe';
      const queue = await openSpool(machine, QUEUE);
      return numberOf(await queue.add(newJob(payload), { durability }));
    },
    addAll: async (machine, payloads) => {
      const queue = await openSpool(machine, QUEUE);
      return (await queue.addAll(payloads.map(newJob))).map(numberOf);
    },
    pause: (machine) => pause(machine, QUEUE),
    resume: async (machine) => {
      await resume(machine, QUEUE);
    },
    work: (machine, runner) => workShared(shared, machine, runner),
    skipTo: async (machine, lane, next) => {
      const path = `${QUEUE}/lanes/${lane}`;
      await writeFile(machine, `${path}.set`, encodeBytes(`${next}\n`));
      await machine.files.rename(`${path}.set`, path);
      const directory = await machine.files.open(`${QUEUE}/lanes`, 'directory');
      await machine.files.fsync(directory);
      await machine.files.close(directory);
    },
    listed: [`${QUEUE}/work`, `${QUEUE}/lanes`],
    fixedNames: ['nextseq.lock', 'settings.json', 'paused', ...lanes()].map((file) => `${QUEUE}/${file}`),
  };
}

export const home: Layout = homeWith('home', {});

/** The other ways to work it that the library offers. */
export const HOME_VARIANTS: readonly Layout[] = [homeWith('home-keep', { keepSucceeded: true })];

function lanes(): string[] {
  return ['red', 'blue'].flatMap((lane) =>
    [lane, `${lane}.lock`, `${lane}.added`].map((name) => `lanes/${name}`),
  );
}

function laneOf(payload: Payload): string | undefined {
  return /(red|blue)\//.exec(payload)?.[1];
}

/** What it was added with goes along as a parameter too, so that whoever settles it knows which one it is. */
function newJob(payload: Payload): NewJob {
  const lane = laneOf(payload);
  const name = /named (\w+)/.exec(payload)?.[1];
  return {
    payload,
    params: [payload],
    ...(lane === undefined ? {} : { lane }),
    ...(name === undefined ? {} : { name }),
  };
}

async function claimedJobs(machine: Machine): Promise<number> {
  const rooms = await listRooms(machine, QUEUE);
  return rooms.reduce((count, { jobs }) => count + jobs.length, 0);
}
