import type { Command, Descriptor, Machine } from '../os/ports.ts';
import type { Work } from '../packet/header.ts';

/** What to run for each job, as the worker's user said it. */
export type CommandLine = {
  readonly program: string;
  readonly args: readonly string[];
  /** Whether the arguments that came with a job are added. Default: no, for a sender is not always trusted. */
  readonly allowJobParams: boolean;
};

/** The command for one job: its arguments, and its variables over our own. */
export function commandFor(
  machine: Machine,
  line: CommandLine,
  job: { readonly work: Work; readonly env: readonly (readonly [name: string, value: string])[] },
  rest: Pick<Command, 'stdin' | 'stdout' | 'stderr' | 'group' | 'extra'>,
): Command {
  const params = line.allowJobParams && job.work.kind === 'command' ? job.work.params : [];
  return {
    program: line.program,
    args: [...line.args, ...params],
    env: new Map([...machine.host.env(), ...job.env]),
    ...rest,
  };
}

/** One descriptor for all that a command says. */
export function bothTo(output: Descriptor): Pick<Command, 'stdout' | 'stderr'> {
  return { stdout: output, stderr: output };
}
