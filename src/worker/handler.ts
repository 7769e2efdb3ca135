/** What is done with a job: a function of ours, or a command. */

import { decodeBytes } from '../os/bytes.ts';
import { type Command, type Descriptor, type Files, type Machine, STDERR, STDOUT } from '../os/ports.ts';
import { readChunks, readExactly } from '../os/transfer.ts';
import type { Claim, Job } from '../queue/contract.ts';
import { commandFor } from './job-command.ts';
import { type CommandOutcome, outcomeWithout, runCommand } from './run-command.ts';
import type { Watchdog } from './watchdog.ts';

/** Does a job. Its promise resolved: the job is done. Rejected: it has failed, for that reason. */
export type Handler = (job: Job, payload: Payload, signal: AbortSignal) => unknown;

/** Thrown by a handler that was told when it makes sense to try again: not before `afterMs` from now. */
export class TryLater extends Error {
  override readonly name = 'TryLater';
  readonly afterMs: number;

  constructor(message: string, afterMs: number) {
    super(message);
    this.afterMs = afterMs;
  }
}

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

const DEFAULT_LIMIT_BYTES = 16 * 1024 * 1024;

export type Surroundings = {
  readonly stop: AbortSignal;
  /** Asked for when a command is to be started. */
  readonly watchdog: () => Promise<Watchdog>;
  /** Where a command's output goes. Default: where ours goes. */
  readonly output?: Pick<Command, 'stdout' | 'stderr'>;
};

/** Runs the handler for a claimed job. Throws when there was nothing to run: `command-not-started`. */
export async function runHandler(
  machine: Machine,
  handler: Handler | CommandHandler,
  claim: Claim,
  { stop, watchdog, output = { stdout: STDOUT, stderr: STDERR } }: Surroundings,
): Promise<CommandOutcome> {
  if (claim.job.work.kind !== 'command') return outcomeWithout(claim.job.work);
  if (typeof handler === 'function') return callHandler(machine, handler, claim, stop);
  const { program, args = [], allowJobParams = false, timeoutMs } = handler;
  const line = { program, args, allowJobParams };
  const job = { work: claim.job.work, env: claim.env };
  const hold = claim.hold === undefined ? {} : { extra: [claim.hold] };
  const command = commandFor(machine, line, job, { stdin: claim.payload, ...output, ...hold });
  return runCommand(machine, command, { timeoutMs, stop, watchdog: await watchdog() });
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
    const later = error instanceof TryLater ? { againAfterMs: error.afterMs } : {};
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error), ...later };
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

export function checkHandler(handler: Handler | CommandHandler): void {
  if (typeof handler === 'object') checkCount('timeoutMs', handler.timeoutMs);
}

export function checkCount(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isFinite(value) && value >= 0)) return;
  throw new RangeError(`Expected \`${name}\` to be a number from 0, got ${value}`);
}
