import { describe } from 'vitest';
import { openJetStream } from '../../src/jetstream/jetstream.ts';
import { initStream } from '../../src/jetstream/stream.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { pauseQueue, putStranger, takeAway } from '../support/jetstream.ts';
import { natsLack, useNats } from '../support/nats.ts';
import { useTemporary } from '../support/temporary.ts';
import type { Ground } from './ground.ts';
import { queueContract } from './queue-contract.ts';

useTemporary();
const nats = useNats();
const lack = natsLack();
let count = 0;

async function makeQueue(): Promise<Ground> {
  count += 1;
  const location = `nats://${nats.addresses}/q${count}`;
  await initStream(realMachine, location);
  return {
    queue: await openJetStream(realMachine, location),
    machine: realMachine,
    reopen: () => openJetStream(realMachine, location),
  };
}

const BY_PRIORITY = { lacks: 'jobs without a lane start by priority and age' };
const NOBODY_KEPT_OUT = { lacks: 'nobody has a queue to himself' };
const NO_FILES = { lacks: 'the log has what is over as failed or done, and it is not listed as waiting' };

describe.skipIf(lack !== undefined)(`JetStream${lack === undefined ? '' : `: ${lack}`}`, () => {
  queueContract('JetStream', makeQueue, {
    powerSafe: { lacks: 'servers do not say whether they have synced what they confirm: it is refused' },
    numbers: BY_PRIORITY,
    gaps: BY_PRIORITY,
    exclusive: NOBODY_KEPT_OUT,
    creationOrder: true,
    anyBytes: true,
    newlines: true,
    env: true,
    longParams: { lacks: 'params and env are part of a header, of which the servers take 64 KiB' },
    keeping: NO_FILES,
    shared: {
      makeQueue,
      lanes: true,
      priority: true,
      notBefore: true,
      expires: true,
      names: true,
      gaps: { lacks: 'jobs have the numbers of their messages: none of a lane can be missing' },
      alone: NOBODY_KEPT_OUT,
      pause: {
        pause: ({ location }) => pauseQueue(location, true),
        resume: ({ location }) => pauseQueue(location, false),
      },
      lose: ({ location }, { job }) => takeAway(location, job.id),
      spoil: ({ location }) => putStranger(location),
    },
  });
});
