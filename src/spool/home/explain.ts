/** Why a job is not running now, in one sentence, and the next thing to do where there is one. */

import { formatMs, toMs } from '../../os/calendar.ts';
import type { Machine } from '../../os/ports.ts';
import type { PacketHeader, Sequence } from '../../packet/header.ts';
import type { FoundJob } from './find-job.ts';
import { QUEUE_LANE } from './rooms.ts';
import { type RunRecord, readRuns } from './run-log.ts';
import type { QueueSnapshot, RunningJob } from './snapshot-parts.ts';
import type { Standing, StandingJob } from './standing.ts';
import { termsOf } from './terms.ts';
import type { Waiting } from './waiting.ts';
import type { SeenWorker } from './workers.ts';

/** What it waits for, for programs. */
export type Cause =
  | 'running'
  | 'failed'
  | 'done'
  | 'unreadable'
  | 'paused'
  | 'append-only'
  | 'worked-alone'
  | 'no-worker'
  | 'expired'
  | 'others-first'
  | 'next'
  | Exclude<Standing['kind'], 'ready'>;

export type Explanation = {
  readonly cause: Cause;
  /** A whole sentence. */
  readonly sentence: string;
  /** What a person may do about it; `DIR`, `JOB` and `LANE` stand for the queue, this job and its lane. */
  readonly advice?: string;
};

/** `header` is the job's, where it could be read. */
export async function explain(
  machine: Machine,
  snapshot: QueueSnapshot,
  found: FoundJob,
  header: PacketHeader | undefined,
): Promise<Explanation> {
  switch (found.place) {
    case 'running':
      return { cause: 'running', sentence: runningSentence(found.job, snapshot.takenMs) };
    case 'unreadable':
      return {
        cause: 'unreadable',
        sentence: `It cannot be read as a job: ${found.message}.`,
        advice: 'if it is encoded, name the decoder; otherwise `intray repair DIR` sets it aside',
      };
    case 'done':
      return { cause: 'done', sentence: 'It is done.' };
    case 'failed': {
      const run = (await readRuns(machine, snapshot.queue, found.stem)).at(-1);
      return {
        cause: 'failed',
        sentence: failedSentence('It has failed', run),
        advice: '`intray log DIR JOB` shows what it said, `intray retry DIR JOB` runs it again',
      };
    }
    case 'waiting':
      return explainWaiting(snapshot, found.job, header, toMs(machine.clock.now()));
  }
}

function explainWaiting(
  snapshot: QueueSnapshot,
  job: StandingJob,
  header: PacketHeader | undefined,
  nowMs: number,
): Explanation {
  const { paused, kind, alone } = snapshot;
  if (job.standing.kind !== 'ready') {
    const own = explainStanding(snapshot, job, nowMs);
    return paused && own.cause !== 'past' ? withMore(own, 'Besides, the queue is paused.') : own;
  }
  if (kind === 'append-only') {
    return { cause: 'append-only', sentence: 'Jobs are only added to this queue here, and run elsewhere.' };
  }
  const expiresMs = header === undefined ? undefined : termsOf(header).expiresMs;
  if (expiresMs !== undefined && expiresMs < nowMs) {
    return {
      cause: 'expired',
      sentence: `It was not to start after ${formatMs(expiresMs)}, and that is over: the next worker that comes to it lets it fail.`,
    };
  }
  if (paused) {
    return {
      cause: 'paused',
      sentence: 'The queue is paused: no job starts.',
      advice: '`intray resume DIR` lets jobs start again',
    };
  }
  if (alone !== undefined) {
    return {
      cause: 'worked-alone',
      sentence: `Process ${alone.pid} on this machine works the queue alone, one job after the other, as fspl does; workers beside it have to wait.`,
    };
  }
  const alive = snapshot.workers.filter(({ life }) => life === 'alive');
  if (alive.length === 0) {
    return {
      cause: 'no-worker',
      sentence: `No worker works this queue${deadNote(snapshot.workers)}.`,
      advice: 'start one with `intray work DIR -- COMMAND`',
    };
  }
  const ahead = snapshot.waiting.findIndex(({ name }) => name === job.name);
  if (ahead > 0) {
    return {
      cause: 'others-first',
      sentence: `${jobs(ahead)} ${ahead === 1 ? 'is' : 'are'} ahead of it; ${jobs(snapshot.running.length)} run${snapshot.running.length === 1 ? 's' : ''} now.`,
    };
  }
  return {
    cause: 'next',
    sentence: `It is the next to start; ${workers(alive.length)} ${alive.length === 1 ? 'is' : 'are'} there.`,
  };
}

