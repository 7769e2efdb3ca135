/** `intray move`: jobs to another queue. */

import { moveJob, openTarget, type Target } from '../../spool/home/move.ts';
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
  let opened: Target | undefined;
  return changeJobs(
    context,
    { ...args, more: jobs.reverse() },
    {
      past: `moved to ${printable(target)}`,
      unchanged: 'is there already',
      act: async (operator, found) => {
        opened ??= await openTarget(operator, target);
        return moveJob(operator, found, opened);
      },
    },
  );
}
