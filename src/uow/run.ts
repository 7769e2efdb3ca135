/**
 * A unit of work in `currently-executing`: from its claim until it lies in `done-q`, `error-q` or `fail-q`.
 *
 *     waiting --claim--> claimed --begin--> running --settle--> done, error or fail
 *
 * | step                                        | a crash here leaves          | recovery                        |
 * |---------------------------------------------|------------------------------|---------------------------------|
 * | move from where it waits (see move.ts)      | claimed: its STATUS says nothing of a run | it is begun        |
 * | write "running" into its slot, fsync        | running                      | `fail-q`: nobody knows how far it came |
 * | start the job, which writes to the end of the file | the same              | the same                        |
 * | write how it ended into its slot, fsync     | what is over                 | moved where its STATUS says     |
 * | move                                        | under both names, or moved   | the name here is taken away     |
 *
 * So a job is started once, whatever dies when; to start it again is for a person, who moves it back.
 *
 * From `begin` on the file is held open. People may edit it all the same, and most editors then put a new file in its
 * place: what the job says goes on into the file that we hold, so that is the one which is kept, and the edited copy goes to
 * the trash. When somebody has moved it away or removed it, what we hold is written anew.
 */

import { closeQuietly } from '../os/close-quietly.ts';
import { type Descriptor, hasErrno, type Machine, type OpenMode } from '../os/ports.ts';
import { copyAll } from '../os/transfer.ts';
import { syncDirectory } from '../queue/publish.ts';
import { linkFree, moveFile } from './move.ts';
import { isPrepared } from './prepare.ts';
import { join, type Root, type SETTLED } from './root.ts';
import { type Ending, endedStatus, runningStatus } from './status.ts';
import { type Slot, statusBytes, type Unit } from './text.ts';
import { isThere, seeOpenUnit } from './unit-files.ts';

export type Running = {
  readonly name: string;
  /** Where it runs. */
  readonly path: string;
  readonly unit: Unit;
  readonly inode: bigint;
  readonly startedMs: number;
  /** To write its status. */
  readonly file: Descriptor;
  /** At its first byte. */
  readonly whole: Descriptor;
  /** Each write goes to its end. */
  readonly log: Descriptor;
  readonly slot: Slot;
};

/** Moves a unit that waits to where it runs. Returns its name there; undefined when it has gone meanwhile. */
export async function claimUnit(
  machine: Machine,
  root: Root,
  from: { readonly directory: string; readonly name: string },
): Promise<string | undefined> {
  const directory = root.places['currently-executing'];
  const path = await moveFile(machine, from, directory);
  return path?.slice(join(directory, '').length);
}

/** Notes that its job is about to start. Undefined when it is not as it was prepared: somebody has changed it. */
export async function beginUnit(
  machine: Machine,
  root: Root,
  name: string,
  type: string,
): Promise<Running | undefined> {
  const { files, clock } = machine;
  const path = join(root.places['currently-executing'], name);
  const opened: Descriptor[] = [];
  const open = async (mode: OpenMode) => {
    const descriptor = await files.open(path, mode);
    opened.push(descriptor);
    return descriptor;
  };
  let running: Running | undefined;
  try {
    const file = await open('lock-present');
    const log = await open('append');
    const whole = await open('read-job');
    const { seen } = await seeOpenUnit(files, file);
    const { inode } = seen.file;
    const areOne = inode === (await files.fstat(log)).inode && inode === (await files.fstat(whole)).inode;
    if (areOne && seen.kind === 'unit' && isPrepared(seen.unit) && seen.unit.slot !== undefined) {
      const { unit } = seen;
      const { slot } = seen.unit;
      await writeStatus(machine, file, slot, runningStatus(type, clock.now()));
      running = { name, path, unit, inode, startedMs: clock.monotonicMs(), file, log, whole, slot };
    }
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
  } finally {
    if (running === undefined) for (const descriptor of opened) await closeQuietly(files, descriptor);
  }
  return running;
}

export type Settlement = {
  readonly ending: Ending;
  /** Where it lies now. */
  readonly path: string;
  readonly status: string;
  /** What somebody did to the file while it ran. */
  readonly touched?: 'edited' | 'taken away';
};

/** Notes how its job has ended and moves it. May be called again when it fails; then the unit is held on. */
export async function settleUnit(
  machine: Machine,
  root: Root,
  running: Running,
  ending: Ending,
  reason: string,
): Promise<Settlement> {
  const { clock } = machine;
  const status = endedStatus(ending, reason, clock.now(), clock.monotonicMs() - running.startedMs);
  await writeStatus(machine, running.file, running.slot, status);
  const settlement = { ending, status, ...(await putAway(machine, root, running, ending)) };
  await letGo(machine, running);
  return settlement;
}

/** Its Monitor does not care for it any more: the next one finds it as it is. */
export async function letGo({ files }: Machine, { file, log, whole }: Running): Promise<void> {
  for (const descriptor of [file, log, whole]) await closeQuietly(files, descriptor);
}

async function putAway(
  machine: Machine,
  root: Root,
  running: Running,
  ending: Ending,
): Promise<Pick<Settlement, 'path' | 'touched'>> {
  const target = root.places[placeOf(ending)];
  const from = { directory: root.places['currently-executing'], name: running.name };
  const touched = await whatBecame(machine, running);
  if (touched === undefined) {
    const path = await moveFile(machine, from, target);
    if (path !== undefined) return { path };
  }
  const path = await writeAnew(machine, running, target);
  if (touched === 'edited') await moveFile(machine, from, root.places.trash);
  return { path, touched: touched ?? 'taken away' };
}

export function placeOf(ending: Ending): (typeof SETTLED)[number] {
  return `${ending}-q`;
}

async function writeStatus({ files }: Machine, file: Descriptor, slot: Slot, status: string): Promise<void> {
  await files.writeAt(file, statusBytes(status, slot.bytes), slot.at);
  await files.fsync(file);
}

async function whatBecame({ files }: Machine, running: Running): Promise<Settlement['touched']> {
  if (!(await isThere(files, running.path))) return 'taken away';
  return (await files.stat(running.path)).inode === running.inode ? undefined : 'edited';
}

/** The file that we hold, as a new one. */
async function writeAnew(machine: Machine, { name, whole }: Running, directory: string): Promise<string> {
  const { files } = machine;
  const temporary = join(directory, `.${name}.kept`);
  const target = await files.open(temporary, 'truncate');
  try {
    await copyAll(files, whole, target);
    await files.fsync(target);
  } finally {
    await files.close(target);
  }
  const path = (await linkFree(machine, temporary, directory, name)) ?? temporary;
  await syncDirectory(files, directory, path);
  if (path !== temporary && (await isThere(files, temporary))) await files.unlink(temporary);
  return path;
}
