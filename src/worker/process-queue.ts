/** Runs the jobs of a session one after the other, until there is none, one fails for good, or we must stop. */

import type { Claim, Idle, Job, Session, Unreadable } from '../queue/contract.ts';
import type { CommandOutcome } from './run-command.ts';

export type FailurePolicy =
  /** Stop; the job stays as it is and is tried again by the next run. */
  | 'retry'
  /** Count the job as over and go on; the session's options say whether its file stays. */
  | 'proceed';

export type ProcessOptions = {
  /** Does the work of a job. A throw releases the job and ends the run with that error. */
  readonly run: (claim: Claim) => Promise<CommandOutcome>;
  readonly onFailure: FailurePolicy;
  /** How many jobs to run at most; counted whether they succeed or fail. */
  readonly maxJobs?: number | undefined;
  readonly stop: AbortSignal;
  /** Told of each job that failed. */
  readonly onFailed?: (job: Job, reason: string) => Promise<void>;
};

export type ProcessReport = {
  /** Files that could not be read as jobs, or were gone when their turn came; they were stepped over. */
  readonly unreadable: readonly Unreadable[];
  readonly succeeded: number;
  readonly failed: number;
  readonly ended:
    | Idle
    | { readonly kind: 'limit' }
    | { readonly kind: 'stopped' }
    | { readonly kind: 'failed'; readonly job: Job; readonly reason: string };
};

export async function processQueue(session: Session, options: ProcessOptions): Promise<ProcessReport> {
  const { maxJobs = Number.POSITIVE_INFINITY, stop } = options;
  let succeeded = 0;
  let failed = 0;
  const report = (ended: ProcessReport['ended']): ProcessReport => {
    return { succeeded, failed, ended, unreadable: session.unreadable };
  };
  for (;;) {
    if (stop.aborted) return report({ kind: 'stopped' });
    if (succeeded + failed >= maxJobs) return report({ kind: 'limit' });
    const claim = await session.claim();
    // A decoder that was ended with us has left its job unread: that is no gap.
    if (claim.kind === 'idle') return report(stop.aborted ? { kind: 'stopped' } : claim);
    const outcome = await runClaim(claim, options);
    if (outcome.kind === 'succeeded') {
      await claim.succeed();
      succeeded += 1;
    } else if (outcome.kind === 'stopped') {
      await claim.release();
      return report({ kind: 'stopped' });
    } else {
      await options.onFailed?.(claim.job, outcome.reason);
      failed += 1;
      if (options.onFailure === 'retry') {
        await claim.release();
        return report({ kind: 'failed', job: claim.job, reason: outcome.reason });
      }
      await claim.fail();
    }
  }
}

async function runClaim(claim: Claim, options: ProcessOptions): Promise<CommandOutcome> {
  try {
    if (claim.job.work.kind === 'command') await claim.anticipate();
    const outcome = await options.run(claim);
    if (outcome.kind !== 'succeeded') return outcome;
    const problem = await claim.payloadProblem();
    if (problem === undefined) return outcome;
    return options.stop.aborted ? { kind: 'stopped' } : { kind: 'failed', reason: problem };
  } catch (error) {
    await claim.release();
    throw error;
  }
}
