/** The jobs of a queue that a page shows, with what they bring. */

import { reasonOf } from '../queue/errors.ts';
import { paramsOf } from '../queue/job-words.ts';
import type { Keeper } from '../queue/keeper.ts';
import type { FoundJob, QueueSnapshot } from '../queue/snapshot.ts';
import { type Filter, isAmong, isCalled, meansNumber, pageOf } from './filter.ts';
import type { JobPage, JobRow } from './pages/queue.ts';

/** Each is a file to be opened. */
const SEARCHED_JOBS = 2000;

export async function jobPage(
  keeper: Keeper,
  snapshot: QueueSnapshot,
  filter: Filter,
  size: number,
): Promise<JobPage> {
  const all =
    filter.state === 'done' || filter.state === 'unreadable'
      ? await keeper.everyJob(snapshot)
      : currentJobs(snapshot);
  const { found, unsearched } = await search(
    keeper,
    all.filter((job) => isAmong(job, filter)),
    filter,
  );
  const page = pageOf(found, filter.page, size);
  const rows: JobRow[] = [];
  for (const job of page.rows) rows.push({ job, params: await paramsIn(keeper, job) });
  return { ...page, rows, unsearched };
}

/** Those with the text in their names, and, of as many as can be opened meanwhile, in their parameters. */
async function search(
  keeper: Keeper,
  jobs: readonly FoundJob[],
  filter: Filter,
): Promise<{ readonly found: readonly FoundJob[]; readonly unsearched: number }> {
  if (filter.text === '' || meansNumber(filter.text)) {
    return { found: jobs.filter((job) => isCalled(job, filter)), unsearched: 0 };
  }
  const found: FoundJob[] = [];
  let opened = 0;
  let unsearched = 0;
  for (const job of jobs) {
    if (isCalled(job, filter)) found.push(job);
    else if (opened >= SEARCHED_JOBS) unsearched += 1;
    else {
      opened += 1;
      if ((await paramsIn(keeper, job)).includes(filter.text)) found.push(job);
    }
  }
  return { found, unsearched };
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
