/** What people are told of a job, whatever its layout. */

import type { JobContents } from './keeper.ts';
import type { FoundJob, RunRecord } from './snapshot.ts';
import { duration, QUEUE_LANE } from './words.ts';

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

const OUTCOMES: Record<RunRecord['outcome'], string> = {
  succeeded: 'succeeded',
  failed: 'failed for good',
  retry: 'failed, and is to be tried again',
  released: 'was given back',
  lost: 'was taken over by another worker',
  died: 'ended with the death of its worker',
};

export function runSentence({ attempt, outcome, reason, worker, started, ended }: RunRecord): string {
  const when = started === undefined ? `at ${ended}` : `from ${started} to ${ended}`;
  return `Attempt ${attempt} ${OUTCOMES[outcome] ?? outcome}${reason === undefined ? '' : `: ${reason}`} (${when}, worker ${worker})`;
}
