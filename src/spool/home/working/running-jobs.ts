/** Which jobs of a lane are in the rooms of workers now. */

import type { Machine } from '../../../os/ports.ts';
import type { Sequence } from '../../../packet/header.ts';
import { parseJobName, SEE_HEADER } from '../job-name.ts';
import { namesInRooms } from '../worker-rooms.ts';
import type { Look } from './look.ts';

/** Whether a worker has the job of that number; `exceptIn` names a room that is not looked into. */
export async function isRunning(
  machine: Machine,
  queue: string,
  look: Look,
  job: { readonly lane: string; readonly seq: Sequence },
  exceptIn?: string,
): Promise<boolean> {
  for (const name of await namesInRooms(machine, queue, exceptIn)) {
    const known = look.named(name);
    if (known === undefined ? mayBe(name, job.seq) : known.lane === job.lane && known.seq === job.seq) {
      return true;
    }
  }
  return false;
}

/** Whether a job whose lane has no room in its name may be that one: rather wait for another than pass it over. */
function mayBe(name: string, seq: Sequence): boolean {
  const said = parseJobName(name);
  return said?.lane === SEE_HEADER && said.seq === seq;
}
