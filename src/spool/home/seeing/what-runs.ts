/** What somebody who wants a queue to be at rest has to wait for. */

import { toMs } from '../../../os/calendar.ts';
import type { Machine } from '../../../os/ports.ts';
import type { WhatRuns } from '../../../queue/keeper.ts';
import { nextSequencePath } from '../../layout.ts';
import { isLocked, seeWorkers } from './workers.ts';

export async function whatRuns(machine: Machine, queue: string): Promise<WhatRuns> {
  let jobs = 0;
  let abandoned = 0;
  for (const worker of await seeWorkers(machine, queue, toMs(machine.clock.now()))) {
    if (worker.life === 'dead' || worker.life === 'silent') abandoned += worker.jobs;
    else jobs += worker.jobs;
  }
  const alone = (await isLocked(machine, `${nextSequencePath(queue)}.lock`)) === true;
  return { jobs, abandoned, alone };
}
