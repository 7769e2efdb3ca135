/** What can be done from the screen, when it was confirmed. */

import type { Machine } from '../../../os/ports.ts';
import { findJob } from '../../../spool/home/find-job.ts';
import { retryJob } from '../../../spool/home/operate.ts';
import { Operator } from '../../../spool/home/operator.ts';
import { pause, resume } from '../../../spool/home/rooms.ts';
import { takeSnapshot } from '../../../spool/home/snapshot.ts';
import { sentenceOf } from '../../failure.ts';
import { firstLine } from './look.ts';
import type { Act } from './state.ts';

/** What came of it, as a sentence. */
export async function actOn(machine: Machine, act: Act): Promise<string> {
  try {
    switch (act.kind) {
      case 'pause':
        await pause(machine, act.queue);
        return `${act.queue}: no job starts any more; what runs goes on.`;
      case 'resume':
        return (await resume(machine, act.queue))
          ? `${act.queue}: jobs may start again.`
          : `${act.queue}: it was not paused any more.`;
      case 'retry':
        return await retry(machine, act.queue, act.stem);
    }
  } catch (error) {
    return firstLine(sentenceOf(error));
  }
}

/** Looks anew: since the picture was taken it may have run, or somebody else has retried it. */
async function retry(machine: Machine, queue: string, stem: string): Promise<string> {
  const found = await findJob(machine, await takeSnapshot(machine, queue), stem);
  const operator = new Operator(machine, queue);
  try {
    const operated = await retryJob(operator, found);
    switch (operated.kind) {
      case 'done':
        return operated.seq === undefined
          ? `${stem}: waits to be run again.`
          : `${stem}: waits at the end of its lane, with number ${operated.seq}.`;
      case 'unchanged':
        return `${stem}: waits for its turn already.`;
      case 'gone':
        return `${stem}: somebody was faster; look again.`;
    }
  } finally {
    await operator.close();
  }
}
