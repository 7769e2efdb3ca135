/** Why a job is not running now, in one sentence, and the next thing to do where there is one. Pure. */

import { formatMs } from '../os/calendar.ts';
import { failedSentence, runningWhere } from './explain-runs.ts';
import { explainStanding } from './explain-standing.ts';
import type { Explanation } from './keeper.ts';
import type { FoundJob, QueueSnapshot, RunningJob, RunRecord, SeenWorker, WaitingJob } from './snapshot.ts';
import { counted, ordinal } from './words.ts';

/** What a snapshot does not know of a job. */
export type Known = {
  /** Of one that waits: when it is not to start any more. */
  readonly expiresMs?: number | undefined;
  /** Of one that has failed. */
  readonly lastRun?: RunRecord | undefined;
  readonly nowMs: number;
};

export function explainJob(snapshot: QueueSnapshot, found: FoundJob, known: Known): Explanation {
  switch (found.place) {
    case 'running':
      return { cause: 'running', sentence: runningSentence(found, snapshot.takenMs) };
    case 'unreadable':
      return {
        cause: 'unreadable',
        sentence: `It cannot be read as a job: ${found.message}.`,
        advice: 'if it is encoded, name the decoder; otherwise `intray repair DIR` sets it aside',
      };
    case 'done':
      return { cause: 'done', sentence: 'It is done.' };
    case 'failed':
      return {
        cause: 'failed',
        sentence: failedSentence('It has failed', known.lastRun),
        advice: '`intray log DIR JOB` shows what it said, `intray retry DIR JOB` runs it again',
      };
    case 'waiting':
      return explainWaiting(snapshot, found, known);
  }
}

function explainWaiting(snapshot: QueueSnapshot, job: WaitingJob, { expiresMs, nowMs }: Known): Explanation {
  const { layout, paused, kind, alone } = snapshot;
  if (job.standing.kind !== 'ready') {
    const own = explainStanding(snapshot, job, nowMs);
    return paused && own.cause !== 'past' ? withMore(own, 'Besides, the queue is paused.') : own;
  }
  if (kind === 'append-only') {
    return { cause: 'append-only', sentence: 'Jobs are only added to this queue here, and run elsewhere.' };
  }
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
    const like = layout === 'filespooler' ? ', as fspl does' : '';
    return {
      cause: 'worked-alone',
      sentence: `Process ${alone.pid} on this machine works the queue alone, one job after the other${like}; workers beside it have to wait.`,
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
      sentence: `${counted(ahead, 'job')} ${ahead === 1 ? 'is' : 'are'} ahead of it; ${counted(snapshot.running.length, 'job')} run${snapshot.running.length === 1 ? 's' : ''} now.`,
    };
  }
  return {
    cause: 'next',
    sentence: `It is the next to start; ${counted(alive.length, 'worker')} ${alive.length === 1 ? 'is' : 'are'} there.`,
  };
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

function deadNote(all: readonly SeenWorker[]): string {
  const dead = all.filter(({ life }) => life === 'dead' || life === 'silent').length;
  return dead === 0
    ? ''
    : `; ${counted(dead, 'worker')} died or went silent, and ${dead === 1 ? 'its' : 'their'} jobs come back with the next one`;
}

function withMore(explanation: Explanation, more: string): Explanation {
  return { ...explanation, sentence: `${explanation.sentence} ${more}` };
}
