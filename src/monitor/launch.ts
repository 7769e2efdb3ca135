/** Which command a unit of work means, and how its run ended. */

import type { Command, Descriptor, Exit, Machine } from '../os/ports.ts';
import { isQueueError, reasonOf } from '../queue/errors.ts';
import type { Config, JobType } from '../uow/config.ts';
import type { Ending } from '../uow/status.ts';
import { fillTemplate } from '../uow/template.ts';
import type { Unit } from '../uow/text.ts';
import { type CommandOutcome, runCommand } from '../worker/run-command.ts';
import { startWatchdog } from '../worker/watchdog.ts';

export type Launch = {
  readonly type: JobType;
  readonly program: string;
  readonly args: readonly string[];
};

/** Says the type, which may be left out where there is only one. */
const TYPE_ITEM = 'JOB';

/** The command, or why this is no valid unit of work here; without a full stop. */
export function launchOf(config: Config, { items }: Unit): Launch | { readonly invalid: string } {
  const named = items.get(TYPE_ITEM);
  const [only, ...others] = config.jobs.values();
  if (named === undefined && others.length > 0) {
    return { invalid: `it does not say which job it is: ${TYPE_ITEM} :: ${typesOf(config)}` };
  }
  const type = named === undefined ? only : config.jobs.get(named);
  if (type === undefined) {
    return { invalid: `there is no job type "${named ?? ''}"; there are: ${typesOf(config)}` };
  }
  const words = fillTemplate(type.template, items);
  if ('missing' in words) {
    const what = words.missing.map((name) => `${name} ::`).join(', ');
    return { invalid: `it lacks what a job of type ${type.name} needs: ${what}` };
  }
  const [program = '', ...args] = words;
  if (program === '') return { invalid: `its command would be empty` };
  return { type, program, args };
}

function typesOf({ jobs }: Config): string {
  return [...jobs.keys()].join(', ');
}

/** All items as `UOW_NAME`, letters and digits kept; and `UOW_FILE`, the path of the unit itself. */
export function environmentOf(machine: Machine, unit: Unit, path: string): Map<string, string> {
  const env = new Map(machine.host.env());
  for (const [name, content] of unit.items) env.set(`UOW_${name.replace(/[^A-Za-z0-9]/g, '_')}`, content);
  return env.set('UOW_FILE', path);
}

export type Ended = { readonly ending: Ending; readonly reason: string; readonly exit?: Exit };

export type RunJob = (
  launch: Launch,
  job: { readonly unit: Unit; readonly path: string; readonly log: Descriptor },
  stop: AbortSignal,
) => Promise<Ended>;

/**
 * Runs jobs as commands that write to the end of their unit's file. `lock` is kept by each watchdog, so that no other
 * Monitor comes before the commands of a killed one are gone.
 */
export function commandRunner(machine: Machine, lock: Descriptor): RunJob {
  return async ({ type, program, args }, { unit, path, log }, stop) => {
    const { files } = machine;
    const env = environmentOf(machine, unit, path);
    const nothing = await files.open('/dev/null', 'read');
    const watchdog = await startWatchdog(machine, lock);
    try {
      const command: Command = { program, args, env, stdin: nothing, stdout: log, stderr: log };
      const outcome = await runCommand(machine, command, { timeoutMs: type.timeoutMs, stop, watchdog });
      return endedOf(outcome, stop);
    } catch (error) {
      if (!isQueueError(error, 'command-not-started')) throw error;
      return { ending: 'fail', reason: reasonOf(error) };
    } finally {
      await watchdog.dismiss();
      await files.close(nothing);
    }
  };
}

/** Ran to its end: `done` or `error`. All else is `fail`. */
export function endedOf(outcome: CommandOutcome, stop: AbortSignal): Ended {
  if (outcome.kind === 'succeeded') return { ending: 'done', reason: 'exit code 0' };
  if (outcome.kind === 'stopped') return { ending: 'fail', reason: `ended by ${String(stop.reason)}` };
  if (outcome.exit === undefined) return { ending: 'fail', reason: outcome.reason };
  return { ...ofExit(outcome.exit), exit: outcome.exit };
}

function ofExit(exit: Exit): Ended {
  if (exit.kind === 'signaled') return { ending: 'fail', reason: `killed by signal ${exit.signal}` };
  return { ending: 'error', reason: `exit code ${exit.code}` };
}
