/** `intray repair`: says what it would put right in a queue, and with `--apply` does it. */

import { openKeeper } from '../../open/open.ts';
import { shellQuote } from '../../os/shell.ts';
import type { Finding, Keeper, Repaired } from '../../queue/keeper.ts';
import type { Context } from '../context.ts';
import { printJson } from '../json.ts';
import { printable } from '../printable.ts';
import { exitStatus } from './exit-codes.ts';
import { adviceOf, wordsOf } from './finding-words.ts';
import type { Decoded, InQueue } from './looking.ts';

type Repair = InQueue & Decoded & { readonly options: { readonly apply: boolean; readonly json: boolean } };

export async function repair(context: Context, args: Repair): Promise<number> {
  const { machine, print } = context;
  const { operand: queue, options } = args;
  const keeper = await openKeeper(machine, queue, { decoder: options.decoder, evenDamaged: true });
  const findings = await keeper.findDisorder();
  const repaired = options.apply ? await applyAll(keeper, findings) : undefined;
  const left =
    repaired === undefined
      ? findings
      : repaired.filter(({ result }) => result === 'left').map(({ finding }) => finding);
  const ending = exitStatus(left.length === 0 ? 'done' : 'damaged');
  if (options.json) {
    const rows = findings.map(({ words: _, ...finding }, index) => ({
      ...finding,
      advice: finding.advice === undefined ? null : adviceOf(queue, finding),
      result: repaired?.[index]?.result ?? null,
    }));
    await printJson(context, { queue, applied: options.apply, findings: rows });
    return ending;
  }
  for (const [index, finding] of findings.entries())
    await print(`${lines(queue, finding, repaired?.[index]?.result)}\n`);
  if (findings.length === 0) await print(`${printable(queue)}: all is in order\n`);
  else if (repaired === undefined && findings.some(({ remedy }) => remedy !== 'person')) {
    await print(`\nNothing was changed. To do this: intray repair ${printable(shellQuote(queue))} --apply\n`);
  }
  return ending;
}

async function applyAll(keeper: Keeper, findings: readonly Finding[]): Promise<readonly Repaired[]> {
  const operation = await keeper.operate();
  try {
    return await operation.repair(findings);
  } finally {
    await operation.close();
  }
}

function lines(queue: string, finding: Finding, result: Repaired['result'] | undefined): string {
  const { path, message, remedy } = finding;
  const what = `${printable(path)}: ${printable(message)}`;
  if (result === 'not-needed') return `${what}\n  it is right by now`;
  if (remedy === 'person' || result === 'left') {
    return `${what}\n  for you: ${printable(adviceOf(queue, finding))}`;
  }
  const [would, did] = wordsOf(finding);
  return `${what}\n  ${result === 'done' ? did : `would ${would}`}`;
}
