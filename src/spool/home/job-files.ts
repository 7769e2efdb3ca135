/** The files of jobs, wherever they are in a queue. */

import { entriesOf, isGone } from '../../os/if-there.ts';
import type { Machine } from '../../os/ports.ts';
import { refreshNames } from '../../queue/refresh-names.ts';
import { isJobName, jobsDirectory, join } from '../layout.ts';
import { room } from './rooms.ts';
import { listRooms } from './worker-rooms.ts';

/** Their paths, as the server has them now, where there is one. */
export async function* jobFiles(machine: Machine, queue: string): AsyncGenerator<string> {
  const places = async function* () {
    yield jobsDirectory(queue);
    await refreshNames(machine.files, room(queue, 'work'));
    for (const { path } of await listRooms(machine, queue)) yield path;
    yield room(queue, 'failed');
    yield room(queue, 'done');
    // It may have come back from a worker's room to where we had looked already.
    yield jobsDirectory(queue);
  };
  for await (const place of places()) {
    try {
      await refreshNames(machine.files, place);
    } catch (error) {
      if (!isGone(error)) throw error; // a worker's room, removed meanwhile
    }
    for (const { name } of await entriesOf(machine, place)) if (isJobName(name)) yield join(place, name);
  }
}
