/** What the commands say of a job, to people and, with `--json`, to programs. */

import { formatMs } from '../../os/calendar.ts';
import type { Machine } from '../../os/ports.ts';
import type { HeaderResult, PacketHeader } from '../../packet/header.ts';
import { duration } from '../../spool/home/explain.ts';
import { type FoundJob, seqOf } from '../../spool/home/find-job.ts';
import { parseJobName, SEE_HEADER } from '../../spool/home/job-name.ts';
import type { Decoder } from '../../spool/open-packet.ts';
import { headerReader, lookAt } from '../../spool/queue-files.ts';

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
  const { standing } = found.job;
  return standing.kind === 'held' && standing.failed !== undefined ? 'failed' : standing.kind;
}

/** The state with what goes with it: `delayed 5m`, `behind 17`. */
export function statePhrase(found: FoundJob, nowMs: number): string {
  const state = stateOf(found);
  if (found.place === 'running') {
    const { sinceMs, worker } = found.job;
    const since = sinceMs === undefined ? '' : ` ${age(nowMs - sinceMs)}`;
    return worker.life === 'dead' || worker.life === 'silent' ? `running?${since}` : `${state}${since}`;
  }
  if (found.place !== 'waiting') return state;
  const { standing } = found.job;
  if (standing.kind === 'delayed') return `delayed ${duration(standing.untilMs - nowMs)}`;
  if (standing.kind === 'behind') return `behind ${standing.seq}`;
  if (standing.kind === 'gap') return `gap at ${standing.missing}`;
  return state === 'failed' ? 'failed, holds' : state;
}

/** The largest unit: `3h`. */
export function age(ms: number): string {
  return duration(ms).split(' ')[0] ?? '';
}

/** What is known of a job without opening its file. */
export type KnownJob = {
  readonly lane: string | undefined;
  readonly priority: number | undefined;
  readonly addedMs: number | undefined;
  readonly notBeforeMs: number;
  readonly attempts: number;
};

export function knownOf(found: FoundJob): KnownJob {
  const said =
    found.place === 'unreadable'
      ? parseJobName(found.name)
      : 'said' in found.job
        ? found.job.said
        : found.job;
  return {
    lane: said?.lane === SEE_HEADER || said?.lane === '' ? undefined : said?.lane,
    priority: said?.priority,
    addedMs: said?.addedMs,
    notBeforeMs: said?.notBeforeMs ?? 0,
    attempts: said?.attempts ?? 0,
  };
}

/** One job in JSON. Its fields are a contract: docs/reference.md. */
export function jobJson(found: FoundJob, header: PacketHeader | undefined): Record<string, unknown> {
  const known = knownOf(found);
  const time = (ms: number | undefined) => (ms === undefined || ms === 0 ? null : formatMs(ms));
  const { work } = header ?? {};
  return {
    id: found.stem,
    place: found.place,
    state: stateOf(found),
    ...waitsFor(found),
    number: seqOf(found)?.toString() ?? header?.seq.toString() ?? null,
    lane: known.lane ?? null,
    priority: known.priority ?? null,
    added: time(known.addedMs),
    notBefore: time(known.notBeforeMs),
    attempts: known.attempts,
    params: work === undefined ? null : work.kind === 'command' ? work.params : [],
    file: found.name,
    path: found.path,
  };
}

function waitsFor(found: FoundJob): Record<string, unknown> {
  if (found.place === 'running') {
    const { worker, sinceMs } = found.job;
    return {
      worker: {
        name: worker.name,
        host: worker.info?.host ?? null,
        pid: worker.info?.pid ?? null,
        life: worker.life,
      },
      since: sinceMs === undefined ? null : formatMs(sinceMs),
    };
  }
  if (found.place === 'unreadable') return { reason: found.message };
  if (found.place !== 'waiting') return {};
  const { standing } = found.job;
  if (standing.kind === 'behind') return { behind: standing.seq.toString() };
  if (standing.kind === 'gap') return { missing: standing.missing.toString() };
  if (standing.kind === 'held' && standing.failed?.reason !== undefined)
    return { reason: standing.failed.reason };
  return {};
}

/** The arguments a job brings, as one would type them; what is no command says what it is. */
export function paramsOf(header: PacketHeader | undefined): string {
  if (header === undefined) return '';
  const { work } = header;
  if (work.kind === 'nop') return '(does nothing)';
  if (work.kind === 'fail') return '(always fails)';
  return work.params
    .map((param) => (/^[\w@%+=:,./-]+$/.test(param) ? param : JSON.stringify(param)))
    .join(' ');
}

/** Reads the header of one job after the other; undefined for what cannot be read, or has gone meanwhile. */
export function headersOf(
  machine: Machine,
  decoder: Decoder | undefined,
): (found: FoundJob) => Promise<PacketHeader | undefined> {
  const read: (path: string) => Promise<HeaderResult> = headerReader(machine, decoder);
  return async (found) => {
    if (found.place === 'unreadable') return undefined;
    const look = await lookAt(machine, found.path, 'file', read);
    return look.kind === 'job' ? look.header : undefined;
  };
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
