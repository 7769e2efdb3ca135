/** What the commands say of a job, to people and, with `--json`, to programs. */

import { formatMs } from '../../os/calendar.ts';
import type { JobContents } from '../../queue/keeper.ts';
import type { FoundJob } from '../../queue/snapshot.ts';
import { duration, QUEUE_LANE } from '../../queue/words.ts';

/** Where a job is and what it waits for, in one word. */
export type StateWord =
  | 'ready'
  | 'delayed'
  | 'held'
  | 'behind'
  | 'gap'
  | 'duplicate'
  | 'past'
  | 'stuck'
  | 'running'
  | 'failed'
  | 'done'
  | 'unreadable';

/** A job that has failed and holds up its lane has failed, wherever its file is. */
export function stateOf(found: FoundJob): StateWord {
  if (found.place !== 'waiting') return found.place;
  const { standing } = found;
  return standing.kind === 'held' && standing.failed !== undefined ? 'failed' : standing.kind;
}

/** The state with what goes with it: `delayed 5m`, `behind 17`. */
export function statePhrase(found: FoundJob, nowMs: number): string {
  const state = stateOf(found);
  if (found.place === 'running') {
    const { sinceMs, worker } = found;
    const since = sinceMs === undefined ? '' : ` ${age(nowMs - sinceMs)}`;
    return worker.life === 'dead' || worker.life === 'silent' ? `running?${since}` : `${state}${since}`;
  }
  if (found.place !== 'waiting') return state;
  const { standing } = found;
  if (standing.kind === 'delayed') return `delayed ${duration(standing.untilMs - nowMs)}`;
  if (standing.kind === 'behind') return `behind ${standing.seq}`;
  if (standing.kind === 'gap') return `gap at ${standing.missing}`;
  return state === 'failed' ? 'failed, holds' : state;
}

/** The largest unit: `3h`. */
export function age(ms: number): string {
  return duration(ms).split(' ')[0] ?? '';
}

/** The lane that somebody named. */
export function laneOf({ lane }: FoundJob): string | undefined {
  return lane === QUEUE_LANE ? undefined : lane;
}

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

/** The arguments a job brings, as one would type them; what is no command says what it is. */
export function paramsOf(contents: JobContents | undefined): string {
  if (contents === undefined) return '';
  const { work } = contents;
  if (work.kind === 'nop') return '(does nothing)';
  if (work.kind === 'fail') return '(always fails)';
  return work.params
    .map((param) => (/^[\w@%+=:,./-]+$/.test(param) ? param : JSON.stringify(param)))
    .join(' ');
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
