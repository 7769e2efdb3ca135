/** Jobs that are over without success: what becomes of them, and of their lanes. */

import { formatMs, toMs } from '../os/calendar.ts';
import type { Machine } from '../os/ports.ts';
import type { BlockedPolicy, RunFacts } from '../queue/contract.ts';
import type { RunRecord } from '../queue/snapshot.ts';
import type { Change, Log } from './log.ts';
import type { Entry } from './picture.ts';
import { withRun } from './runs.ts';
import type { JobState } from './subjects.ts';

export type GivingUp = {
  readonly machine: Machine;
  readonly log: Log;
  readonly worker: string;
  readonly blocked: BlockedPolicy;
  /** As long as nobody can have taken our jobs it is worth a wait to say what has become of them. */
  readonly insists: () => boolean;
};

export type Ended = RunFacts & { readonly outcome: RunRecord['outcome']; readonly reason?: string };

/** A state of a job that somebody has seen. */
export type Seen = { readonly generation: number; readonly state: JobState };

/** All records of a job travel in one header. */
const LONGEST_REASON = 500;

/** How a run that we had in hand, or refused to begin, has ended. */
export function runOf({ machine, worker }: GivingUp, { state }: Seen, ended: Ended): RunRecord {
  const { outcome, reason, exit } = ended;
  return {
    attempt: state.attempts,
    outcome,
    ...(reason === undefined ? {} : { reason: reason.slice(0, LONGEST_REASON) }),
    ...(exit === undefined ? {} : { exit }),
    worker,
    ...(state.sinceMs === undefined ? {} : { started: formatMs(state.sinceMs) }),
    ended: formatMs(toMs(machine.clock.now())),
  };
}

/** False when somebody else has changed it since. */
export async function giveUp(parts: GivingUp, entry: Entry, seen: Seen, ended: Ended): Promise<boolean> {
  const { log, blocked, insists } = parts;
  const runs = withRun(seen.state.runs, runOf(parts, seen, ended));
  const next = { ...fateOf(entry, blocked), runs, deaths: 0 };
  if (!(await log.change(entry, seen.generation, seen.state, next, insists))) return false;
  if (next.place === 'over') log.aside(log.bury(entry));
  return true;
}

/** A lane waits at it, or goes on without it. */
function fateOf({ job }: Entry, { action, afterMs }: BlockedPolicy): Change {
  if (job.lane === undefined) return { place: 'failed' };
  if (action === 'hold' || afterMs !== undefined) return { place: 'waiting', stopped: true };
  return action === 'skip' ? { place: 'failed' } : { place: 'over' };
}

/** Lets go on, where that is wanted, what has waited long enough behind a job that has failed. */
export async function passStoppedLanes({ log, blocked }: GivingUp, serverMs: number): Promise<void> {
  if (blocked.action === 'hold') return;
  for (const { jobs } of [...log.picture.lanes.values()]) {
    const [head] = jobs;
    if (head?.state.stopped !== true || serverMs < head.changedMs + (blocked.afterMs ?? 0)) continue;
    const place = blocked.action === 'skip' ? 'failed' : 'over';
    const isDone = await log.change(head, head.generation, head.state, { place, stopped: false });
    if (isDone && place === 'over') log.aside(log.bury(head));
  }
}
