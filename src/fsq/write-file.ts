/** Files with all of their content, as items need them. */

import type { Descriptor, Machine } from '../os/ports.ts';
import { QueueError } from '../queue/errors.ts';
import type { Constants } from './constants.ts';
import { dress, ownerOf } from './owners.ts';

/** A file with all of its content, on disk. Leaves nothing when it fails. */
export async function writeTemporary(
  machine: Machine,
  path: string,
  constants: Constants,
  write: (target: Descriptor) => Promise<number>,
): Promise<void> {
  const { files } = machine;
  const owner = await ownerOf(machine, constants.itemUser, constants.itemGroup);
  const target = await files.open(path, 'create');
  try {
    const written = await write(target);
    await checkSize(machine, path, target, written);
    await dress(machine, target, constants.itemMode, owner);
    await files.fsync(target);
  } catch (error) {
    await quietly(() => files.close(target));
    await quietly(() => files.unlink(path));
    throw error;
  }
  await files.close(target);
}

/** Throws `not-written` when the file has another length. */
export async function checkSize(
  { files }: Machine,
  path: string,
  target: Descriptor,
  written: number,
): Promise<void> {
  const { size } = await files.fstat(target);
  if (size === written) return;
  throw new QueueError('not-written', `${path}: ${written} bytes were written, but ${size} are there`);
}

/** For cleaning up while another error is on its way out, or where what is left is litter that nobody takes for an item. */
export async function quietly(act: () => unknown): Promise<void> {
  try {
    await act();
  } catch {
    // See above.
  }
}
