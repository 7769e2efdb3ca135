/** What the commands say of a job to programs, and how they shorten its name. To people: queue/job-words.ts. */

import { formatMs } from '../../os/calendar.ts';
import { laneOf, stateOf } from '../../queue/job-words.ts';
import type { JobContents } from '../../queue/keeper.ts';
import type { FoundJob } from '../../queue/snapshot.ts';

/** One job in JSON. Its fields are a contract: docs/reference.md. */
export function jobJson(found: FoundJob, contents: JobContents | undefined): Record<string, unknown> {
  const time = (ms: number | undefined) => (ms === undefined || ms === 0 ? null : formatMs(ms));
  const { work, seq } = contents ?? {};
  return {
    id: found.id,
    place: found.place,
    state: stateOf(found),
    ...waitsFor(found),
    number: found.seq?.toString() ?? seq?.toString() ?? null,
    lane: laneOf(found) ?? null,
    priority: found.priority ?? null,
    added: time(found.addedMs),
    notBefore: time(found.notBeforeMs),
    attempts: found.attempts,
    params: work === undefined ? null : work.kind === 'command' ? work.params : [],
    file: found.name,
    path: found.path,
  };
}

function waitsFor(found: FoundJob): Record<string, unknown> {
  if (found.place === 'running') {
    const { worker, sinceMs } = found;
    return {
      worker: {
        name: worker.name,
        host: worker.host ?? null,
        pid: worker.pid ?? null,
        life: worker.life,
      },
      since: sinceMs === undefined ? null : formatMs(sinceMs),
    };
  }
  if (found.place === 'unreadable') return { reason: found.message };
  if (found.place !== 'waiting') return {};
  const { standing } = found;
  if (standing.kind === 'behind') return { behind: standing.seq.toString() };
  if (standing.kind === 'gap') return { missing: standing.missing.toString() };
  if (standing.kind === 'held' && standing.failed?.reason !== undefined)
    return { reason: standing.failed.reason };
  return {};
}

/** The shortest beginnings, of at least `least` characters, that tell these names apart. */
export function shortNames(names: readonly string[], least: number): Map<string, string> {
  const sorted = [...names].sort();
  const short = new Map<string, string>();
  let before = 0;
  sorted.forEach((name, index) => {
    const after = commonLength(name, sorted[index + 1] ?? '');
    short.set(name, name.slice(0, Math.max(least, before + 1, after + 1)));
    before = after;
  });
  return short;
}

function commonLength(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  return at;
}
