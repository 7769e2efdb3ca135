/** `intray move`: jobs to another queue. */

import { recognise } from '../../open/recognise.ts';
import { QueueError } from '../../queue/errors.ts';
import type { Context } from '../context.ts';
import { printable } from '../printable.ts';
import { exitStatus } from './exit-codes.ts';
import { changeJobs, type ManyJobs } from './operating.ts';

export async function move(context: Context, args: ManyJobs): Promise<number> {
  const [target, ...jobs] = [...args.more].reverse();
  if (target === undefined || jobs.length === 0) {
    await context.log(
      'error',
      'name the jobs and then the queue to move them to: intray move DIR JOB... TARGET',
    );
    return exitStatus('usage');
  }
  await refuseOtherLayout(context, args.operand, target);
  return changeJobs(
    context,
    { ...args, more: jobs.reverse() },
    {
      past: `moved to ${printable(target)}`,
      unchanged: 'is there already',
      what: 'move jobs to another queue',
      by: (operation) => {
        const moveTo = operation.move?.bind(operation);
        return moveTo && ((found) => moveTo(found, target));
      },
    },
  );
}

/** Throws `not-possible`: what a job is, each layout writes in its own way. */
async function refuseOtherLayout({ machine }: Context, queue: string, target: string): Promise<void> {
  const [from, to] = [await recognise(machine, queue), await recognise(machine, target)];
  if (from === undefined || to === undefined || from === to) return;
  throw new QueueError(
    'not-possible',
    `${target}: it is a queue of ${to.title}, and jobs are moved between queues of one layout only`,
  );
}
