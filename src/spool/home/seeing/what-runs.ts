/** What somebody who wants a queue to be at rest has to wait for. */

import { toMs } from '../../../os/calendar.ts';
import type { Machine } from '../../../os/ports.ts';
import type { WhatRuns } from '../../../queue/keeper.ts';
import { inHand } from '../../../queue/keeper-parts.ts';
import { nextSequencePath } from '../../layout.ts';
import { isLocked, seeWorkers } from './workers.ts';

export async function whatRuns(machine: Machine, queue: string): Promise<WhatRuns> {
  const workers = await seeWorkers(machine, queue, toMs(machine.clock.now()));
  const alone = (await isLocked(machine, `${nextSequencePath(queue)}.lock`)) === true;
  return { ...inHand(workers), alone };
}
