/**
 * Which job is meant, by what people type:
 *
 *     0c2b1f6e-...            its stem, or any beginning of it with at least 4 characters
 *     fspl-....fspl           the name of its file
 *     /queue/failed/fspl-...  that file, as it is printed
 *     #17                     its number, where only one has it
 */

import type { Machine } from '../../os/ports.ts';
import type { Sequence } from '../../packet/header.ts';
import { QueueError } from '../../queue/errors.ts';
import { stemOf } from './job-name.ts';
import { listStored, type QueueSnapshot, type RunningJob, type StoredJob } from './snapshot-parts.ts';
import type { StandingJob } from './standing.ts';

const LEAST_BEGINNING = 4;
const MOST_CANDIDATES = 10;

export type FoundJob = { readonly name: string; readonly path: string; readonly stem: string } & (
  | { readonly place: 'waiting'; readonly job: StandingJob }
  | { readonly place: 'running'; readonly job: RunningJob }
  | { readonly place: 'failed' | 'done'; readonly job: StoredJob }
  | { readonly place: 'unreadable'; readonly message: string }
);

/** Throws `job-not-found`, and `job-ambiguous` with those that could be meant. */
export async function findJob(machine: Machine, snapshot: QueueSnapshot, text: string): Promise<FoundJob> {
  return pickJob(snapshot.queue, await everyJob(machine, snapshot), text);
}

/** The same among these. */
export function pickJob(queue: string, all: readonly FoundJob[], text: string): FoundJob {
  const found = matching(all, text);
  const [only, ...more] = found;
  if (only === undefined) {
    const short = !text.startsWith('#') && text.length < LEAST_BEGINNING;
    const why = short ? `; give at least ${LEAST_BEGINNING} characters of its name, or #NUMBER` : '';
    throw new QueueError('job-not-found', `${queue}: there is no job ${JSON.stringify(text)}${why}`);
  }
  if (more.length === 0) return only;
  const shown = found
    .slice(0, MOST_CANDIDATES)
    .map(({ place, stem, name }) => `  ${place.padEnd(10)} ${JSON.stringify(stem)}, ${JSON.stringify(name)}`);
  if (found.length > shown.length) shown.push(`  and ${found.length - shown.length} more`);
  throw new QueueError(
    'job-ambiguous',
    `${queue}: ${JSON.stringify(text)} could be any of ${found.length} jobs:\n${shown.join('\n')}`,
  );
}

export async function everyJob(machine: Machine, snapshot: QueueSnapshot): Promise<FoundJob[]> {
  const { queue, waiting, running, failed, unreadable } = snapshot;
  const done = await listStored(machine, queue, 'done');
  return [
    ...waiting.map(
      (job): FoundJob => ({
        place: 'waiting',
        name: job.name,
        path: `${queue}/jobs/${job.name}`,
        stem: job.stem,
        job,
      }),
    ),
    ...running.map(
      (job): FoundJob => ({ place: 'running', name: job.name, path: job.path, stem: job.stem, job }),
    ),
    ...failed.map((job): FoundJob => ({ place: 'failed', ...job, job })),
    ...done.map((job): FoundJob => ({ place: 'done', ...job, job })),
    ...unreadable.map(({ path, message }): FoundJob => {
      const name = path.slice(path.lastIndexOf('/') + 1);
      return { place: 'unreadable', name, path, stem: stemOf(name), message };
    }),
  ];
}

/** The first way of naming that fits anything decides: a whole stem is never taken for the beginning of another. */
function matching(jobs: readonly FoundJob[], text: string): FoundJob[] {
  const ways: ((job: FoundJob) => boolean)[] = [
    ({ path }) => path === text,
    ({ name }) => name === text,
    ({ stem }) => stem === text,
  ];
  if (/^#\d+$/.test(text)) {
    const number = BigInt(text.slice(1));
    ways.push((job) => seqOf(job) === number);
  } else if (text.length >= LEAST_BEGINNING) ways.push(({ stem }) => stem.startsWith(text));
  for (const fits of ways) {
    const found = jobs.filter(fits);
    if (found.length > 0) return found;
  }
  return [];
}

/** Undefined where only the header says it, and nobody has read that. */
export function seqOf(job: FoundJob): Sequence | undefined {
  if (job.place === 'unreadable') return undefined;
  return 'said' in job.job ? job.job.said?.seq : job.job.seq;
}
