/** `intray explain`: why a job is not running now. */

import { adviceFor } from '../../queue/advice.ts';
import type { Context } from '../context.ts';
import { printJson } from '../json.ts';
import { printable } from '../printable.ts';
import { exitStatus } from './exit-codes.ts';
import { lookUp, type OneJob } from './looking.ts';

export async function explain(
  context: Context,
  args: OneJob & { readonly options: { readonly json: boolean } },
): Promise<number> {
  const { keeper, snapshot, found } = await lookUp(context, args);
  const { cause, sentence, advice } = await keeper.explain(snapshot, found);
  const todo = adviceFor(advice, args.operand, found);
  if (args.options.json) {
    await printJson(context, { queue: args.operand, id: found.id, cause, sentence, advice: todo ?? null });
  } else {
    await context.print(
      `${printable(sentence)}\n${todo === undefined ? '' : `What to do: ${printable(todo)}.\n`}`,
    );
  }
  return exitStatus('done');
}
