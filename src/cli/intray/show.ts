/** `intray show`: all about one job. */

import { formatMs, formatUtc } from '../../os/calendar.ts';
import { hasErrno, type Machine } from '../../os/ports.ts';
import { explain } from '../../spool/home/explain.ts';
import { readRuns } from '../../spool/home/run-log.ts';
import { type Terms, termsOf } from '../../spool/home/terms.ts';
import type { Context } from '../context.ts';
import { printJson } from '../json.ts';
import { printable } from '../printable.ts';
import { exitStatus } from './exit-codes.ts';
import { jobJson, knownOf, statePhrase } from './job-words.ts';
import { runSentence } from './log.ts';
import { adviceFor, type LookedUp, lookUp, type OneJob } from './looking.ts';

export async function show(
  context: Context,
  args: OneJob & { readonly options: { readonly json: boolean } },
): Promise<number> {
  const { machine, print } = context;
  const looked = await lookUp(context, args);
  const { snapshot, found, header } = looked;
  const reason = await explain(machine, snapshot, found, header);
  const runs = await readRuns(machine, snapshot.queue, found.stem);
  const bytes = await sizeOf(machine, found.path);
  const terms = header === undefined ? {} : termsOf(header);
  if (args.options.json) {
    await printJson(context, {
      queue: snapshot.queue,
      ...jobJson(found, header),
      cause: reason.cause,
      sentence: reason.sentence,
      expires: terms.expiresMs === undefined ? null : formatMs(terms.expiresMs),
      name: terms.id ?? null,
      made: header === undefined ? null : formatUtc(header.ctime),
      env: header?.work.kind === 'command' ? header.work.env : [],
      bytes: bytes ?? null,
      runs,
    });
    return exitStatus('done');
  }
  const rows = rowsOf(looked, terms, bytes);
  const lines = rows.map(([title, value]) => `${title.padEnd(11)}${printable(value)}`);
  const advice = adviceFor(reason.advice, args.operand, found);
  lines.push(
    '',
    printable(reason.sentence),
    ...(advice === undefined ? [] : [`What to do: ${printable(advice)}.`]),
  );
  if (runs.length > 0) lines.push('', ...runs.map((run) => printable(runSentence(run))));
  await print(`${lines.join('\n')}\n`);
  return exitStatus('done');
}

function rowsOf(
  { snapshot, found, header }: LookedUp,
  terms: Terms,
  bytes: number | undefined,
): [string, string][] {
  const known = knownOf(found);
  const time = (ms: number) => `${formatMs(ms)}`;
  const rows: [string, string | undefined][] = [
    ['id', found.stem],
    ['file', found.path],
    ['state', statePhrase(found, snapshot.takenMs)],
    ['number', header?.seq.toString()],
    ['lane', known.lane ?? terms.lane],
    ['priority', known.priority?.toString()],
    ['added', known.addedMs === undefined ? undefined : time(known.addedMs)],
    ['made', header === undefined ? undefined : formatUtc(header.ctime)],
    ['not before', known.notBeforeMs === 0 ? undefined : time(known.notBeforeMs)],
    ['expires', terms.expiresMs === undefined ? undefined : time(terms.expiresMs)],
    ['name', terms.id],
    ['starts', known.attempts.toString()],
    ['bytes', bytes?.toString()],
  ];
  if (header?.work.kind === 'command') {
    for (const param of header.work.params) rows.push(['param', param]);
    for (const [name, value] of header.work.env) rows.push(['env', `${name}=${value}`]);
  } else if (header !== undefined)
    rows.push(['work', header.work.kind === 'nop' ? 'does nothing' : 'always fails']);
  return rows.filter((row): row is [string, string] => row[1] !== undefined);
}

async function sizeOf({ files }: Machine, path: string): Promise<number | undefined> {
  try {
    return (await files.stat(path)).size;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ESTALE')) return undefined;
    throw error;
  }
}
