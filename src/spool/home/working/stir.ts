/** Noticing at little cost that a queue nobody works has something to do. */

import { entriesOf } from '../../../os/if-there.ts';
import type { Machine } from '../../../os/ports.ts';
import { isJobName, jobsDirectory, join } from '../../layout.ts';
import { room } from '../rooms.ts';

export async function stirs(machine: Machine, queue: string): Promise<boolean> {
  if ((await machine.files.readdir(jobsDirectory(queue))).some(({ name }) => isJobName(name))) return true;
  for (const { name } of await entriesOf(machine, room(queue, 'work'))) {
    const own = await entriesOf(machine, join(room(queue, 'work'), name));
    if (own.some((entry) => isJobName(entry.name))) return true;
  }
  return false;
}

/** How many files are named like jobs that wait. */
export async function countWaiting(machine: Machine, queue: string): Promise<number> {
  const entries = await machine.files.readdir(jobsDirectory(queue));
  return entries.filter(({ name }) => isJobName(name)).length;
}
