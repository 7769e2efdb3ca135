/** Changes to a queue that somebody has asked the dashboard for. What goes wrong is thrown, as sentences. */

import { layoutNamed } from '../open/layouts.ts';
import { isSystemError } from '../os/ports.ts';
import { changeJob } from '../queue/change-job.ts';
import { isQueueError, QueueError, reasonOf } from '../queue/errors.ts';
import { stateOf } from '../queue/job-words.ts';
import type { Keeper, Operated } from '../queue/keeper.ts';
import type { FoundJob } from '../queue/snapshot.ts';
import type { JobAction } from './actions.ts';

/** Throws `job-not-found` for one that has gone. */
export async function actOnJob(
  keeper: Keeper,
  job: FoundJob,
  action: JobAction,
): Promise<'done' | 'unchanged'> {
  const operation = await keeper.operate();
  let operated: Operated;
  try {
    const act = action.by(operation);
    if (act === undefined) {
      const { title } = layoutNamed(keeper.layout);
      const what = action.label.toLowerCase();
      throw new QueueError('not-possible', `${keeper.location}: a queue of ${title} has no way to ${what}`);
    }
    operated = await changeJob(job, act, () => findAgain(keeper, job.id));
  } finally {
    await operation.close();
  }
  return operated.kind === 'done' ? 'done' : 'unchanged';
}

export type Retried = {
  readonly done: number;
  /** Those that could not be run again: how many, and why the first of them. */
  readonly refused: number;
  readonly why: string | undefined;
};

/** Runs again what has failed, the oldest first. */
export async function retryFailed(keeper: Keeper, limit: number): Promise<Retried> {
  const failed = (await keeper.everyJob(await keeper.look()))
    .filter((job) => stateOf(job) === 'failed')
    .sort((a, b) => (a.addedMs ?? 0) - (b.addedMs ?? 0))
    .slice(0, limit);
  const operation = await keeper.operate();
  let done = 0;
  let refused = 0;
  let why: string | undefined;
  try {
    for (const job of failed) {
      try {
        const act = (found: FoundJob) => operation.retry(found);
        const { kind } = await changeJob(job, act, () => findAgain(keeper, job.id));
        if (kind === 'done') done += 1;
      } catch (error) {
        // What is wrong with one job is no reason to leave the others alone.
        const ofOne = isSystemError(error) || isQueueError(error);
        if (!ofOne || isQueueError(error, 'locked', 'not-durable')) throw error;
        refused += 1;
        why ??= reasonOf(error);
      }
    }
  } finally {
    await operation.close();
  }
  return { done, refused, why };
}

async function findAgain(keeper: Keeper, id: string): Promise<FoundJob> {
  const found = (await keeper.everyJob(await keeper.look())).find((job) => job.id === id);
  if (found !== undefined) return found;
  throw new QueueError('job-not-found', `${keeper.location}: there is no job ${JSON.stringify(id)} any more`);
}
