/** The jobs of a queue that a page shows, with what they bring. */

import { reasonOf } from '../queue/errors.ts';
import { paramsOf } from '../queue/job-words.ts';
import type { Keeper } from '../queue/keeper.ts';
import type { FoundJob, QueueSnapshot } from '../queue/snapshot.ts';
import { type Filter, type Page, pageOf, passes } from './filter.ts';
import type { JobRow } from './pages/queue.ts';

export async function jobPage(
  keeper: Keeper,
  snapshot: QueueSnapshot,
  filter: Filter,
  size: number,
): Promise<Page<JobRow>> {
  const all =
    filter.state === 'done' || filter.state === 'unreadable'
      ? await keeper.everyJob(snapshot)
      : currentJobs(snapshot);
  const page = pageOf(
    all.filter((job) => passes(job, filter)),
    filter.page,
    size,
  );
  const rows: JobRow[] = [];
  for (const job of page.rows) rows.push({ job, params: await paramsIn(keeper, job) });
  return { ...page, rows };
}

/** Those that run, those that will, and those that have failed; without a look at the disk. */
function currentJobs({ running, waiting, failed }: QueueSnapshot): readonly FoundJob[] {
  return [...running, ...waiting, ...failed];
}

/** Of a job that cannot be read, why: the others are shown all the same. */
async function paramsIn(keeper: Keeper, job: FoundJob): Promise<string> {
  try {
    const params = paramsOf(await keeper.contents(job));
    return params.length > LONGEST_PARAMS ? `${params.slice(0, LONGEST_PARAMS)}…` : params;
  } catch (error) {
    return `(${reasonOf(error)})`;
  }
}

const LONGEST_PARAMS = 300;
