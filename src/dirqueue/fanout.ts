/** Where in queue/ a control file belongs: there, or in one of its directories. */

import type { Machine } from '../os/ports.ts';
import { fanoutOf } from './job-id.ts';
import { FANOUT, isThere, join, makeDirectory, room } from './layout.ts';

/** Whether jobs are in directories of queue/. Asked without listing it: it may be long. */
export async function hasFanout(machine: Machine, queue: string): Promise<boolean> {
  for (const name of FANOUT) if (await isThere(machine, join(room(queue, 'queue'), name))) return true;
  return false;
}

/** Where the control file of a job belongs. */
export async function controlPath(
  machine: Machine,
  queue: string,
  fanout: boolean,
  id: string,
): Promise<string> {
  const top = room(queue, 'queue');
  if (!fanout) return join(top, id);
  const directory = join(top, fanoutOf(id));
  await makeDirectory(machine, directory);
  return join(directory, id);
}
