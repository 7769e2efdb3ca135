/**
 * How the commands of `intray` end, for scripts. (Those of `fspl` end as the original's: 0, 1 or 2.) Numbers from 126 on
 * are the shells' own: not started, killed by a signal.
 */

import { isQueueError } from '../../queue/errors.ts';

export const EXIT_CODES = {
  done: { status: 0, meaning: 'done; all is well' },
  error: { status: 1, meaning: 'it could not be done; standard error says why' },
  usage: { status: 2, meaning: 'the command line is not understood' },
  idle: { status: 3, meaning: 'there was nothing to do' },
  gap: { status: 4, meaning: 'the queue waits for a job whose number is missing' },
  jobFailed: { status: 5, meaning: 'a job failed' },
  damaged: { status: 6, meaning: 'something in the queue is damaged' },
  locked: { status: 7, meaning: 'another process is working on the queue' },
  unsafe: { status: 8, meaning: 'a promise of GUARANTEES.md does not hold here' },
  blocked: { status: 9, meaning: 'jobs wait that may not start now: paused, held, or not yet due' },
} as const satisfies Record<string, { readonly status: number; readonly meaning: string }>;

export type Ending = keyof typeof EXIT_CODES;

export function exitStatus(ending: Ending): number {
  return EXIT_CODES[ending].status;
}

/** Whether a program that ended so can have been one of our commands. */
export function isExitStatus(status: number | undefined): status is number {
  return Object.values(EXIT_CODES).some((known) => known.status === status);
}

/** How a command ends that could not go on for this. */
export function endingOf(error: unknown): Ending {
  if (isQueueError(error, 'locked')) return 'locked';
  if (isQueueError(error, 'command-failed', 'decoder-failed')) return 'jobFailed';
  if (isQueueError(error, 'duplicate-sequence', 'sequence-damaged', 'packet-damaged', 'config-damaged')) {
    return 'damaged';
  }
  return 'error';
}
