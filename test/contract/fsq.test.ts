import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createFsq, openFsq } from '../../src/fsq/fsq.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { useTemporary } from '../support/temporary.ts';
import type { Ground } from './ground.ts';
import { queueContract } from './queue-contract.ts';

const temporary = useTemporary();

async function makeQueue(): Promise<Ground> {
  const queue = await createFsq(realMachine, temporary.path('queue'));
  return { queue, machine: realMachine, reopen: () => openFsq(realMachine, queue.location) };
}

const OLDEST_FIRST = { lacks: 'items have no numbers: the oldest is the first' };
const NOBODY_KEPT_OUT = { lacks: 'each item has a lock of its own: nobody has a queue to himself' };
const NO_PLACE = { lacks: 'the format has no place for it, and it is refused' };

queueContract('fsq queue', makeQueue, {
  powerSafe: true,
  numbers: OLDEST_FIRST,
  gaps: OLDEST_FIRST,
  exclusive: NOBODY_KEPT_OUT,
  creationOrder: true,
  anyBytes: { lacks: 'arguments are text in FSQ_CHARSET' },
  newlines: NO_PLACE,
  env: NO_PLACE,
  longParams: { lacks: 'arguments are part of a file name, which takes 255 bytes' },
  keeping: { lacks: 'what is over is moved to done/ and fail/, always' },
  shared: {
    makeQueue,
    lanes: NO_PLACE,
    priority: NO_PLACE,
    notBefore: true,
    expires: { lacks: 'FSQ_TTL is for all items' },
    names: true,
    gaps: OLDEST_FIRST,
    alone: NOBODY_KEPT_OUT,
    pause: {
      pause: async ({ location }) => writeFileSync(`${location}/down`, ''),
      resume: async ({ location }) => rmSync(`${location}/down`),
    },
    lose: async (_, { job }) => renameSync(job.path, job.path.replace(/^(.*\/(?:_[^_]*){4})_0/, '$1_1')),
    spoil: async ({ location }) => symlinkSync('nowhere', `${location}/queue/_20260101000000_0_1_host_0`),
  },
});
