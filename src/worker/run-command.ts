/** One job's command, from its start to the end of its whole process group. */

import type { Child, Command, Exit, Machine } from '../os/ports.ts';
import { killGroup, stopGroup } from '../os/stop-group.ts';
import type { Work } from '../packet/header.ts';
import { QueueError, reasonOf } from '../queue/errors.ts';
import type { Watchdog } from './watchdog.ts';

/** How long a command that must stop has between TERM and KILL. */
export const STOP_GRACE_MS = 5000;

export type CommandOutcome =
  | { readonly kind: 'succeeded' }
  | {
      readonly kind: 'failed';
      readonly reason: string;
      readonly exit?: Exit;
      /** It makes no sense to try it again before so long. */
      readonly againAfterMs?: number;
    }
  /** We were told to stop, and have ended the command. */
  | { readonly kind: 'stopped' };

/** The outcome of jobs that run nothing. */
export function outcomeWithout(work: Exclude<Work, { readonly kind: 'command' }>): CommandOutcome {
  if (work.kind === 'nop') return { kind: 'succeeded' };
  return { kind: 'failed', reason: 'it is a job that always fails' };
}

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
  const child = await start(machine, command, options.watchdog);
  try {
    await options.watchdog?.guard(child);
  } catch (error) {
    await killGroup(child);
    throw error;
  }
  const limit = new Limit(machine, child, options);
  const exit = await child.exit;
  const cutShort = await limit.lift().finally(() => options.watchdog?.rest());
  if (cutShort === 'stop' || interrupted(command, exit)) return { kind: 'stopped' };
  if (cutShort === 'time')
    return { kind: 'failed', reason: `it ran longer than ${seconds(options.timeoutMs)}` };
  return outcomeOf(exit);
}

async function start(machine: Machine, command: Command, watchdog: Watchdog | undefined): Promise<Child> {
  await watchdog?.starting();
  try {
    return await machine.processes.spawn(command);
  } catch (error) {
    await watchdog?.rest();
    throw new QueueError('command-not-started', `cannot start ${command.program}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** Ends the command's group when we are told to stop, or when its time is over; whichever comes first. */
class Limit {
  readonly #machine: Machine;
  readonly #child: Child;
  readonly #stop: AbortSignal;
  readonly #cancelTimer: () => void;
  #cause: 'stop' | 'time' | undefined;
  #ending: Promise<unknown> | undefined;

  constructor(machine: Machine, child: Child, { stop, timeoutMs }: RunOptions) {
    this.#machine = machine;
    this.#child = child;
    this.#stop = stop;
    this.#cancelTimer = timeoutMs === undefined ? () => {} : machine.clock.after(timeoutMs, this.#onTime);
    stop.addEventListener('abort', this.#onStop);
    if (stop.aborted) this.#onStop();
  }

  /** After the command's own end: why it was cut short, if it was, once its group is gone too. */
  async lift(): Promise<'stop' | 'time' | undefined> {
    this.#cancelTimer();
    this.#stop.removeEventListener('abort', this.#onStop);
    await this.#ending;
    return this.#cause;
  }

  readonly #onStop = (): void => {
    if (this.#cause !== undefined) return;
    this.#end('stop', stopGroup(this.#machine.clock, this.#child, STOP_GRACE_MS));
  };

  readonly #onTime = (): void => {
    if (this.#cause !== undefined) return;
    this.#end('time', killGroup(this.#child));
  };

  #end(cause: 'stop' | 'time', ending: Promise<unknown>): void {
    this.#cause = cause;
    this.#ending = ending;
    ending.catch(() => {}); // told by `lift`: nobody may signal a command that runs as another user, say
  }
}

const SIGINT = 2;
const SIGQUIT = 3;

/** Ctrl-C and Ctrl-\ reach a command that shares our terminal as they reach us, and may reach it first. */
function interrupted(command: Command, exit: Exit): boolean {
  return command.group === 'ours' && exit.kind === 'signaled' && [SIGINT, SIGQUIT].includes(exit.signal);
}

/** Only exit code 0 is success; death by a signal never is. */
function outcomeOf(exit: Exit): CommandOutcome {
  const failed = (reason: string): CommandOutcome => ({ kind: 'failed', reason, exit });
  if (exit.kind === 'signaled') return failed(`it was killed by signal ${exit.signal}`);
  if (exit.code !== 0) return failed(`it ended with exit code ${exit.code}`);
  return { kind: 'succeeded' };
}

function seconds(ms = 0): string {
  return `${ms / 1000} s`;
}
