/** `intray show`: all about one job. */

import { formatMs } from '../../os/calendar.ts';
import { adviceFor } from '../../queue/advice.ts';
import { factsOf } from '../../queue/job-facts.ts';
import { runSentence } from '../../queue/job-words.ts';
import type { Context } from '../context.ts';
import { printJson } from '../json.ts';
import { printable } from '../printable.ts';
import { exitStatus } from './exit-codes.ts';
import { jobJson } from './job-words.ts';
import { lookUp, type OneJob } from './looking.ts';

export async function show(
  context: Context,
  args: OneJob & { readonly options: { readonly json: boolean } },
): Promise<number> {
  const { keeper, snapshot, found } = await lookUp(context, args);
  const reason = await keeper.explain(snapshot, found);
  const { records: runs } = await keeper.runs(found);
  const details = await keeper.details(found);
  const { contents, expiresMs, name, made, bytes, more } = details;
  if (args.options.json) {
    await printJson(context, {
      queue: snapshot.queue,
      ...jobJson(found, contents),
      cause: reason.cause,
      sentence: reason.sentence,
      expires: expiresMs === undefined ? null : formatMs(expiresMs),
      name: name ?? null,
      made: made ?? null,
      env: contents?.work.kind === 'command' ? contents.work.env : [],
      bytes: bytes ?? null,
      ...(more.length === 0 ? {} : { more: Object.fromEntries(more) }),
      runs,
    });
    return exitStatus('done');
  }
  const rows = factsOf(snapshot, found, details);
  const lines = rows.map(([title, value]) => `${title.padEnd(11)}${printable(value)}`);
  const advice = adviceFor(reason.advice, args.operand, found);
  lines.push(
    '',
    printable(reason.sentence),
    ...(advice === undefined ? [] : [`What to do: ${printable(advice)}.`]),
  );
  if (runs.length > 0) lines.push('', ...runs.map((run) => printable(runSentence(run))));
  await context.print(`${lines.join('\n')}\n`);
  return exitStatus('done');
}
