/**
 * Editing a unit of work that waits: it gets what it lacks to be run, which is a timestamp, a slot for its status and a
 * JOB LOG, and a status of an earlier run becomes "again". Its header and its log stay as they are, to the byte.
 *
 * People edit, move and remove the same file by its name, so it is taken out of their way first:
 *
 * | step                                | a crash here leaves                                    | recovery      |
 * |-------------------------------------|--------------------------------------------------------|---------------|
 * | rename `x` to `.x.taken`            | the old file                                           | puts it back  |
 * | write `.x.made`, fsync, fsync of names | the old file and something of the new one           | puts the old one back |
 * | look whether `.x.taken` has changed | the same                                               | the same      |
 * | unlink `.x.taken`                   | the new file, perhaps the old one too                  | puts one of them back |
 * | link `.x.made` to `x`, fsync of names | the new file, under one name or both; perhaps the old one | keeps `x`, the old one goes to the trash |
 * | unlink `.x.made`, fsync of names    | the new file, under one name or both                   | takes `.x.made` away |
 *
 * A recovery moves in the same way and may be broken off too, so the same file may have both names in any of these.
 *
 *     an editor                           we
 *     has read `x`
 *                                         rename `x` to `.x.taken`
 *     saves: makes a new `x`              write `.x.made`
 *                                         `x` is there again: it is newer, ours goes to the trash
 *
 * A program that had `x` open before and writes to it only now writes to `.x.taken`: that we see, and put it back. One
 * that waits even longer than that loses what it writes; that is why a file has to be quiet before it is touched.
 */

import { encodeBytes } from '../os/bytes.ts';
import { closeQuietly } from '../os/close-quietly.ts';
import { unlinkIfThere } from '../os/if-there.ts';
import { type Descriptor, type FileStatus, hasErrno, type Machine } from '../os/ports.ts';
import { copyAll, readExactly } from '../os/transfer.ts';
import { syncDirectory } from '../queue/publish.ts';
import { inodeOf, moveFile } from './move.ts';
import { join } from './root.ts';
import { againStatus, statusKind } from './status.ts';
import { frontOf, type Stamp, type Unit } from './text.ts';
import { type SeenUnit, seeOpenUnit } from './unit-files.ts';

/** Whether it can be run as it is. */
export function isPrepared({ stamp, slot, status, logAt }: Unit): boolean {
  return stamp !== undefined && slot !== undefined && logAt !== undefined && statusKind(status) === 'waiting';
}

/** A directory where units of work wait, and where what is superseded goes. */
type Waiting = { readonly directory: string; readonly trash: string };

/** `changed`: somebody else had his hands on it. `superseded`: he saved it again, and the old one is in the trash. */
export type Prepared = 'prepared' | 'changed' | 'superseded';

export async function prepareUnit(
  machine: Machine,
  place: Waiting,
  name: string,
  seen: SeenUnit,
  stamp: Stamp,
): Promise<Prepared> {
  const { files } = machine;
  const path = join(place.directory, name);
  const taken = takenPath(place.directory, name);
  try {
    await files.rename(path, taken);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return 'changed';
    throw error;
  }
  const made = madePath(place.directory, name);
  let isMade: boolean;
  try {
    isMade = await writeMade(machine, place.directory, taken, made, seen, stamp);
  } catch (error) {
    await putBack(machine, place, name);
    throw error;
  }
  if (!isMade) {
    await putBack(machine, place, name);
    return 'changed';
  }
  await files.unlink(taken);
  return putInPlace(machine, place, name);
}

/** False when the old file is not what we have seen, or not any more. */
async function writeMade(
  machine: Machine,
  directory: string,
  taken: string,
  made: string,
  expected: SeenUnit,
  stamp: Stamp,
): Promise<boolean> {
  const { files } = machine;
  const source = await files.open(taken, 'read-job');
  try {
    const { seen, head } = await seeOpenUnit(files, source);
    if (seen.kind !== 'unit' || !isSame(seen.file, expected.file)) return false;
    const { unit } = seen;
    const before = statusKind(unit.status) === 'waiting' ? unit.status : againStatus(unit.status);
    await unlinkIfThere(machine, made);
    const target = await files.open(made, 'create');
    try {
      await files.fchmod(target, seen.file.mode);
      await files.write(target, frontOf(head, unit, stamp, before));
      if (unit.logAt !== undefined) await copyFrom(machine, taken, unit.logAt, target);
      await files.fsync(target);
    } finally {
      await files.close(target);
    }
    await syncDirectory(files, directory, made);
    return isSame(await files.fstat(source), expected.file);
  } finally {
    await closeQuietly(files, source);
  }
}

async function copyFrom({ files }: Machine, path: string, at: number, target: Descriptor): Promise<void> {
  const source = await files.open(path, 'read-job');
  try {
    // The front of a file that is ready for this is short, and reading moves to where the log begins.
    await readExactly(files, source, at);
    await copyAll(files, source, target);
  } finally {
    await closeQuietly(files, source);
  }
}

/** `.x.made` becomes `x`; unless there is a newer one. */
async function putInPlace(machine: Machine, place: Waiting, name: string): Promise<Prepared> {
  return putUnderName(machine, place, madeName(name), name);
}

/** The old file, under its name; unless there is a newer one. */
async function putBack(machine: Machine, place: Waiting, name: string): Promise<void> {
  await unlinkIfThere(machine, madePath(place.directory, name));
  await putUnderName(machine, place, takenName(name), name);
}

/** What has that name already may be the same file, of an attempt that was broken off. */
async function putUnderName(
  machine: Machine,
  { directory, trash }: Waiting,
  hidden: string,
  name: string,
): Promise<Prepared> {
  const put = await inodeOf(machine, join(directory, name));
  const isSuperseded = put !== undefined && put !== (await inodeOf(machine, join(directory, hidden)));
  await moveFile(machine, { directory, name: hidden }, isSuperseded ? trash : directory, name);
  return isSuperseded ? 'superseded' : 'prepared';
}

/** What a broken-off preparation has left in a directory is brought to its end. Returns the names. */
export async function recoverPrepared(machine: Machine, place: Waiting): Promise<string[]> {
  const names = new Map<string, Set<string>>();
  for (const { name } of await machine.files.readdir(place.directory)) {
    const [, of, kind] = /^\.(.+)\.(taken|made)$/s.exec(name) ?? [];
    if (of !== undefined && kind !== undefined) names.set(of, (names.get(of) ?? new Set()).add(kind));
  }
  for (const [name, kinds] of names) {
    if (kinds.has('taken')) await putBack(machine, place, name);
    else await putInPlace(machine, place, name);
  }
  return [...names.keys()];
}

function isSame(a: FileStatus, b: FileStatus): boolean {
  return a.inode === b.inode && a.size === b.size && a.modifiedMs === b.modifiedMs;
}

const takenName = (name: string) => `.${name}.taken`;
const madeName = (name: string) => `.${name}.made`;
const takenPath = (directory: string, name: string) => join(directory, takenName(name));
const madePath = (directory: string, name: string) => join(directory, madeName(name));

/** Whether a name leaves room for what is added to it. */
export function isShortName(name: string, limitBytes: number): boolean {
  return encodeBytes(name).length <= limitBytes;
}
