/** Working queues beside others: what becomes of a job whose run has ended. */

import { toMs } from '../os/calendar.ts';
import type { Machine } from '../os/ports.ts';
import type {
  FailingJob,
  Job,
  JoinOptions,
  Queue,
  RunFacts,
  SharedClaim,
  Unreadable,
} from '../queue/contract.ts';
import { type Backoff, backoffMs } from './backoff.ts';
import { type CommandHandler, checkCount, checkHandler, type Handler, runHandler } from './handler.ts';
import { type Place, type PoolReport, type Ran, runPool } from './pool.ts';
import type { FindQueues } from './roster.ts';
import type { CommandOutcome } from './run-command.ts';

export type ServeOptions = Omit<JoinOptions, 'watch' | 'maxStarts' | 'maxDeaths' | 'onRefused'> & {
  /** How many jobs at once. Default: 1. */
  readonly concurrency?: number;
  /** How often a job that failed is run again. Default: 0. */
  readonly retries?: number;
  /** How long it waits before. */
  readonly backoff?: Backoff;
  /**
   * `qmail`: a command that ends with 100 has failed for good, and one that ends with 111 is tried again, however often.
   * Default: `plain`, every failure counts the same.
   */
  readonly exitCodes?: 'plain' | 'qmail';
  /** Keep waiting for jobs. Default: no; it ends when none may run now, but waits for retries of its own. */
  readonly keepWaiting?: boolean;
  /** Do not wait for these either: the next worker runs them. Default: no. */
  readonly leaveRetries?: boolean;
  /** Start at most so many. */
  readonly maxJobs?: number;
  /** Where a command's output goes: to our own, or to files in the queue's `log/`. Default: `log`. */
  readonly output?: 'inherit' | 'log';
  /** Aborted: start no more. */
  readonly signal?: AbortSignal;
  /** How long jobs that run may go on after that, before they are ended and given back. Default: 10,000. */
  readonly graceMs?: number;
  /** Told of each start; `attempt` is how often the job was started, from 1. */
  readonly onStarted?: (job: Job, queue: Queue, attempt: number) => void;
  /**
   * Told of a job that has failed for good, also of one that was not run, before that is settled: the job waits for this,
   * and when the worker dies meanwhile it comes back. So whoever is told can keep it for good first. A throw ends the work,
   * and the job comes back too.
   */
  readonly onFailing?: (job: FailingJob, queue: Queue) => Promise<void>;
  /** Told what became of each start. */
  readonly onEnded?: (job: Job, queue: Queue, ended: RunEnd) => void | Promise<void>;
  /** Told when a queue cannot be worked, or not any more. Default: the error ends everything. */
  readonly onTrouble?: (queue: Queue, error: unknown) => void | Promise<void>;
  /** Told, again and again, what is named like a job in a queue and cannot be read as one. */
  readonly onUnreadable?: (queue: Queue, files: readonly Unreadable[]) => void;
  /** Told once of a queue from which no file events come: new jobs are looked for, five times a second. */
  readonly onNoEvents?: (queue: Queue) => void;
};

export type RunEnd = {
  readonly ran: Ran;
  readonly attempt: number;
  /** Why it failed, if it did. */
  readonly reason?: string;
};

const DEFAULT_GRACE_MS = 10_000;

/** A worker that dies takes a start with it: so many of these are forgiven beyond the retries. */
const FORGIVEN_STARTS = 5;

/** `EX_TEMPFAIL` and permanent failure as qmail's programs, and fsq's, tell them: "try again" and "never again". */
const TRY_AGAIN = 111;
const NEVER_AGAIN = 100;

export async function serveQueues(
  machine: Machine,
  queues: readonly Queue[] | FindQueues,
  handler: Handler | CommandHandler,
  options: ServeOptions = {},
): Promise<PoolReport> {
  const { concurrency = 1, retries = 0, graceMs = DEFAULT_GRACE_MS, keepWaiting = false } = options;
  for (const [name, value] of Object.entries({ concurrency, retries, graceMs, maxJobs: options.maxJobs })) {
    checkCount(name, value);
  }
  if (concurrency < 1)
    throw new RangeError(`Expected \`concurrency\` to be a number from 1, got ${concurrency}`);
  checkHandler(handler);
  let trouble: { readonly error: unknown } | undefined;
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const report = await runPool(machine, {
    queues,
    concurrency,
    keepWaiting,
    leaveRetries: options.leaveRetries,
    graceMs,
    maxJobs: options.maxJobs,
    onUnreadable: options.onUnreadable,
    onNoEvents: options.onNoEvents,
    onRefused: options.onFailing,
    stop: signal,
    join: { ...joinOptions(options), ...forgiven(options) },
    run: (claim, place) => runClaim(machine, handler, options, claim, place),
    onTrouble: async (queue, error) => {
      if (options.onTrouble !== undefined) return options.onTrouble(queue, error);
      trouble ??= { error };
      stop.abort();
    },
  });
  if (trouble !== undefined) throw trouble.error;
  return report;
}

