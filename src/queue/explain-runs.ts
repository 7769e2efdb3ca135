/** What runs and has run, as parts of sentences. */

import { formatMs } from '../os/calendar.ts';
import type { RunningJob, RunRecord } from './snapshot.ts';
import { duration } from './words.ts';

export function runningWhere({ worker, sinceMs }: RunningJob, nowMs: number): string {
  const { host, pid, name } = worker;
  const where = pid === undefined ? ` in the hands of worker ${name}` : ` on ${host}, process ${pid}`;
  return sinceMs === undefined
    ? where
    : `${where}, since ${formatMs(sinceMs)} (${duration(nowMs - sinceMs)})`;
}

export function failedSentence(words: string, run: RunRecord | undefined, end = ''): string {
  return `${failedWords(words, run)}${end}.`;
}

export function failedWords(words: string, run: RunRecord | undefined): string {
  if (run === undefined) return words;
  return `${words} at ${run.ended} on attempt ${run.attempt}${run.reason === undefined ? '' : `: ${run.reason}`}`;
}
