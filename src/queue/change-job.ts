/** Changing one job, wherever it has gone since somebody looked. */

import { QueueError } from './errors.ts';
import type { Operated } from './keeper.ts';
import type { FoundJob } from './snapshot.ts';

/** A worker may be faster than we are, but not so often. */
const TRIES = 5;

/** `lookAgain` finds the same job where it is now; it throws where it is not there any more. */
export async function changeJob(
  wanted: FoundJob,
  act: (found: FoundJob) => Promise<Operated>,
  lookAgain: () => Promise<FoundJob>,
): Promise<Exclude<Operated, { readonly kind: 'gone' }>> {
  let found = wanted;
  for (let tried = 1; tried <= TRIES; tried++) {
    const operated = await act(found);
    if (operated.kind !== 'gone') return operated;
    // It was claimed, given back or removed since we looked: by its whole id it is the same job.
    found = await lookAgain();
  }
  throw new QueueError('not-possible', `${found.path}: it comes and goes; try again`);
}
