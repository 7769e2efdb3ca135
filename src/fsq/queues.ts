/** Which queues there are, and which hosts a queue has. */

import { hasErrno, type Machine } from '../os/ports.ts';
import type { Constants } from './constants.ts';
import { hostPlaceAt, isPlace, join, type Place, placeAt } from './place.ts';

/** Names of the queues in FSQ_ROOT, sorted. */
export async function queues(machine: Machine, constants: Constants): Promise<string[]> {
  return placesIn(machine, constants.root, (name) => placeAt(join(constants.root, name), constants));
}

/** Names of the hosts of a queue, sorted. */
export async function hosts(machine: Machine, queue: string, constants: Constants): Promise<string[]> {
  return placesIn(machine, join(queue, constants.hosts), (name) => hostPlaceAt(queue, name, constants));
}

async function placesIn(
  machine: Machine,
  directory: string,
  placeOf: (name: string) => Place,
): Promise<string[]> {
  const found: string[] = [];
  for (const { name, kind } of await entriesOf(machine, directory)) {
    // What begins with a dot is a queue that is being made, or removed.
    if (kind === 'file' || name.startsWith('.')) continue;
    if (await isPlace(machine, placeOf(name))) found.push(name);
  }
  return found.sort();
}

async function entriesOf({ files }: Machine, directory: string) {
  try {
    return await files.readdir(directory);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