function explainStanding(snapshot: QueueSnapshot, job: StandingJob, nowMs: number): Explanation {
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

function explainHeld(failed: RunRecord | undefined, job: Waiting): Explanation {
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
  job: StandingJob,
  { seq, running }: Standing & { readonly kind: 'behind' },
): Explanation {
  const lane = laneName(job.lane);
  const of = (other: { readonly lane: string | undefined; readonly seq: Sequence }) =>
    other.lane === job.lane && other.seq === seq;
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

function headState({ standing }: StandingJob): string {
  if (standing.kind === 'delayed') return `is not to start before ${formatMs(standing.untilMs)}`;
  if (standing.kind === 'held')
    return standing.failed === undefined ? 'is held' : failedWords('has failed', standing.failed);
  return 'has not started yet';
}

function runningSentence(job: RunningJob, nowMs: number): string {
  const { life } = job.worker;
  const attempt = job.attempts > 1 ? `, for the ${ordinal(job.attempts)} time` : '';
  const sentence = `It is running${runningWhere(job, nowMs)}${attempt}`;
  if (life === 'dead') return `${sentence}; but that worker is dead, and the next one gives the job back.`;
  if (life === 'silent')
    return `${sentence}; but that worker has been silent since ${formatMs(job.worker.beatMs ?? 0)}, and others may take the job over.`;
  return `${sentence}.`;
}

function runningWhere({ worker, sinceMs }: RunningJob, nowMs: number): string {
  const { info, name } = worker;
  const where =
    info === undefined ? ` in the hands of worker ${name}` : ` on ${info.host}, process ${info.pid}`;
  return sinceMs === undefined
    ? where
    : `${where}, since ${formatMs(sinceMs)} (${duration(nowMs - sinceMs)})`;
}

function failedSentence(words: string, run: RunRecord | undefined, end = ''): string {
  return `${failedWords(words, run)}${end}.`;
}

function failedWords(words: string, run: RunRecord | undefined): string {
  if (run === undefined) return words;
  return `${words} at ${run.ended} on attempt ${run.attempt}${run.reason === undefined ? '' : `: ${run.reason}`}`;
}

function deadNote(all: readonly SeenWorker[]): string {
  const dead = all.filter(({ life }) => life === 'dead' || life === 'silent').length;
  return dead === 0
    ? ''
    : `; ${workers(dead)} died or went silent, and ${dead === 1 ? 'its' : 'their'} jobs come back with the next one`;
}

function withMore(explanation: Explanation, more: string): Explanation {
  return { ...explanation, sentence: `${explanation.sentence} ${more}` };
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

/** As the subject of a sentence. */
export function laneName(lane: string | undefined): string {
  return lane === undefined || lane === QUEUE_LANE ? 'The queue' : `Lane ${JSON.stringify(lane)}`;
}

function lower(words: string): string {
  return words.slice(0, 1).toLowerCase() + words.slice(1);
}

function laneOption(lane: string | undefined): string {
  return lane === undefined || lane === QUEUE_LANE ? '' : ' --lane LANE';
}

function jobs(count: number): string {
  return count === 1 ? '1 job' : `${count} jobs`;
}

function workers(count: number): string {
  return count === 1 ? '1 worker' : `${count} workers`;
}

function ordinal(number: number): string {
  const teen = number % 100 >= 11 && number % 100 <= 13;
  const ending = teen ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th');
  return `${number}${ending}`;
}

const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
];

/** The two largest units: `3h 20m`, `45s`. */
export function duration(ms: number): string {
  let left = Math.max(0, Math.floor(ms / 1000) * 1000);
  const words: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0 || words.length > 0) words.push(`${count}${unit}`);
    if (words.length === 2) break;
  }
  return words.length === 0 ? '0s' : words.filter((word) => !word.startsWith('0')).join(' ');
}
