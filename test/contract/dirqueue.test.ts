import { unlinkSync, writeFileSync } from 'node:fs';
import { createDirQueue, openDirQueue } from '../../src/dirqueue/dirqueue.ts';
import { pause, resume } from '../../src/dirqueue/layout.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { useTemporary } from '../support/temporary.ts';
import type { Ground } from './ground.ts';
import { queueContract } from './queue-contract.ts';

const temporary = useTemporary();

const ground = (fanout: boolean) => async (): Promise<Ground> => {
  const location = temporary.path('queue');
  return {
    queue: await createDirQueue(realMachine, location, { fanout }),
    machine: realMachine,
    reopen: () => openDirQueue(realMachine, location),
  };
};

const noNumbers = { lacks: 'the format has no numbers: jobs run in the order of their names' };

for (const fanout of [false, true]) {
  queueContract(`DirQueue directory${fanout ? ' with fan-out' : ''}`, ground(fanout), {
    powerSafe: true,
    numbers: noNumbers,
    gaps: noNumbers,
    exclusive: { lacks: 'the format knows no worker that is alone' },
    creationOrder: true,
    anyBytes: true,
    newlines: { lacks: 'metadata are lines: the format says that a value with a newline is an error' },
    env: true,
    longParams: true,
    keeping: { lacks: 'jobs that are over leave queue/, where workers of the original would run them again' },
    shared: {
      makeQueue: ground(fanout),
      lanes: { lacks: 'the format has no lanes' },
      priority: true,
      notBefore: true,
      expires: true,
      names: true,
      gaps: noNumbers,
      alone: { lacks: 'the format knows no worker that is alone' },
      pause: {
        pause: ({ location }) => pause(realMachine, location),
        resume: async ({ location }) => {
          await resume(realMachine, location);
        },
      },
      lose: async ({ location }, { job }) => {
        unlinkSync(`${location}/active/${job.id}`);
        writeFileSync(`${location}/intray/starts/${job.id}`, '1\n');
      },
      spoil: async ({ location }) => {
        writeFileSync(`${location}/queue/50.20261121014123341100.SPOIL`, 'no control file');
      },
    },
  });
}
