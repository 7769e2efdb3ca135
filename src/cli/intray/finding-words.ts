/** What can be done about disorder in a queue, in words: for `repair`, which does it, and `doctor`, which points to it. */

import type { Finding, Remedy } from '../../spool/home/repair.ts';
import { shellQuote } from '../shell.ts';

export const WOULD: Readonly<Record<Exclude<Remedy, 'person'>, readonly [would: string, did: string]>> = {
  'make-rooms': ['make them', 'made'],
  'bring-back': ['give its jobs back and remove it', 'its jobs were given back, and it was removed'],
  remove: ['remove it', 'removed'],
  'set-aside': ['set it aside in failed/', 'set aside in failed/'],
  'to-jobs': ['put it into jobs/', 'put into jobs/'],
  permit: ['permit it', 'permitted'],
};

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
