/**
 * Putting a unit of work into a queue as a whole, without replacing one of that name.
 *
 * | step                                     | a crash here leaves                            |
 * |------------------------------------------|------------------------------------------------|
 * | publish under a name that begins with a dot | nothing, or a file that nobody takes for a unit |
 * | link to its own name, fsync of the names | the unit                                       |
 * | unlink the other name                    | the unit                                       |
 */

import { unlinkIfThere } from '../os/if-there.ts';
import type { Machine } from '../os/ports.ts';
import { QueueError } from '../queue/errors.ts';
import { type Durability, publish, syncDirectory } from '../queue/publish.ts';
import { linkFree } from './move.ts';
import { isShortName } from './prepare.ts';
import { type INCOMING, join, type Root } from './root.ts';
import { parseUnit } from './text.ts';
import { NAME_LIMIT_BYTES } from './unit-files.ts';

export type Submission = {
  readonly place: (typeof INCOMING)[number];
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly durability: Durability;
};

/** Returns its path. Throws `not-a-unit` when no Monitor would take it for one. */
export async function submitUnit(
  machine: Machine,
  root: Root,
  { place, name, bytes, durability }: Submission,
): Promise<string> {
  const { files, random } = machine;
  const directory = root.places[place];
  const wrong = wrongName(name) ?? wrongText(bytes);
  if (wrong !== undefined) throw new QueueError('not-a-unit', `${name}: ${wrong}`);
  const temporaryName = `.${random.uuid()}.temp`;
  const { path: hidden } = await publish(files, {
    directory,
    temporaryName,
    name: `.${random.uuid()}.new`,
    durability: 'crash-safe',
    write: async (target) => {
      await files.write(target, bytes);
      if (durability === 'power-safe') await files.fsync(target);
      return bytes.length;
    },
  });
  const path = await linkOrClear(machine, hidden, directory, name);
  try {
    await unlinkIfThere(machine, hidden);
  } catch {
    // Nobody takes it for a unit.
  }
  if (durability === 'power-safe') await syncDirectory(files, directory, path);
  return path;
}

async function linkOrClear(
  machine: Machine,
  hidden: string,
  directory: string,
  name: string,
): Promise<string> {
  try {
    return (await linkFree(machine, hidden, directory, name)) ?? join(directory, name);
  } catch (error) {
    await machine.files.unlink(hidden);
    throw error;
  }
}

function wrongName(name: string): string | undefined {
  if (name === '' || name.includes('/')) return 'Expected a name without a slash';
  if (/^readme/i.test(name)) return 'it is called like a README, which is no unit of work';
  if (/^[.#]|~$/.test(name)) return 'names that begin with . or #, or end in ~, are those of editors';
  if (!isShortName(name, NAME_LIMIT_BYTES)) return `its name is longer than ${NAME_LIMIT_BYTES} bytes`;
  return undefined;
}

function wrongText(bytes: Uint8Array): string | undefined {
  const parsed = parseUnit(bytes);
  return parsed.kind === 'invalid' ? parsed.reason : undefined;
}