/** Starts are counted whatever their end; one that ended with "try again" does not mean that the job kills its workers. */
function forgiven({ retries = 0, exitCodes }: ServeOptions): Pick<JoinOptions, 'maxStarts' | 'maxDeaths'> {
  return exitCodes === 'qmail'
    ? { maxStarts: Number.POSITIVE_INFINITY, maxDeaths: FORGIVEN_STARTS }
    : { maxStarts: retries + FORGIVEN_STARTS };
}

function joinOptions({ leaseMs, blocked, keepSucceeded, decoder }: ServeOptions): JoinOptions {
  return {
    ...(leaseMs === undefined ? {} : { leaseMs }),
    ...(blocked === undefined ? {} : { blocked }),
    ...(keepSucceeded === undefined ? {} : { keepSucceeded }),
    ...(decoder === undefined ? {} : { decoder }),
  };
}

async function runClaim(
  machine: Machine,
  handler: Handler | CommandHandler,
  options: ServeOptions,
  claim: SharedClaim,
  place: Place,
): Promise<() => Promise<Ran>> {
  options.onStarted?.(claim.job, place.queue, claim.attempt);
  const outcome = await outcomeOf(machine, handler, options, claim, place);
  return async () => {
    const ran = await settle(machine, options, claim, place.queue, outcome);
    const why = outcome.kind === 'failed' ? { reason: outcome.reason } : {};
    await options.onEnded?.(claim.job, place.queue, { ran, attempt: claim.attempt, ...why });
    return ran;
  };
}

async function outcomeOf(
  machine: Machine,
  handler: Handler | CommandHandler,
  { output = 'log' }: ServeOptions,
  claim: SharedClaim,
  { stop, watchdog }: Place,
): Promise<CommandOutcome> {
  const toLog = output === 'log' && typeof handler === 'object' && claim.job.work.kind === 'command';
  const outcome = await runHandler(machine, handler, claim, {
    stop,
    watchdog,
    ...(toLog ? { output: await claim.openOutput() } : {}),
  });
  if (outcome.kind !== 'succeeded') return outcome;
  const problem = await claim.payloadProblem();
  return problem === undefined ? outcome : { kind: 'failed', reason: problem };
}

async function settle(
  machine: Machine,
  options: ServeOptions,
  claim: SharedClaim,
  queue: Queue,
  outcome: CommandOutcome,
): Promise<Ran> {
  const { retries = 0, backoff, exitCodes = 'plain' } = options;
  const ended = (settled: 'settled' | 'lost', ran: Ran): Ran => (settled === 'lost' ? 'lost' : ran);
  if (outcome.kind === 'succeeded') return ended(await claim.succeed(), 'succeeded');
  if (outcome.kind === 'stopped') return ended(await claim.release(), 'given-back');
  const code = outcome.exit?.kind === 'exited' ? outcome.exit.code : undefined;
  const facts: RunFacts = outcome.exit === undefined ? {} : { exit: outcome.exit };
  const never = exitCodes === 'qmail' && code === NEVER_AGAIN;
  const again = exitCodes === 'qmail' && code === TRY_AGAIN;
  if (never || (!again && claim.attempt > retries)) {
    const { job, lane, attempt } = claim;
    await options.onFailing?.(
      { id: job.id, seq: job.seq, lane, attempt, reason: outcome.reason, ...facts },
      queue,
    );
    return ended(await claim.fail(outcome.reason, facts), 'failed');
  }
  const waitMs = Math.max(backoffMs(machine.random, claim.attempt, backoff), outcome.againAfterMs ?? 0);
  const atMs = toMs(machine.clock.now()) + waitMs;
  return ended(await claim.retry(atMs, outcome.reason, facts), 'again');
}
