/** An operator that is killed before any of its changes: no job is lost, and what the tables of hand.ts, move.ts, skip.ts say. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { realMachine } from '../../../../src/os/real/index.ts';
import type { Queue } from '../../../../src/queue/contract.ts';
import { Operator } from '../../../../src/spool/home/operating/operator.ts';
import { skipLane } from '../../../../src/spool/home/operating/skip.ts';
import { takeSnapshot } from '../../../../src/spool/home/seeing/snapshot.ts';
import { everyJob } from '../../../../src/spool/home/seeing/snapshot-parts.ts';
import { serveQueues } from '../../../../src/worker/serve.ts';
import { addNamed, failNext, homeQueue } from '../../../support/home-queues.ts';
import { useTemporary } from '../../../support/temporary.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const BUN = join(root, 'node_modules/.bin/bun');
const KILLABLE = join(root, 'test/support/operator-to-kill.ts');
const MOST_CALLS = 60;

const temporary = useTemporary();

/** True when it came to its end before it was to be killed. */
function operated(call: number, args: readonly string[], env: Record<string, string> = {}): boolean {
  const result = spawnSync(BUN, ['--no-install', KILLABLE, String(call), ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  if (result.status !== 0 && result.signal !== 'SIGKILL') throw new Error(result.stderr);
  return result.status === 0;
}

/** Runs all that may run, past gaps, each of which is said before. */
async function runAll(path: string, queue: Queue, lane = 'alice'): Promise<{ ran: string[]; gaps: number }> {
  const ran: string[] = [];
  for (let gaps = 0; ; gaps++) {
    await serveQueues(realMachine, [queue], ({ work }) => {
      if (work.kind === 'command') ran.push(work.params[0] ?? '');
    });
    const { counts } = await takeSnapshot(realMachine, path);
    if (counts.gap === 0) return { ran, gaps };
    const operator = new Operator(realMachine, path);
    await skipLane(operator, lane);
    await operator.close();
  }
}

async function laneOf(path: string, names: readonly string[]): Promise<{ queue: Queue; ids: string[] }> {
  const queue = await homeQueue(path);
  const ids: string[] = [];
  for (const name of names) ids.push(await addNamed(queue, name, { lane: 'alice' }));
  return { queue, ids };
}

async function placesOf(path: string, stem: string): Promise<string[]> {
  const all = await everyJob(realMachine, await takeSnapshot(realMachine, path));
  return all.filter((job) => job.id === stem).map(({ place }) => place);
}

/** Kills before the first change, before the second, and so on, until there is none left. */
async function killedAtEach(attempt: (call: number, path: string) => Promise<boolean>): Promise<void> {
  for (let call = 1; call <= MOST_CALLS; call++) {
    const path = temporary.path(`q${call}`);
    if (await attempt(call, path)) {
      expect(call, 'there was something to kill').toBeGreaterThan(3);
      return;
    }
  }
  throw new Error(`still not through after ${MOST_CALLS} changes`);
}

it.each([0, 1])(
  'removing job %i of a lane',
  async (index) => {
    await killedAtEach(async (call, path) => {
      const { queue, ids } = await laneOf(path, ['0', '1', '2']);
      const over = operated(call, [path, 'remove', ids[index] ?? '']);
      const { ran } = await runAll(path, queue);
      const others = ['0', '1', '2'].filter((name) => name !== `${index}`);
      // It may be there still, but the others run, once and in order.
      expect(
        ran.filter((name) => name !== `${index}`),
        `killed before change ${call}`,
      ).toEqual(others);
      if (over) expect(ran).toEqual(others);
      return over;
    });
  },
  120_000,
);

it('moving a lane on past a job that has failed', async () => {
  await killedAtEach(async (call, path) => {
    const { queue, ids } = await laneOf(path, ['0', '1']);
    await failNext(queue, 'no', 'hold');
    const over = operated(call, [path, 'skip', 'alice']);
    const { ran } = await runAll(path, queue);
    const places = await placesOf(path, ids[0] ?? '');
    expect(places, `killed before change ${call}`).toHaveLength(1);
    if (places[0] === 'failed') expect(ran).toEqual(['1']);
    else expect([places[0], ran]).toEqual(['waiting', []]);
    return over;
  });
}, 120_000);

it.each([0, 1])(
  'moving job %i of a lane to another queue',
  async (index) => {
    await killedAtEach(async (call, path) => {
      const { queue, ids } = await laneOf(path, ['0', '1', '2']);
      const target = await homeQueue(`${path}-target`);
      const over = operated(call, [path, 'move', ids[index] ?? '', `${path}-target`]);
      const here = await runAll(path, queue);
      const there = await runAll(`${path}-target`, target);
      expect([...here.ran, ...there.ran].sort(), `killed before change ${call}`).toEqual(['0', '1', '2']);
      expect(here.ran).toEqual([...here.ran].sort());
      if (over) expect(here.gaps).toBe(0);
      return over;
    });
  },
  120_000,
);

it('moving a job to another file system', async () => {
  await killedAtEach(async (call, path) => {
    const { queue, ids } = await laneOf(path, ['0', '1']);
    const target = await homeQueue(`${path}-target`);
    const over = operated(call, [path, 'move', ids[0] ?? '', `${path}-target`], { OTHER_FILE_SYSTEM: '1' });
    const here = await runAll(path, queue);
    const there = await runAll(`${path}-target`, target);
    // At worst in both queues.
    expect([...new Set([...here.ran, ...there.ran])].sort(), `killed before change ${call}`).toEqual([
      '0',
      '1',
    ]);
    if (over) expect([here.ran, there.ran, here.gaps]).toEqual([['1'], ['0'], 0]);
    return over;
  });
}, 120_000);

it('trying a job again that its lane has gone on without', async () => {
  await killedAtEach(async (call, path) => {
    const { queue, ids } = await laneOf(path, ['0', '1']);
    await failNext(queue, 'no', 'skip');
    const over = operated(call, [path, 'retry', ids[0] ?? '']);
    const places = await placesOf(path, ids[0] ?? '');
    expect(places.length, `killed before change ${call}`).toBeGreaterThan(0);
    const { ran } = await runAll(path, queue);
    expect(ran.filter((name) => name === '1')).toEqual(['1']);
    expect(ran.includes('0') || places.includes('failed'), `killed before change ${call}`).toBe(true);
    if (over) expect([places, ran]).toEqual([['waiting'], ['1', '0']]);
    return over;
  });
}, 120_000);
