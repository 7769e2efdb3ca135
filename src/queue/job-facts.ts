/** All about one job, line by line. */

import { formatMs } from '../os/calendar.ts';
import { laneOf, statePhrase } from './job-words.ts';
import type { JobDetails } from './keeper.ts';
import type { FoundJob, QueueSnapshot } from './snapshot.ts';

/** What a person is told of it, each with a title; what is not known is left out. */
export function factsOf(
  snapshot: QueueSnapshot,
  found: FoundJob,
  details: JobDetails,
): [title: string, value: string][] {
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
