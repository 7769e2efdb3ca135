/** `dq-submit`, `dq-deque`, `dq-server` and `dq-list`: options, errors and exit status. */

import type { Machine } from '../../os/ports.ts';
import { type Context, newContext } from '../context.ts';
import { sentenceOf } from '../failure.ts';
import { type Given, helpOf, type Program, parseOptions, usageLine } from './options.ts';
import { DQ_DEQUE, DQ_LIST, DQ_SERVER, DQ_SUBMIT } from './programs.ts';

const SUCCESS = 0;
const FAILURE = 1;
const BAD_USAGE = 2;

type Run = (context: Context, given: Given) => Promise<number>;

const PROGRAMS: Readonly<Record<string, { readonly program: Program; readonly load: () => Promise<Run> }>> = {
  'dq-submit': { program: DQ_SUBMIT, load: async () => (await import('./submit.ts')).submit },
  'dq-deque': { program: DQ_DEQUE, load: async () => (await import('./deque.ts')).deque },
  'dq-server': { program: DQ_SERVER, load: async () => (await import('./deque.ts')).server },
  'dq-list': { program: DQ_LIST, load: async () => (await import('./list.ts')).list },
};

export type DqName = 'dq-submit' | 'dq-deque' | 'dq-server' | 'dq-list';

export async function dq(machine: Machine, name: DqName, argv: readonly string[]): Promise<number> {
  const { program, load } = PROGRAMS[name] as (typeof PROGRAMS)[string] & object;
  const context = newContext(machine, name, 'info');
  const parsed = parseOptions(program, argv);
  if (parsed.kind === 'help') {
    await context.print(helpOf(program));
    return SUCCESS;
  }
  if (parsed.kind === 'usage') {
    await context.complain(`${name}: ${parsed.message}\n${usageLine(program)}\n`);
    return BAD_USAGE;
  }
  try {
    return await (await load())(context, parsed.given);
  } catch (error) {
    await context.complain(`${name}: ${sentenceOf(error)}\n`);
    return FAILURE;
  }
}
