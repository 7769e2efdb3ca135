/** What can be done from the screen, when it was confirmed. */

import type { Machine } from '../../../os/ports.ts';
import { pause, resume } from '../../../spool/home/rooms.ts';
import { sentenceOf } from '../../failure.ts';
import { firstLine } from './look.ts';
import type { Picture } from './picture.ts';
import type { Act } from './state.ts';

/** What came of it, as a sentence. */
export async function actOn(machine: Machine, _picture: Picture, act: Act): Promise<string> {
  try {
    switch (act.kind) {
      case 'pause':
        await pause(machine, act.queue);
        return `${act.queue}: no job starts any more; what runs goes on.`;
      case 'resume':
        return (await resume(machine, act.queue))
          ? `${act.queue}: jobs may start again.`
          : `${act.queue}: it was not paused any more.`;
    }
  } catch (error) {
    return firstLine(sentenceOf(error));
  }
}
