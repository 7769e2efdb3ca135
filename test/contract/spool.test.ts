import { renameSync, writeFileSync } from 'node:fs';
import { realMachine } from '../../src/os/real/index.ts';
import type { Job, Queue } from '../../src/queue/contract.ts';
import { pause, resume } from '../../src/spool/home/rooms.ts';
import { createSpool, openSpool } from '../../src/spool/spool.ts';
import { homeQueue } from '../support/home.ts';
import { useTemporary } from '../support/temporary.ts';
import type { Ground } from './ground.ts';
import { queueContract } from './queue-contract.ts';

const temporary = useTemporary();

async function ground(queue: Promise<Queue>): Promise<Ground> {
  const { location } = await queue;
  return { queue: await queue, machine: realMachine, reopen: () => openSpool(realMachine, location) };
}

const takeAway = async (_: Queue, job: Job) => realMachine.files.unlink(job.path);

queueContract('Filespooler queue', () => ground(createSpool(realMachine, temporary.path('queue'))), {
  powerSafe: true,
  numbers: true,
  gaps: takeAway,
  exclusive: true,
  creationOrder: true,
  anyBytes: true,
  newlines: true,
  env: true,
  longParams: true,
  keeping: true,
  shared: {
    makeQueue: () => ground(homeQueue(temporary.path('queue'))),
    lanes: true,
    priority: true,
    notBefore: true,
    expires: true,
    names: true,
    gaps: takeAway,
    alone: true,
    pause: {
      pause: ({ location }) => pause(realMachine, location),
      resume: async ({ location }) => {
        await resume(realMachine, location);
      },
    },
    lose: async ({ location }, { job }) => {
      renameSync(job.path, `${location}/jobs/${job.path.slice(job.path.lastIndexOf('/') + 1)}`);
    },
    spoil: async ({ location }) => {
      writeFileSync(`${location}/jobs/fspl-spoiled.fspl`, 'no packet');
    },
  },
});
