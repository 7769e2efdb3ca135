/**
 * The storms of test/faults, with their queues on the volume and their workers on two machines: kill -9 of workers of both,
 * and short leases. In long runs, bad weather besides: a brick is killed and comes back, a machine is cut off for a while.
 */

import { mkdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { chance, pauseMs } from '../../faults/support/chance.ts';
import { DirQueueStorm } from '../../faults/support/dirqueue-storm.ts';
import { FsqStorm } from '../../faults/support/fsq-storm.ts';
import { KillStorm } from '../../faults/support/kill-storm.ts';
import { LaneStorm } from '../../faults/support/lane-storm.ts';
import { LONGER } from '../../faults/support/needs.ts';
import type { StormPlace } from '../../faults/support/storm.ts';
import type { Ground } from './ground.ts';

const LANE_KILLS = 8 * LONGER;
const KILLS = 8 * LONGER;
const DIRQUEUE = { jobs: 40 * LONGER, leaseMs: 2000, deadlineMs: 120_000 * LONGER };
const DIRQUEUE_KILLS = 5 * LONGER;
const FSQ_KILLS = 8 * LONGER;
const LEASE_MS = 2000;
/** A start there takes so much longer, and what is to be met comes later. */
const SLOWNESS = 8;

/** Longer than a lease, so that what the machine has is taken from it. */
const CUT_OFF_MS = 3 * LEASE_MS;
const CALM_MS = 5000;

export function stormsOnTwoMachines(ground: Ground): void {
  function place(name: string): StormPlace {
    const { cluster, directory } = ground;
    const notes = `${directory}/storm-${name}`;
    const here = `${cluster.mountOf('c1')}/storm-${name}`;
    mkdirSync(notes);
    mkdirSync(here);
    const sites = [cluster.site('c1'), cluster.site('c2')];
    return { notes, here, there: `${cluster.mount}/storm-${name}`, sites, slowness: SLOWNESS };
  }

  /** Until `storm` is over. c1 stays connected: this process sees the volume through it. */
  async function inBadWeather(storm: Promise<void>): Promise<void> {
    let isOver = LONGER === 1;
    const over = storm.finally(() => {
      isOver = true;
    });
    const weather = async () => {
      while (!isOver) {
        ground.cluster.killBrick('b2');
        await pauseMs(CALM_MS);
        ground.cluster.startBricks();
        await ground.cluster.untilHealed();
        ground.cluster.link('c2', 'down');
        await pauseMs(CUT_OFF_MS);
        ground.cluster.link('c2', 'up');
        await pauseMs(CALM_MS);
      }
    };
    await Promise.all([over, weather()]);
  }

  it('lanes: loses no job, keeps their order, and runs none twice at once', async () => {
    const random = chance();
    const storm = await LaneStorm.over(place('lanes'), random, { kills: LANE_KILLS, leaseMs: LEASE_MS });
    try {
      await inBadWeather(storm.blow());
      await storm.heal();
    } finally {
      storm.endAll();
      console.log(`lane storm on GlusterFS, seed ${random.seed}: ${JSON.stringify(storm.counts())}`);
    }
    expect(storm.problems(), `seed ${random.seed}`).toEqual([]);
  });

  it('senders and processors: loses no job, keeps the order, and runs none twice at once', async () => {
    const random = chance();
    const storm = new KillStorm(place('kills'), random);
    try {
      await storm.blow(KILLS);
    } finally {
      console.log(`kill storm on GlusterFS, seed ${random.seed}: ${JSON.stringify(storm.counts())}`);
    }
    expect(storm.judge().problems, `seed ${random.seed}`).toEqual([]);
  });

  it('IPC::DirQueue: loses no job, and runs none beside itself', async () => {
    const random = chance();
    const storm = await DirQueueStorm.over(place('dirqueue'), DIRQUEUE);
    try {
      await storm.launch(4);
      await storm.blow(DIRQUEUE_KILLS, random);
      await storm.untilAllAreDone();
      await storm.end();
    } finally {
      storm.endAll();
      console.log(`DirQueue storm on GlusterFS, seed ${random.seed}: ${JSON.stringify(storm.counts())}`);
    }
    expect(storm.problems(), `seed ${random.seed}`).toEqual([]);
    await storm.lookUntilNothingIsLeft();
  });

  it('fsq: loses no item, and runs none beside itself', async () => {
    const random = chance();
    const storm = new FsqStorm(place('fsq'), random);
    await storm.blow(FSQ_KILLS);
    console.log(`kill storm of fsq on GlusterFS, seed ${random.seed}: ${JSON.stringify(storm.counts())}`);
    storm.judge();
  });
}
