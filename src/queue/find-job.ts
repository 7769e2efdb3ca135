/**
 * Which job is meant, by what people type:
 *
 *     0c2b1f6e-...            its id, or any beginning of it with at least 4 characters
 *     fspl-....fspl           the name of its file
 *     /queue/failed/fspl-...  that file, as it is printed
 *     #17                     its number, where only one has it
 */

import { QueueError } from './errors.ts';
import type { FoundJob } from './snapshot.ts';

const LEAST_BEGINNING = 4;
const MOST_CANDIDATES = 10;

/** Throws `job-not-found`, and `job-ambiguous` with those that could be meant. */
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
    .map(({ place, id, name }) => `  ${place.padEnd(10)} ${JSON.stringify(id)}, ${JSON.stringify(name)}`);
  if (found.length > shown.length) shown.push(`  and ${found.length - shown.length} more`);
  throw new QueueError(
    'job-ambiguous',
    `${queue}: ${JSON.stringify(text)} could be any of ${found.length} jobs:\n${shown.join('\n')}`,
  );
}

/** The first way of naming that fits anything decides: a whole id is never taken for the beginning of another. */
function matching(jobs: readonly FoundJob[], text: string): FoundJob[] {
  const ways: ((job: FoundJob) => boolean)[] = [
    ({ path }) => path === text,
    ({ name }) => name === text,
    ({ id }) => id === text,
  ];
  if (/^#\d+$/.test(text)) {
    const number = BigInt(text.slice(1));
    ways.push(({ seq }) => seq === number);
  } else if (text.length >= LEAST_BEGINNING) ways.push(({ id }) => id.startsWith(text));
  for (const fits of ways) {
    const found = jobs.filter(fits);
    if (found.length > 0) return found;
  }
  return [];
}
