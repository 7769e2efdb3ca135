/** What can be done about disorder in a queue, in words: for `repair`, which does it, and `doctor`, which points to it. */

import { shellQuote } from '../../os/shell.ts';
import type { Finding } from '../../queue/keeper.ts';

const WORDS: Readonly<Record<string, readonly [would: string, did: string]>> = {
  'make-rooms': ['make them', 'made'],
  'bring-back': ['give its jobs back and remove it', 'its jobs were given back, and it was removed'],
  remove: ['remove it', 'removed'],
  'set-aside': ['set it aside in failed/', 'set aside in failed/'],
  'to-jobs': ['put it into jobs/', 'put into jobs/'],
  permit: ['permit it', 'permitted'],
};

/** What `repair` would do about it, and what it has done then. */
export function wordsOf({ remedy, words }: Finding): readonly [would: string, did: string] {
  return words ?? WORDS[remedy] ?? [remedy, `done: ${remedy}`];
}

/** What a person should do, with the real paths. */
export function adviceOf(queue: string, { path, advice }: Pick<Finding, 'path' | 'advice'>): string {
  const named: Record<string, string> = {
    DIR: queue,
    PATH: path,
    FILE: path.slice(path.lastIndexOf('/') + 1),
  };
  return (advice ?? 'see what is wrong with it').replaceAll(/\b(DIR|PATH|FILE)\b/g, (word) =>
    shellQuote(named[word] ?? word),
  );
}
