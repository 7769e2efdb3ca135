/** Working a queue from a program: a function or a command for each job. */

import { decodeBytes } from '../os/bytes.ts';
import { type Descriptor, type Files, type Machine, STDERR, STDOUT } from '../os/ports.ts';
import { readChunks, readExactly } from '../os/transfer.ts';
import type { Claim, Job, Queue, SessionOptions } from '../queue/contract.ts';
import { commandFor } from './job-command.ts';
import { type ProcessReport, processQueue } from './process-queue.ts';
import { type CommandOutcome, outcomeWithout, runCommand } from './run-command.ts';
import { startWatchdog, type Watchdog } from './watchdog.ts';

/** Does a job. Its promise resolved: the job is done. Rejected: it has failed, for that reason. */
export type Handler = (job: Job, payload: Payload, signal: AbortSignal) => unknown;

/** A job's payload, to be read once, in any one of these ways or not at all. */
export type Payload = AsyncIterable<Uint8Array> & {
  /** All of it, as UTF-8. Throws a RangeError when it is longer than `limitBytes`, by default 16 MiB. */
  text(limitBytes?: number): Promise<string>;
  bytes(limitBytes?: number): Promise<Uint8Array>;
};

export type CommandHandler = {
  readonly program: string;
  readonly args?: readonly string[];
  /** Adds the arguments that came with the job. Default: no. */
  readonly allowJobParams?: boolean;
  /** After this the command and all it started are killed, and the job has failed. Default: none. */
  readonly timeoutMs?: number;
};

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

const DEFAULT_LIMIT_BYTES = 16 * 1024 * 1024;

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
  if (typeof handler === 'object') checkCount('timeoutMs', handler.timeoutMs);
  const session = await queue.session({ ...rest, keepFailed: onFailure === 'leave', signal: stop });
  let watchdog: Watchdog | undefined;
  try {
    return await processQueue(session, {
      onFailure: onFailure === 'retry' ? 'retry' : 'proceed',
      maxJobs,
      stop,
      onFailed: async (job, reason) => onFailed?.(job, reason),
      run: async (claim) => {
        if (claim.job.work.kind !== 'command') return outcomeWithout(claim.job.work);
        if (typeof handler === 'function') return callHandler(machine, handler, claim, stop);
        watchdog ??= await startWatchdog(machine, session.lock);
        return runFor(machine, handler, claim, stop, watchdog);
      },
    });
  } finally {
    await watchdog?.dismiss();
    await session.close();
  }
}

function checkCount(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isFinite(value) && value >= 0)) return;
  throw new RangeError(`Expected \`${name}\` to be a number from 0, got ${value}`);
}

function runFor(
  machine: Machine,
  handler: CommandHandler,
  claim: Claim,
  stop: AbortSignal,
  watchdog: Watchdog,
): Promise<CommandOutcome> {
  const { program, args = [], allowJobParams = false, timeoutMs } = handler;
  const line = { program, args, allowJobParams };
  const job = { work: claim.job.work, env: claim.env };
  const command = commandFor(machine, line, job, { stdin: claim.payload, stdout: STDOUT, stderr: STDERR });
  return runCommand(machine, command, { timeoutMs, stop, watchdog });
}

async function callHandler(
  machine: Machine,
  handler: Handler,
  claim: Claim,
  stop: AbortSignal,
): Promise<CommandOutcome> {
  try {
    await handler(claim.job, payloadOf(machine.files, claim.payload), stop);
    return { kind: 'succeeded' };
  } catch (error) {
    if (stop.aborted) return { kind: 'stopped' };
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
}

function payloadOf(files: Files, source: Descriptor): Payload {
  const bytes = async (limitBytes = DEFAULT_LIMIT_BYTES) => {
    const all = await readExactly(files, source, limitBytes + 1);
    if (all.length > limitBytes) throw new RangeError(`The payload is longer than ${limitBytes} bytes`);
    return all;
  };
  return {
    bytes,
    text: async (limitBytes) => decodeBytes(await bytes(limitBytes)),
    [Symbol.asyncIterator]: () => readChunks(files, source),
  };
}
