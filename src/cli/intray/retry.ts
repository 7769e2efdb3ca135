/** `intray retry`: runs jobs again that have failed, or now that would wait longer. */

import { stateOf } from '../../queue/job-words.ts';
import type { FoundJob } from '../../queue/snapshot.ts';
import type { Context } from '../context.ts';
import { exitStatus } from './exit-codes.ts';
import { type Change, changeJobs, type ManyJobs } from './operating.ts';

type Retry = ManyJobs & {
  readonly options: { readonly 'all-failed': boolean; readonly limit: number | undefined };
};

const RETRY: Change = {
  past: 'waits to be run again',
  unchanged: 'waits for its turn already',
  what: 'run jobs again',
  by: (operation) => operation.retry.bind(operation),
};

export async function retry(context: Context, args: Retry): Promise<number> {
  const { 'all-failed': all, limit } = args.options;
  const wrong =
    jobsOrAll(args.more, all, '--all-failed') ??
    (limit !== undefined && !all ? '`--limit` is for `--all-failed`' : undefined);
  if (wrong !== undefined) {
    await context.log('error', wrong);
    return exitStatus('usage');
  }
  if (!all) return changeJobs(context, args, RETRY);
  return changeJobs(context, args, RETRY, (jobs) =>
    jobs
      .filter((job) => stateOf(job) === 'failed')
      .sort(byAge)
      .slice(0, limit),
  );
}

function byAge(a: FoundJob, b: FoundJob): number {
  return (a.addedMs ?? 0) - (b.addedMs ?? 0);
}

/** What is wrong when neither jobs are named nor all are meant, or both. */
export function jobsOrAll(jobs: readonly string[], all: boolean, option: string): string | undefined {
  if (all && jobs.length > 0) return `either JOBs or \`${option}\`, not both`;
  return all || jobs.length > 0 ? undefined : `name a JOB, or \`${option}\``;
}
