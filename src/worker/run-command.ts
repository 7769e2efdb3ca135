/** One job's command, from its start to the end of its whole process group. */

import type { Child, Command, Exit, Machine } from '../os/ports.ts';
import { killGroup, stopGroup } from '../os/stop-group.ts';
import { QueueError, reasonOf } from '../queue/errors.ts';
import type { Watchdog } from './watchdog.ts';

/** How long a command that must stop has between TERM and KILL. */
export const STOP_GRACE_MS = 5000;

export type CommandOutcome =
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed'; readonly reason: string }
  /** We were told to stop, and have ended the command. */
  | { readonly kind: 'stopped' };

export type RunOptions = {
  /** After this the command's group is killed and the job has failed. */
  readonly timeoutMs?: number | undefined;
  /** Aborted: the command is ended, with TERM first. */
  readonly stop: AbortSignal;
  readonly watchdog?: Watchdog | undefined;
};

/** Runs a command and waits for it. Throws `command-not-started` when there is nothing to wait for. */
export async function runCommand(
  machine: Machine,
  command: Command,
  options: RunOptions,
): Promise<CommandOutcome> {
  const child = await start(machine, command);
  await options.watchdog?.guard(child);
  const ended = new AbortController();
  const cut = cutShort(machine, child, options, ended.signal);
  const exit = await child.exit;
  ended.abort();
  const reason = await cut;
  await options.watchdog?.rest();
  if (reason === 'stop') return { kind: 'stopped' };
  if (reason === 'timeout')
    return { kind: 'failed', reason: `it ran longer than ${seconds(options.timeoutMs)}` };
  return outcomeOf(exit);
}

async function start(machine: Machine, command: Command): Promise<Child> {
  try {
    return await machine.processes.spawn(command);
  } catch (error) {
    throw new QueueError('command-not-started', `cannot start ${command.program}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** Ends the command on a stop or at its time limit; resolves, when its group is gone, with what it was. */
async function cutShort(
  machine: Machine,
  child: Child,
  options: RunOptions,
  ended: AbortSignal,
): Promise<'stop' | 'timeout' | undefined> {
  const { clock } = machine;
  const { stop, timeoutMs } = options;
  const reason = await firstOf(machine, stop, timeoutMs, ended);
  if (reason === 'stop') await stopGroup(clock, child, STOP_GRACE_MS);
  if (reason === 'timeout') await killGroup(child);
  return reason;
}

async function firstOf(
  machine: Machine,
  stop: AbortSignal,
  timeoutMs: number | undefined,
  ended: AbortSignal,
): Promise<'stop' | 'timeout' | undefined> {
  const either = new AbortController();
  const wake = () => either.abort();
  stop.addEventListener('abort', wake);
  ended.addEventListener('abort', wake);
  if (stop.aborted) wake();
  if (timeoutMs === undefined) await aborted(either.signal);
  else await machine.clock.sleep(timeoutMs, either.signal);
  stop.removeEventListener('abort', wake);
  if (stop.aborted) return 'stop';
  return ended.aborted ? undefined : 'timeout';
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Only exit code 0 is success; death by a signal never is. */
function outcomeOf(exit: Exit): CommandOutcome {
  if (exit.kind === 'signaled') return { kind: 'failed', reason: `it was killed by signal ${exit.signal}` };
  if (exit.code !== 0) return { kind: 'failed', reason: `it ended with exit code ${exit.code}` };
  return { kind: 'succeeded' };
}

function seconds(ms = 0): string {
  return `${ms / 1000} s`;
}
