import { shellQuote } from '../os/shell.ts';
import { laneOf } from './job-words.ts';
import type { FoundJob } from './snapshot.ts';

/** Advice as it can be pasted into a shell. */
export function adviceFor(advice: string | undefined, queue: string, found: FoundJob): string | undefined {
  const words: Record<string, string> = { DIR: queue, JOB: found.id, LANE: laneOf(found) ?? '' };
  // All at once: a queue may well be called JOB.
  return advice?.replace(/\b(?:DIR|JOB|LANE)\b/g, (word) => shellQuote(words[word] ?? word));
}
