/**
 * What becomes of an item that was taken. Each is one rename, made durable by an fsync of both directories:
 *
 * | outcome          | rename                                       | a crash before it, or a power cut before the fsync |
 * |------------------|----------------------------------------------|---------------------------------|
 * | done             | queue/X -> done/X                            | X waits: it runs again          |
 * | failed for good  | queue/X -> fail/X                            | the same                        |
 * | failed for now   | queue/X -> queue/X', one try more            | the same, that try not counted  |
 *
 * rename(2) takes a name away from whoever had it, and does nothing, successfully, when both are names of one file. So
 * somebody else's name is never the target, and of two names of the file the old one is removed. Nobody else makes these
 * names: they are those of an item that we have.
 */

import { hasErrno, type Machine } from '../os/ports.ts';
import type { Settled } from '../queue/contract.ts';
import { refreshNames } from '../queue/refresh-names.ts';
import type { NameSync } from '../queue/shared-sync.ts';
import { ifShortEnough, withEntropy } from './item-name.ts';
import { goneMeanwhile, isPlace, join, type Place } from './place.ts';
import { isSameFile, type Taken } from './take.ts';

export type Mover = { readonly machine: Machine; readonly place: Place; readonly sync: NameSync };

/** Where it is now, or `lost` when somebody else had moved it. */
export type Moved = { readonly settled: Settled; readonly path: string };

export async function moveToDone(mover: Mover, taken: Taken): Promise<Moved> {
  return move(mover, taken, mover.place.done, taken.name);
}

export async function moveToFail(mover: Mover, taken: Taken): Promise<Moved> {
  return move(mover, taken, mover.place.fail, taken.name);
}

/** To another directory of the queue, or another name in its own. */
export async function move(
  { machine, place, sync }: Mover,
  taken: Taken,
  directory: string,
  name: string,
): Promise<Moved> {
  const from = join(taken.directory, taken.name);
  // One name is no second name of the file, to be removed.
  if (from === join(directory, name)) return { settled: 'settled', path: from };
  const to = await targetFor(machine, taken, directory, name);
  const isMoved = to.isOurs
    ? await unlinked(machine, from)
    : await renamed(machine, place, taken, { from, directory, to: to.path });
  if (!isMoved) return { settled: 'lost', path: from };
  await sync.sync(directory);
  if (directory !== taken.directory) await sync.sync(taken.directory);
  return { settled: 'settled', path: to.path };
}

/** A name that nobody has, or one that is another name of this file already. */
async function targetFor(
  machine: Machine,
  taken: Taken,
  directory: string,
  name: string,
): Promise<{ readonly path: string; readonly isOurs: boolean }> {
  for (const candidate of candidates(name)) {
    const path = join(directory, candidate);
    const isOurs = await isNameOf(machine, taken, path);
    if (isOurs !== false) return { path, isOurs: isOurs === true };
  }
  throw new Error(`${directory}: there are too many items that are called like ${name}`);
}

/** Names for the second, third ... item of one name: another entropy, or what fits the end of a name that is no item's. */
function* candidates(name: string): Generator<string> {
  yield name;
  for (let more = 1; more < 10_000; more++) {
    const other = withEntropy(name, more) ?? ifShortEnough(`${name}.${more}`);
    yield other ?? `${name.slice(0, 100)}.${more}`;
  }
}

/** Whether a name leads to the file that was taken; undefined when nobody has that name. */
export async function isNameOf({ files }: Machine, taken: Taken, path: string): Promise<boolean | undefined> {
  try {
    // It is mostly free, and to hear of that by an error would cost more.
    if (!(await files.exists(path))) return undefined;
    return isSameFile(await files.stat(path), taken);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESTALE')) return undefined;
    throw error;
  }
}

/**
 * False when it was not there any more. Over a network the reply can get lost:
 *
 *     we                          server
 *     rename                      done; the reply gets lost
 *     ask again                   nothing to rename: ENOENT
 *     look the new name up        it is our file: done
 */
async function renamed(
  machine: Machine,
  place: Place,
  taken: Taken,
  { from, directory, to }: { readonly from: string; readonly directory: string; readonly to: string },
): Promise<boolean> {
  try {
    await machine.files.rename(from, to);
    return true;
  } catch (error) {
    if (!(await isPlace(machine, place))) throw goneMeanwhile(place, error);
    await refreshNames(machine.files, directory);
    if ((await isNameOf(machine, taken, to)) === true) return true;
    if (hasErrno(error, 'ENOENT', 'ESTALE')) return false;
    throw error;
  }
}

async function unlinked({ files }: Machine, path: string): Promise<boolean> {
  try {
    await files.unlink(path);
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESTALE')) return false;
    throw error;
  }
}
