/** What the simulator has found: the scenario that showed it, gone through whole, since calls change their places. */

import { describe, expect, it } from 'vitest';
import { home } from '../../sim/layouts/home.ts';
import type { Layout } from '../../sim/layouts/layout.ts';
import { spool, spoolWith } from '../../sim/layouts/spool.ts';
import { Disk } from '../../sim/machine/disk.ts';
import { machineFor } from '../../sim/machine/machine.ts';
import { World } from '../../sim/machine/world.ts';
import { type Extent, exhaust } from '../../sim/search/exhaust.ts';
import { newTally } from '../../sim/search/explore.ts';
import { LOST_REPLIES } from '../../sim/search/faults.ts';
import { HOME_SCENARIOS } from '../../sim/search/home-scenarios.ts';
import { SCENARIOS } from '../../sim/search/scenarios.ts';
import { openSpool } from '../../src/spool/spool.ts';

type Finding = { readonly was: string; readonly scenario: string; readonly layout?: Layout } & Extent;

const FOUND: readonly Finding[] = [
  {
    was: 'a number that was not durable was relied on, and a job ran again after its successor',
    scenario: 'process-after-a-killed-one',
  },
  {
    was: 'the same by creation time: a removal that was not durable',
    scenario: 'process-after-a-killed-one',
    layout: spoolWith('spool-by-creation', { order: 'creation' }),
  },
  {
    was: 'a job of another sender could not be read, and its number was given out again',
    scenario: 'add-behind-another-sender',
    codes: ['EIO', 'EMFILE'],
  },
  {
    was: 'a creation that was broken off left a queue that took jobs and never ran them',
    scenario: 'create-and-add',
  },
  {
    was: 'over NFS a rename was done and reported as failed: two jobs got its number, and the queue stood still',
    scenario: 'add-2',
    isOverNetwork: true,
    codes: LOST_REPLIES,
  },
  {
    was: 'over NFS a host believed that there was no number yet, and gave the first one out again',
    scenario: 'add-while-adding',
    isOverNetwork: true,
    profiles: ['lasting'],
  },
  {
    was: 'a lane that was to go on without a failed job stood still when the worker died at the wrong moment',
    scenario: 'share-failing',
    layout: home,
    profiles: ['lasting'],
  },
  {
    was: 'a power cut left a claimed job in a directory whose own name was not on the disk',
    scenario: 'share-1',
    layout: home,
  },
  {
    was: "a power cut left a failed job in failed/ and in its dead worker's room, which was never emptied",
    scenario: 'share-one-failing',
    layout: home,
    profiles: ['weak'],
  },
  {
    was: 'a job was said to be there already that only a killed adder had put there, and a power cut took it',
    scenario: 'put-named-after-a-killed-one',
    layout: home,
    profiles: ['ordered'],
  },
  {
    was: 'a worker that had left an empty queue never asked it again, and waited for ever',
    scenario: 'share-lane-after-a-stopped-one',
    layout: home,
    profiles: ['lasting'],
  },
  {
    was: 'over NFS an old listing showed a job that was claimed with a lost reply: it ran twice beside itself',
    scenario: 'share-1',
    layout: home,
    isOverNetwork: true,
    profiles: ['lasting'],
    codes: LOST_REPLIES,
  },
  {
    was: 'over NFS a host did not find a named job in a room it had not seen, and added it again',
    scenario: 'share-named',
    layout: home,
    isOverNetwork: true,
    profiles: ['lasting'],
  },
  {
    was: 'one of many jobs that were added at once was there, though the call had said that none was',
    scenario: 'put-all',
    layout: home,
    profiles: ['lasting'],
    codes: ['EIO'],
  },
];

it('a worker that waits by file events asked a paused queue again and again, without a pause', async () => {
  const world = new World({ mode: 'direct' });
  const machine = machineFor(world, world.newProcess({ name: 'host', disk: new Disk('lasting') }, 'test'));
  await home.create(machine);
  await home.pause?.(machine);
  const session = await (await openSpool(machine, '/queue')).join({ watch: true });
  expect(await session.claim()).toMatchObject({ kind: 'idle', reason: 'paused' });
  const beganMs = world.nowMs;
  await session.changed(5000, new AbortController().signal);
  expect(world.nowMs - beganMs).toBeGreaterThanOrEqual(1000);
  await session.close();
});

describe.each(FOUND)('$was', ({ scenario, layout = spool, was: _was, ...extent }) => {
  it(scenario, async () => {
    const scenarios = [...SCENARIOS, ...HOME_SCENARIOS].filter(({ name }) => name === scenario);
    expect(scenarios).toHaveLength(1);
    const explorer = { layout, tally: newTally(), goOn: () => true, secondCrash: false };
    expect(await exhaust(explorer, { profiles: ['weak'], ...extent, scenarios })).toBeUndefined();
  });
});
