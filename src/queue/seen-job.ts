/** Jobs of a snapshot of which little is known, or whose file cannot be read. */

import type { Unreadable } from './contract.ts';
import type { FoundJob, SeenJob } from './snapshot.ts';

/** One of which only the name of its file is known. */
export function unknownJob(name: string, path: string): SeenJob {
  return {
    id: name,
    name,
    path,
    lane: undefined,
    seq: undefined,
    priority: undefined,
    addedMs: undefined,
    notBeforeMs: 0,
    attempts: 0,
    held: false,
  };
}

/** `seen`: what the name of such a file says all the same. */
export function unreadableJobs(
  unreadable: readonly Unreadable[],
  seen: (name: string, path: string) => SeenJob = unknownJob,
): FoundJob[] {
  return unreadable.map(({ path, message }) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    return { ...seen(name, path), place: 'unreadable', message };
  });
}
