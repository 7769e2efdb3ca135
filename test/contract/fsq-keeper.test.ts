import { symlinkSync } from 'node:fs';
import { createFsq } from '../../src/fsq/fsq.ts';
import { openFsqKeeper } from '../../src/fsq/keeper.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { useTemporary } from '../support/temporary.ts';
import { keeperContract } from './keeper-contract.ts';
import type { KeeperGround } from './keeper-ground.ts';

const temporary = useTemporary();

async function ground(name = 'queue'): Promise<KeeperGround> {
  const queue = await createFsq(realMachine, temporary.path(name));
  const keeper = await openFsqKeeper(realMachine, queue.location);
  return { layout: 'fsq', machine: realMachine, queue, keeper };
}

keeperContract('fsq queue', ground, {
  params: true,
  lanes: { lacks: 'the format has no place for lanes' },
  notBefore: true,
  hold: true,
  pause: true,
  attempts: true,
  done: true,
  runs: true,
  saidAtOnce: true,
  move: async () => (await ground('other')).keeper,
  gaps: { lacks: 'the format has no place for lanes' },
  spoil: async ({ location }) => symlinkSync('nowhere', `${location}/queue/_20260101000000_0_1_host_0`),
  spoiledSeen: true,
});
