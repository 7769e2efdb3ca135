/** What somebody who wants a queue to be at rest has to wait for. */

import { toMs } from '../../os/calendar.ts';
import type { Machine } from '../../os/ports.ts';
import { nextSequencePath } from '../layout.ts';
import { isLocked, seeWorkers } from './workers.ts';

export type Running = {
  /** Jobs that workers have in hand. */
  readonly jobs: number;
  /** Jobs whose worker is dead, or silent: they wait for another one to bring them back. */
  readonly abandoned: number;
  /** Somebody works it alone, as the original does. */
  readonly alone: boolean;
};

export async function whatRuns(machine: Machine, queue: string): Promise<Running> {
  let jobs = 0;
  let abandoned = 0;
  for (const worker of await seeWorkers(machine, queue, toMs(machine.clock.now()))) {
    if (worker.life === 'dead' || worker.life === 'silent') abandoned += worker.jobs.length;
    else jobs += worker.jobs.length;
  }
  const alone = (await isLocked(machine, `${nextSequencePath(queue)}.lock`)) === true;
  return { jobs, abandoned, alone };
}
