/** Why a job that waits may not start: what stands before it, in one sentence. Pure. */

import { formatMs } from '../os/calendar.ts';
import { failedSentence, failedWords, runningWhere } from './explain-runs.ts';
import type { Explanation } from './keeper.ts';
import type { QueueSnapshot, RunRecord, SeenJob, Standing, WaitingJob } from './snapshot.ts';
import { duration, laneName, lower, QUEUE_LANE } from './words.ts';

export function explainStanding(snapshot: QueueSnapshot, job: WaitingJob, nowMs: number): Explanation {
  const { standing } = job;
  const lane = laneName(job.lane);
  switch (standing.kind) {
    case 'ready':
      return { cause: 'next', sentence: 'It may start now.' };
    case 'delayed':
      return {
        cause: 'delayed',
        sentence: `It is not to start before ${formatMs(standing.untilMs)}, in ${duration(standing.untilMs - nowMs)}.`,
        advice: '`intray retry DIR JOB` makes it due now',
      };
    case 'held':
      return explainHeld(standing.failed, job);
    case 'behind':
      return explainBehind(snapshot, job, standing);
    case 'gap':
      return {
        cause: 'gap',
        sentence: `${lane} waits for job ${standing.missing}, which is not there.`,
        advice: `have its sender send it again, or go on without it: \`intray skip DIR${laneOption(job.lane)}\``,
      };
    case 'duplicate':
      return {
        cause: 'duplicate',
        sentence: `Another job of ${lower(lane)} has the same number, ${standing.seq}.`,
        advice: 'remove one of the two: `intray rm DIR JOB`; `intray repair DIR` sets copies aside',
      };
    case 'past':
      return {
        cause: 'past',
        sentence: `${lane} is at number ${standing.next} by now, so job ${job.seq} does not start any more.`,
        advice: '`intray rm DIR JOB` removes it, `intray repair DIR` sets it aside',
      };
    case 'stuck':
      return {
        cause: 'stuck',
        sentence: `Nobody can tell which number ${lower(lane)} waits for: ${snapshot.damage.join('; ')}.`,
      };
  }
}

function explainHeld(failed: RunRecord | undefined, job: SeenJob): Explanation {
  const lane = laneName(job.lane);
  if (failed !== undefined) {
    return {
      cause: 'held',
      sentence: failedSentence('It has failed', failed, `, and holds up ${lower(lane)}`),
      advice: `\`intray retry DIR JOB\` runs it again, \`intray skip DIR${laneOption(job.lane)}\` goes on without it, \`intray rm DIR JOB\` removes it`,
    };
  }
  return {
    cause: 'held',
    sentence: 'Somebody has held it.',
    advice: '`intray release DIR JOB` lets it start',
  };
}

function explainBehind(
  snapshot: QueueSnapshot,
  job: WaitingJob,
  { seq, running }: Standing & { readonly kind: 'behind' },
): Explanation {
  const lane = laneName(job.lane);
  const of = (other: SeenJob) => other.lane === job.lane && other.seq === seq;
  if (running) {
    const runs = snapshot.running.find(of);
    const where = runs === undefined ? 'is running' : `is running${runningWhere(runs, snapshot.takenMs)}`;
    return { cause: 'behind', sentence: `${lane} is at job ${seq}, which ${where}.` };
  }
  const head = snapshot.waiting.find(of);
  const why = head === undefined || head.standing.kind === 'behind' ? 'waits' : headState(head);
  return {
    cause: 'behind',
    sentence: `${lane} is at job ${seq}, which ${why}.`,
    advice: `\`intray explain DIR '#${seq}'\` says more`,
  };
}

function headState({ standing }: WaitingJob): string {
  if (standing.kind === 'delayed') return `is not to start before ${formatMs(standing.untilMs)}`;
  if (standing.kind === 'held')
    return standing.failed === undefined ? 'is held' : failedWords('has failed', standing.failed);
  return 'has not started yet';
}

/** What a lane is at, as a sentence without its full stop. */
export function explainLane(snapshot: QueueSnapshot, lane: string): string {
  const name = laneName(lane);
  const found = snapshot.lanes.find((one) => one.lane === lane);
  if (found === undefined) return `${lower(name)} has no jobs that wait or run`;
  if (found.next === undefined) return `nobody can tell which number ${lower(name)} waits for`;
  if (found.missing !== undefined) return `${lower(name)} waits for job ${found.missing}, which is not there`;
  if (found.running > 0) return `${lower(name)} is at job ${found.next}, which is running`;
  const head = snapshot.waiting.find((job) => job.lane === lane && job.seq === found.next);
  if (head === undefined) return `${lower(name)} waits for nothing`;
  return `${lower(name)} is at job ${found.next}, which ${headState(head)}`;
}

function laneOption(lane: string | undefined): string {
  return lane === undefined || lane === QUEUE_LANE ? '' : ' --lane LANE';
}
