/** An operator's changes to a Filespooler queue, as an `Operation`. */

import type { Machine } from '../../../os/ports.ts';
import type { Operation } from '../../../queue/keeper.ts';
import type { Decoder } from '../../open-packet.ts';
import { applyRepair } from '../repairing/apply-repair.ts';
import { moveJob, openTarget, type Target } from './move.ts';
import { Operator } from './operator.ts';
import { holdJob, releaseJob, removeJob, retryJob } from './single-jobs.ts';
import { skipLane } from './skip.ts';

export function operationOn(machine: Machine, queue: string, decoder?: Decoder | undefined): Operation {
  const operator = new Operator(machine, queue, decoder);
  const targets = new Map<string, Target>();
  return {
    hold: (job) => holdJob(operator, job),
    release: (job) => releaseJob(operator, job),
    retry: (job) => retryJob(operator, job),
    remove: (job) => removeJob(operator, job),
    skip: (lane) => skipLane(operator, lane),
    move: async (job, path) => {
      const target = targets.get(path) ?? (await openTarget(operator, path));
      targets.set(path, target);
      return moveJob(operator, job, target);
    },
    repair: (findings) => applyRepair(operator, findings),
    close: () => operator.close(),
  };
}
