/** Words that layouts and commands have in common. */

import { shellQuote } from '../os/shell.ts';
import { formatSpan } from '../os/span.ts';

/** Stands for the order of the queue itself, where a lane is named: of jobs without one, in a queue that keeps an order. */
export const QUEUE_LANE = '';

/** As the subject of a sentence. */
export function laneName(lane: string | undefined): string {
  return lane === undefined || lane === QUEUE_LANE ? 'The queue' : `Lane ${JSON.stringify(lane)}`;
}

/** The same within a sentence. */
export function lower(words: string): string {
  return words.slice(0, 1).toLowerCase() + words.slice(1);
}

/** What lets a lane go on past a number that is missing. */
export function skipCommand(queue: string, lane: string): string {
  return `intray skip ${shellQuote(queue)}${lane === QUEUE_LANE ? '' : ` --lane ${shellQuote(lane)}`}`;
}

/** `1 job`, `2 jobs`. */
export function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}

export function ordinal(number: number): string {
  const teen = number % 100 >= 11 && number % 100 <= 13;
  const ending = teen ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th');
  return `${number}${ending}`;
}

/** The two largest units, in whole seconds: `3h 20m`, `45s`, `0s`. */
export function duration(ms: number): string {
  const wholeMs = Math.max(0, Math.floor(ms / 1000) * 1000);
  return wholeMs === 0 ? '0s' : formatSpan(wholeMs);
}
