import { unlinkSync, writeFileSync } from 'node:fs';
import { realMachine } from '../../src/os/real/index.ts';
import { openSpoolKeeper } from '../../src/spool/home/keeper.ts';
import { homeQueue } from '../support/home.ts';
import { useTemporary } from '../support/temporary.ts';
import { keeperContract } from './keeper-contract.ts';
import type { KeeperGround } from './keeper-ground.ts';

const temporary = useTemporary();

async function ground(): Promise<KeeperGround> {
  const queue = await homeQueue(temporary.path('queue'));
  const keeper = await openSpoolKeeper(realMachine, queue.location);
  return { layout: 'filespooler', machine: realMachine, queue, keeper };
}

keeperContract('Filespooler queue with rooms', ground, {
  params: true,
  lanes: true,
  notBefore: true,
  hold: true,
  pause: true,
  attempts: true,
  done: true,
  runs: true,
  saidAtOnce: true,
  move: async () => {
    const { location } = await homeQueue(temporary.path('other'));
    return openSpoolKeeper(realMachine, location);
  },
  gaps: async (_, { path }) => unlinkSync(path),
  spoil: async ({ location }) => writeFileSync(`${location}/jobs/fspl-spoiled.fspl`, '*FILESPOOLER'),
  spoiledSeen: true,
});
