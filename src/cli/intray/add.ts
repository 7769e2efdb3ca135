import { layoutAt, openQueue } from '../../open/open.ts';
import { toDate, toMs } from '../../os/calendar.ts';
import type { Descriptor, Machine } from '../../os/ports.ts';
import { shellQuote } from '../../os/shell.ts';
import { SET_PREFIX } from '../../packet/environment.ts';
import type { Added, NewJob, Queue } from '../../queue/contract.ts';
import { QueueError } from '../../queue/errors.ts';
import type { Capability, Layout } from '../../queue/layout.ts';
import { isTerm } from '../../queue/terms.ts';
import type { Context } from '../context.ts';
import { printJsonLine } from '../json.ts';
import { type Moment, momentMs } from '../time.ts';
import { UsageProblem } from '../usage.ts';
import { addLines } from './add-lines.ts';
import { exitStatus } from './exit-codes.ts';
import { Input, openInput } from './input.ts';

export type AddArgs = {
  readonly operand: string;
  readonly options: {
    readonly input: string | undefined;
    readonly 'no-payload': boolean;
    readonly 'each-line': boolean;
    readonly lane: string | undefined;
    readonly priority: number | undefined;
    readonly delay: number | undefined;
    readonly at: Moment | undefined;
    readonly expires: Moment | undefined;
    readonly name: string | undefined;
    readonly env: readonly (readonly [name: string, value: string])[];
    readonly json: boolean;
  };
  readonly rest: readonly string[];
};

export async function add(context: Context, args: AddArgs): Promise<number> {
  checkTogether(args);
  const { machine } = context;
  const layout = await layoutAt(machine, args.operand);
  const queue = await openQueue(machine, args.operand);
  const terms = termsOf(machine, args, layout);
  checkPossible(args.operand, layout, terms);
  const source = await openInput(context, args.options);
  if (args.options['each-line']) {
    if (source === undefined)
      throw new UsageProblem('`--each-line` needs lines: pipe them in, or name a file with `--input`');
    return addLines(context, queue, terms, source, args.options.json);
  }
  const { added, isPacket } = await addOne(machine, queue, terms, source);
  await report(context, args, added);
  if (isPacket && layout.name === 'filespooler') {
    await context.log(
      'warn',
      `the payload is itself a packet; to add it as the job it is: intray fspl queue-write -q ${shellQuote(args.operand)}`,
    );
  }
  return exitStatus('done');
}

function checkTogether({ options }: AddArgs): void {
  const together = (one: boolean, other: boolean, sentence: string) => {
    if (one && other) throw new UsageProblem(sentence);
  };
  const { input, delay, at, name } = options;
  together(options['no-payload'], input !== undefined, '`--no-payload` and `--input` exclude each other');
  together(
    options['no-payload'],
    options['each-line'],
    '`--no-payload` and `--each-line` exclude each other',
  );
  together(delay !== undefined, at !== undefined, '`--delay` and `--at` exclude each other');
  together(options['each-line'], name !== undefined, '`--name` names one job, and `--each-line` makes many');
}

/** What needs which capability. */
const NEEDS = {
  lane: ['lanes', '--lane'],
  priority: ['priority', '--priority'],
  notBefore: ['delay', '--delay and --at'],
  expires: ['expires', '--expires'],
  name: ['names', '--name'],
} as const satisfies Partial<Record<keyof NewJob, readonly [capability: Capability, option: string]>>;

/** Throws `not-possible` for what the queue could not keep: nothing of it is left out in silence. */
function checkPossible(location: string, { title, capabilities }: Layout, terms: NewJob): void {
  const refuse = (capability: Capability, option: string) => {
    const { has, how } = capabilities[capability];
    if (has) return;
    const sentence = `${location}: a queue of ${title} has no place for ${option}: ${how}; nothing was added`;
    throw new QueueError('not-possible', sentence);
  };
  for (const [term, [capability, option]] of Object.entries(NEEDS)) {
    if (terms[term as keyof typeof NEEDS] !== undefined) refuse(capability, option);
  }
  if ((terms.params ?? []).length > 0) refuse('params', 'arguments');
  if (Object.keys(terms.env ?? {}).length > 0) refuse('variables', '--env');
}

/** All of the job but its payload. */
function termsOf(machine: Machine, { options, rest }: AddArgs, { capabilities }: Layout): NewJob {
  const { lane, priority, delay, at, expires, name } = options;
  const start = delay !== undefined ? toMs(machine.clock.now()) + delay : at && momentMs(machine, at);
  return {
    params: rest,
    env: {
      ...(capabilities.variables.has ? inheritedVariables(machine) : {}),
      ...Object.fromEntries(options.env),
    },
    ...(lane === undefined ? {} : { lane }),
    ...(priority === undefined ? {} : { priority }),
    ...(name === undefined ? {} : { name }),
    ...(start === undefined ? {} : { notBefore: toDate(start) }),
    ...(expires === undefined ? {} : { expires: toDate(momentMs(machine, expires)) }),
  };
}

/**
 * The FSPL_SET_* variables of our environment, as `fspl prepare` sends them. A command that runs for a job and adds
 * another has those of its own job, whose lane, name and times are not the new one's.
 */
function inheritedVariables({ host }: Machine): Record<string, string> {
  const env = host.env();
  const inJob = env.has('INTRAY_JOB');
  const variables: Record<string, string> = {};
  for (const [name, value] of env) {
    if (!name.startsWith(SET_PREFIX)) continue;
    const sent = name.slice(SET_PREFIX.length);
    if (!(inJob && isTerm(sent))) variables[sent] = value;
  }
  return variables;
}

async function addOne(
  machine: Machine,
  queue: Queue,
  terms: NewJob,
  source: Descriptor | undefined,
): Promise<{ readonly added: Added; readonly isPacket: boolean }> {
  if (source === undefined) return { added: await queue.add(terms), isPacket: false };
  const payload = new Input(machine, source);
  const added = await queue.add({ ...terms, payload });
  return { added, isPacket: payload.isPacket };
}

async function report(context: Context, { operand, options }: AddArgs, added: Added): Promise<void> {
  if (options.json) return printJsonLine(context, { queue: operand, ...added });
  await context.print(`${added.id}\n`);
  if (added.duplicate)
    await context.log('info', `a job named ${options.name} was added before, so nothing was added`);
}
