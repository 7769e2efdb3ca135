import { describe } from 'vitest';
import { openJetStream } from '../../src/jetstream/jetstream.ts';
import { openJetStreamKeeper } from '../../src/jetstream/keeper.ts';
import { initStream } from '../../src/jetstream/stream.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { everyMessage, putStranger } from '../support/jetstream.ts';
import { natsLack, useNats } from '../support/nats.ts';
import { useTemporary } from '../support/temporary.ts';
import { keeperContract } from './keeper-contract.ts';
import type { KeeperGround } from './keeper-ground.ts';

useTemporary();
const nats = useNats();
const lack = natsLack();
let count = 0;

async function ground(): Promise<KeeperGround> {
  count += 1;
  const location = `nats://${nats.addresses}/q${count}`;
  await initStream(realMachine, location);
  return {
    layout: 'jetstream',
    machine: realMachine,
    queue: await openJetStream(realMachine, location),
    keeper: await openJetStreamKeeper(realMachine, location),
    everything: () => everyMessage(location),
  };
}

describe.skipIf(lack !== undefined)(`JetStream${lack === undefined ? '' : `: ${lack}`}`, () => {
  keeperContract('JetStream', ground, {
    params: true,
    lanes: true,
    notBefore: true,
    hold: true,
    pause: true,
    attempts: true,
    done: true,
    runs: true,
    saidAtOnce: { lacks: 'what a run says is put into the log when it has ended' },
    move: { lacks: 'add it to the other queue, and remove it from this one' },
    gaps: { lacks: 'jobs have the numbers of their messages: none of a lane can be missing' },
    spoil: ({ location }) => putStranger(location),
    spoiledSeen: true,
  });
});
