import { writeFileSync } from 'node:fs';
import { createDirQueue } from '../../src/dirqueue/dirqueue.ts';
import { openDirQueueKeeper } from '../../src/dirqueue/keeper.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { useTemporary } from '../support/temporary.ts';
import { keeperContract } from './keeper-contract.ts';
import type { KeeperGround } from './keeper-ground.ts';

const temporary = useTemporary();

const ground = (fanout: boolean, name: string) => async (): Promise<KeeperGround> => {
  const queue = await createDirQueue(realMachine, temporary.path(name), { fanout });
  const keeper = await openDirQueueKeeper(realMachine, queue.location);
  return { layout: 'dirqueue', machine: realMachine, queue, keeper };
};

for (const fanout of [false, true]) {
  keeperContract(`DirQueue directory${fanout ? ' with fan-out' : ''}`, ground(fanout, 'queue'), {
    params: true,
    lanes: { lacks: 'the format has no lanes' },
    notBefore: true,
    hold: true,
    pause: true,
    attempts: true,
    done: true,
    runs: true,
    saidAtOnce: true,
    move: async () => (await ground(!fanout, 'other')()).keeper,
    gaps: { lacks: 'the format has no lanes' },
    spoil: async ({ location }) => {
      writeFileSync(`${location}/queue/50.20261121014123341100.SPOIL`, 'no control file');
    },
    spoiledSeen: { lacks: 'names are read, not files: that makes a look at 100,000 jobs quick' },
  });
}
