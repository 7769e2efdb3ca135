/** `intray layouts`: what queues can do, by how they are on disk. */

import { LAYOUTS } from '../../open/layouts.ts';
import { type Capability, type Layout, QUESTIONS } from '../../queue/layout.ts';
import type { Context } from '../context.ts';
import { printJson } from '../json.ts';
import { lineWidth, Table } from '../table.ts';
import { UsageProblem } from '../usage.ts';
import { exitStatus } from './exit-codes.ts';

type Args = { readonly operand: string; readonly options: { readonly json: boolean } };

export async function layouts(context: Context, { operand, options }: Args): Promise<number> {
  const chosen = operand === '' ? LAYOUTS : LAYOUTS.filter(({ name }) => name === operand);
  const [one] = chosen;
  if (one === undefined) {
    const names = LAYOUTS.map(({ name }) => name).join(', ');
    throw new UsageProblem(`there is no layout "${operand}"; there are: ${names}`);
  }
  if (options.json) {
    const documents = chosen.map(({ name, title, capabilities }) => ({ name, title, capabilities }));
    await printJson(context, { layouts: documents });
  } else await context.print(await tableOf(context, operand === '' ? sideBySide() : inWords(one)));
  return exitStatus('done');
}

const CAPABILITIES = Object.keys(QUESTIONS) as Capability[];

type Rows = readonly [titles: readonly string[], ...rows: readonly (readonly string[])[]];

/** A column for each layout. */
function sideBySide(): Rows {
  const rows = CAPABILITIES.map((capability) => [
    capability,
    ...LAYOUTS.map(({ capabilities }) => yesOrNo(capabilities[capability].has)),
    QUESTIONS[capability],
  ]);
  return [['WHAT', ...LAYOUTS.map(({ name }) => name.toUpperCase()), ''], ...rows];
}

function inWords({ capabilities, title }: Layout): Rows {
  const rows = CAPABILITIES.map((capability) => {
    const { has, how } = capabilities[capability];
    return [capability, yesOrNo(has), how];
  });
  return [['WHAT', title.toUpperCase(), 'HOW, OR WHY NOT'], ...rows];
}

function yesOrNo(has: boolean): string {
  return has ? 'yes' : '-';
}

async function tableOf({ machine }: Context, [titles, ...rows]: Rows): Promise<string> {
  const columns = titles.map((title) => ({ title }));
  const table = new Table(columns, rows, await lineWidth(machine));
  return [table.head(), ...rows.map((row) => table.row(row))].join('');
}
