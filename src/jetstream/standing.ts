/** How a job stands in the picture of its queue, and what that means for those who look for work. Pure. */

import type { Sequence } from '../packet/header.ts';
import type { SharedIdle } from '../queue/contract.ts';
import type { Standing } from '../queue/snapshot.ts';
import { DEFAULT_PRIORITY } from '../queue/terms.ts';
import type { Entry, Picture } from './picture.ts';

export function priorityOf({ job }: Entry): number {
  return job.priority ?? DEFAULT_PRIORITY;
}

/** First those of a higher priority, then first come, first served. */
export function byTurn(a: Entry, b: Entry): number {
  return priorityOf(a) - priorityOf(b) || a.seq - b.seq;
}

/** Of a job that waits. */
export function standingOf(picture: Picture, entry: Entry, nowMs: number): Standing {
  const { job, state } = entry;
  if (state.stopped) {
    const failed = state.runs.at(-1);
    return failed === undefined ? { kind: 'held' } : { kind: 'held', failed };
  }
  if (state.held) return { kind: 'held' };
  const head = job.lane === undefined ? entry : (picture.headOf(job.lane) ?? entry);
  if (head !== entry) {
    return { kind: 'behind', seq: BigInt(head.seq) as Sequence, running: head.state.place === 'running' };
  }
  const { untilMs } = state;
  return untilMs > nowMs ? { kind: 'delayed', untilMs } : { kind: 'ready' };
}

export function waitingIn(picture: Picture): Entry[] {
  return [...picture.entries.values()].filter(({ state }) => state.place === 'waiting');
}

/** What the jobs wait for, when none may start now. */
export function whyIdle(picture: Picture, nowMs: number): SharedIdle {
  let waiting = 0;
  let held = 0;
  let busy = false;
  let untilMs = Number.POSITIVE_INFINITY;
  for (const entry of picture.entries.values()) {
    if (entry.state.place !== 'waiting') continue;
    waiting += 1;
    const own = standingOf(picture, entry, nowMs);
    const head =
      own.kind === 'behind' && entry.job.lane !== undefined ? picture.headOf(entry.job.lane) : entry;
    if (head?.state.place === 'running') busy = true;
    else if (own.kind === 'held' || head?.state.held || head?.state.stopped) held += 1;
    else if (head !== undefined) untilMs = Math.min(untilMs, head.state.untilMs);
  }
  if (picture.paused) return { kind: 'idle', reason: 'paused', waiting };
  if (untilMs < Number.POSITIVE_INFINITY) return { kind: 'idle', reason: 'delayed', untilMs, waiting };
  if (busy) return { kind: 'idle', reason: 'busy', waiting };
  if (held > 0) return { kind: 'idle', reason: 'held', jobs: held, waiting };
  return { kind: 'idle', reason: 'empty', waiting };
}
