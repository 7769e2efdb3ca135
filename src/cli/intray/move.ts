/** `intray move`: jobs to another queue. */

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
