/** Stopping a queue and letting it go on: the file `down`. Nothing is scanned as long as it is there. */

import { closeQuietly } from '../os/close-quietly.ts';
import { type Descriptor, hasErrno, type Machine } from '../os/ports.ts';
import { syncDirectory } from '../queue/publish.ts';
import type { Constants } from './constants.ts';
import { dress, ownerOf } from './owners.ts';
import type { Place } from './place.ts';

/** Returns false when it was down already. */
export async function takeDown(machine: Machine, place: Place, constants: Constants): Promise<boolean> {
  const { files } = machine;
  const [path = ''] = place.down;
  const owner = await ownerOf(machine, constants.itemUser, constants.itemGroup);
  let descriptor: Descriptor;
  try {
    descriptor = await files.open(path, 'create');
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return false;
    throw error;
  }
  try {
    await dress(machine, descriptor, constants.itemMode, owner);
  } finally {
    await closeQuietly(files, descriptor);
  }
  await syncDirectory(files, place.directory, path);
  return true;
}

/** Returns false when it was not down. */
export async function bringUp({ files }: Machine, { directory, down }: Place): Promise<boolean> {
  const [path = ''] = down;
  try {
    await files.unlink(path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false;
    throw error;
  }
  await syncDirectory(files, directory, path);
  return true;
}
