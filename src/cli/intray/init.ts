import { type Initialised, type InitOptions, initQueue, type Order } from '../../open/create.ts';
import { layoutNamed } from '../../open/layouts.ts';
import { hasErrno } from '../../os/ports.ts';
import { shellQuote } from '../../os/shell.ts';
import type { LayoutName } from '../../queue/snapshot.ts';
import type { Context } from '../context.ts';
import { printJson } from '../json.ts';
import { UsageProblem } from '../usage.ts';
import { exitStatus } from './exit-codes.ts';

type Args = {
  readonly operand: string;
  readonly options: {
    readonly ordered: boolean;
    readonly 'any-order': boolean;
    readonly replicas: number | undefined;
    readonly layout: LayoutName | undefined;
    readonly json: boolean;
  };
};

export async function init(context: Context, { operand: queue, options }: Args): Promise<number> {
  if (options.ordered && options['any-order']) {
    throw new UsageProblem('`--ordered` and `--any-order` exclude each other');
  }
  const order = options.ordered ? 'sequence' : options['any-order'] ? 'free' : undefined;
  const done = await make(context, queue, { order, replicas: options.replicas, layout: options.layout });
  if (done === undefined) return exitStatus('error');
  if (options.json) await printJson(context, { queue, ...done });
  else await context.print(report(queue, done));
  return exitStatus('done');
}

/** Undefined when that was said to be impossible. */
async function make(
  { machine, log }: Context,
  queue: string,
  options: InitOptions,
): Promise<Initialised | undefined> {
  try {
    return await initQueue(machine, queue, options);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
    const parent = queue.replace(/\/+$/, '').replace(/[^/]*$/, '') || '.';
    await log(
      'error',
      `${queue}: the directory it should be in is not there\nMake it first: mkdir -p ${shellQuote(parent)}`,
    );
    return undefined;
  }
}

const ORDERS: Record<Order, string> = {
  free: 'Its jobs run in any order, as many at once as you like; those of one lane one after the other.',
  sequence:
    'Its jobs run one after the other, in the order of their numbers; those of other lanes beside them.',
};

const OTHER = (layout: LayoutName) =>
  `It is one of ${layoutNamed(layout).title}: \`intray layouts ${layout}\` says what it has a place for.`;

const COPIES = (replicas: number) =>
  replicas === 1
    ? 'One server keeps it: what is confirmed outlives processes, and not the loss of that server.'
    : `${replicas} servers keep it: what is confirmed outlives the loss of any one of them.`;

function report(queue: string, done: Initialised): string {
  const { made, roomsAdded, order, orderChanged, replicas, layout } = done;
  const name = shellQuote(queue);
  const lines: string[] = [];
  if (made) lines.push(`Made the queue ${queue}.`);
  else if (roomsAdded)
    lines.push(`${queue} is a queue already; added what parallel workers need. No job was touched.`);
  else if (orderChanged) lines.push(`Changed the order of ${queue}.`);
  else lines.push(`${queue} is a queue already; nothing was changed.`);
  lines.push(layout === undefined ? ORDERS[order] : OTHER(layout));
  if (replicas !== undefined) lines.push(COPIES(replicas));
  if (made)
    lines.push(
      '',
      `Add a job with   echo hello | intray add ${name}`,
      `Run its jobs with   intray work ${name} -- COMMAND`,
    );
  return `${lines.join('\n')}\n`;
}
