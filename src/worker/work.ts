/** Working a queue from a program, alone: a function or a command for each job, one after the other. */

import type { Machine } from '../os/ports.ts';
import type { Job, Queue, SessionOptions } from '../queue/contract.ts';
import { type CommandHandler, checkCount, checkHandler, type Handler, runHandler } from './handler.ts';
import { type ProcessReport, processQueue } from './process-queue.ts';
import { startWatchdog, type Watchdog } from './watchdog.ts';

export type WorkOptions = Omit<SessionOptions, 'keepFailed' | 'signal'> & {
  /**
   * When a job fails. `retry` (default): stop, the job stays and is tried by the next call. `delete`, `leave`: go
   * on, and remove its file or leave it where it is.
   */
  readonly onFailure?: 'retry' | 'delete' | 'leave';
  /** Run at most so many jobs. */
  readonly maxJobs?: number;
  /** Told of each job that failed, and why. */
  readonly onFailed?: (job: Job, reason: string) => void | Promise<void>;
  /** Aborted: the running command is ended (TERM, after 5 s KILL), a handler is told, and the job stays. */
  readonly signal?: AbortSignal;
};

/** Runs the jobs that wait, in order, one at a time, and resolves when there is none left to run. */
export async function workQueue(
  machine: Machine,
  queue: Queue,
  handler: Handler | CommandHandler,
  options: WorkOptions = {},
): Promise<ProcessReport> {
  const {
    onFailure = 'retry',
    maxJobs,
    onFailed,
    signal: stop = new AbortController().signal,
    ...rest
  } = options;
  checkCount('maxJobs', maxJobs);
  checkHandler(handler);
  const session = await queue.session({ ...rest, keepFailed: onFailure === 'leave', signal: stop });
  let watchdog: Watchdog | undefined;
  try {
    return await processQueue(session, {
      onFailure: onFailure === 'retry' ? 'retry' : 'proceed',
      maxJobs,
      stop,
      onFailed: async (job, reason) => onFailed?.(job, reason),
      run: (claim) =>
        runHandler(machine, handler, claim, {
          stop,
          watchdog: async () => {
            watchdog ??= await startWatchdog(machine, session.lock);
            return watchdog;
          },
        }),
    });
  } finally {
    await watchdog?.dismiss();
    await session.close();
  }
}
