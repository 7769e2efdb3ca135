/**
 * Where things are in a Filespooler queue directory.
 *
 *     queue/nextseq        the number of the next job to process, a decimal number and a newline
 *     queue/nextseq.lock   flock(2)ed by whoever processes the queue or changes nextseq
 *     queue/jobs/          fspl-*.fspl is a complete job; every other name is not ours to look at
 *
 * A queue without the first two is append-only. Source: `man fspl`, "THE QUEUE" and "JOB FILES".
 */

import type { Random } from '../os/ports.ts';

export const JOB_PREFIX = 'fspl-';
export const JOB_SUFFIX = '.fspl';

/** The sequence file of jobs without a lane that are added here, beside the queue's own `nextseq`. */
export const OWN_SEQUENCE_FILE = 'addseq';

export function jobsDirectory(queue: string): string {
  return join(queue, 'jobs');
}

export function nextSequencePath(queue: string): string {
  return join(queue, 'nextseq');
}

/** As the original joins them: with a slash, and nothing normalised; commands see these paths. */
export function join(directory: string, name: string): string {
  return `${directory}/${name}`;
}

export function isJobName(name: string): boolean {
  return name.startsWith(JOB_PREFIX) && name.endsWith(JOB_SUFFIX);
}

/** A new job's name, as unique as a random UUID. */
export function newJobName(random: Random): string {
  return `${JOB_PREFIX}${random.uuid()}${JOB_SUFFIX}`;
}

/** The name a job has while it is being written; matches no job's name. */
export function temporaryName(random: Random): string {
  return `tmp-${newJobName(random)}.tmp`;
}
