/** What can be done from the screen, when it was confirmed. */

import { openKeeper } from '../../../open/open.ts';
import type { Machine } from '../../../os/ports.ts';
import { pickJob } from '../../../queue/find-job.ts';
import type { Keeper } from '../../../queue/keeper.ts';
import { sentenceOf } from '../../failure.ts';
import { firstLine } from './look.ts';
import type { Act } from './state.ts';

/** What came of it, as a sentence. */
export async function actOn(machine: Machine, act: Act): Promise<string> {
  try {
    const keeper = await openKeeper(machine, act.queue);
    switch (act.kind) {
      case 'pause':
        await keeper.pause();
        return `${act.queue}: no job starts any more; what runs goes on.`;
      case 'resume':
        return (await keeper.resume())
          ? `${act.queue}: jobs may start again.`
          : `${act.queue}: it was not paused any more.`;
      case 'retry':
        return await retry(keeper, act.id);
    }
  } catch (error) {
    return firstLine(sentenceOf(error));
  }
}

/** Looks anew: since the picture was taken it may have run, or somebody else has retried it. */
async function retry(keeper: Keeper, id: string): Promise<string> {
  const found = pickJob(keeper.location, await keeper.everyJob(await keeper.look()), id);
  const operation = await keeper.operate();
  try {
    const operated = await operation.retry(found);
    switch (operated.kind) {
      case 'done':
        return operated.seq === undefined
          ? `${id}: waits to be run again.`
          : `${id}: waits at the end of its lane, with number ${operated.seq}.`;
      case 'unchanged':
        return `${id}: waits for its turn already.`;
      case 'gone':
        return `${id}: somebody was faster; look again.`;
    }
  } finally {
    await operation.close();
  }
}
