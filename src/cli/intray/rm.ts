/** `intray rm`: removes jobs, with what their runs have said. */

import { stateOf } from '../../queue/job-words.ts';
import type { Context } from '../context.ts';
import { exitStatus } from './exit-codes.ts';
import { type Change, changeJobs, type ManyJobs } from './operating.ts';
import { jobsOrAll } from './retry.ts';

type Rm = ManyJobs & { readonly options: { readonly 'all-failed': boolean } };

const REMOVE: Change = {
  past: 'removed',
  unchanged: 'is not there',
  what: 'remove jobs',
  by: (operation) => operation.remove.bind(operation),
};

export async function rm(context: Context, args: Rm): Promise<number> {
  const { 'all-failed': all } = args.options;
  const wrong = jobsOrAll(args.more, all, '--all-failed');
  if (wrong !== undefined) {
    await context.log('error', wrong);
    return exitStatus('usage');
  }
  if (!all) return changeJobs(context, args, REMOVE);
  return changeJobs(context, args, REMOVE, (jobs) => jobs.filter((job) => stateOf(job) === 'failed'));
}
