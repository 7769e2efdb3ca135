/** `intray show`: all about one job. */

import { formatMs } from '../../os/calendar.ts';
import { laneOf, runSentence, statePhrase } from '../../queue/job-words.ts';
import type { JobDetails } from '../../queue/keeper.ts';
import type { Context } from '../context.ts';
import { printJson } from '../json.ts';
import { printable } from '../printable.ts';
import { exitStatus } from './exit-codes.ts';
import { jobJson } from './job-words.ts';
import { adviceFor, type LookedUp, lookUp, type OneJob } from './looking.ts';

export async function show(
  context: Context,
  args: OneJob & { readonly options: { readonly json: boolean } },
): Promise<number> {
  const looked = await lookUp(context, args);
  const { keeper, snapshot, found } = looked;
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
  const rows = rowsOf(looked, details);
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

function rowsOf({ snapshot, found }: LookedUp, details: JobDetails): [string, string][] {
  const { contents, lane, made, expiresMs, name, bytes, more } = details;
  const { priority, addedMs, notBeforeMs, attempts } = found;
  const rows: [string, string | undefined][] = [
    ['id', found.id],
    ['file', found.path],
    ['state', statePhrase(found, snapshot.takenMs)],
    ['number', contents?.seq?.toString()],
    ['lane', laneOf(found) ?? lane],
    ['priority', priority?.toString()],
    ['added', addedMs === undefined ? undefined : formatMs(addedMs)],
    ['made', made],
    ['not before', notBeforeMs === 0 ? undefined : formatMs(notBeforeMs)],
    ['expires', expiresMs === undefined ? undefined : formatMs(expiresMs)],
    ['name', name],
    ['starts', attempts.toString()],
    ['bytes', bytes?.toString()],
    ...more.map(([title, value]): [string, string] => [title, value]),
  ];
  const { work } = contents ?? {};
  if (work?.kind === 'command') {
    for (const param of work.params) rows.push(['param', param]);
    for (const [variable, value] of work.env) rows.push(['env', `${variable}=${value}`]);
  } else if (work !== undefined) rows.push(['work', work.kind === 'nop' ? 'does nothing' : 'always fails']);
  return rows.filter((row): row is [string, string] => row[1] !== undefined);
}
