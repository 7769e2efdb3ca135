/**
 * What nobody needs any more: items that are done, those that failed if one likes, what additions that broke off have left
 * in tmp/, notes and logs of items that are gone, and names that were received long ago. The original removes nothing.
 */

import { type FileStatus, hasErrno, type Machine } from '../os/ports.ts';
import type { Garbage, GcOptions } from '../queue/keeper.ts';
import { syncDirectory } from '../queue/publish.ts';
import type { Constants } from './constants.ts';
import { deconstruct } from './item-name.ts';
import { NOTE_KINDS } from './notes.ts';
import { join, type Place } from './place.ts';
import { logDirectory, nowMs, stemOf } from './run-notes.ts';

/** What is written may take long: nothing younger is taken for what is left of it. */
const TEMPORARY_LEAST_MS = 86_400_000;

export type FsqGcOptions = GcOptions & {
  readonly failed?: boolean;
  /** Whether `olderThanMs` is not meant for items that are done. Default: no. */
  readonly doneOfAnyAge?: boolean;
};

export async function findGarbage(
  machine: Machine,
  place: Place,
  constants: Constants,
  options: FsqGcOptions,
): Promise<Garbage[]> {
  const before = nowMs(machine) - options.olderThanMs;
  const temporaryBefore = nowMs(machine) - Math.max(options.olderThanMs, TEMPORARY_LEAST_MS);
  const of = (kind: Garbage['kind'], directory: string, isMeant?: (name: string) => boolean) =>
    filesIn(machine, kind, directory, isMeant);
  const done = (await of('done', place.done))
    .sort((a, b) => b.changedMs - a.changedMs)
    .slice(options.keepDone);
  const failed = options.failed === true ? await of('failed', place.fail) : [];
  const found = [...done, ...failed, ...(await of('receipt', join(place.own, 'pushed')))];
  const left = new Set([...done, ...failed].map(({ path }) => path));
  const known = await namesLeft(machine, place, left);
  const stems = new Set([...known].map((name) => stemOf(idOf(name, machine, constants))));
  for (const kind of NOTE_KINDS) {
    found.push(...(await of('log', join(place.own, kind), (name) => !known.has(name))));
  }
  found.push(...(await of('log', logDirectory(place), (name) => !stems.has(stemIn(name)))));
  const anyAge = options.doneOfAnyAge === true;
  const old = found.filter(({ kind, changedMs }) => changedMs <= before || (anyAge && kind === 'done'));
  const temporary = (await of('temporary', place.tmp)).filter(
    ({ changedMs }) => changedMs <= temporaryBefore,
  );
  return [...old, ...temporary];
}

/** Returns what was still there. */
export async function removeGarbage(machine: Machine, garbage: readonly Garbage[]): Promise<Garbage[]> {
  const removed: Garbage[] = [];
  for (const one of garbage) {
    try {
      await machine.files.unlink(one.path);
      removed.push(one);
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error;
    }
  }
  const directories = new Set(removed.map(({ path }) => path.slice(0, path.lastIndexOf('/'))));
  for (const directory of directories) await syncDirectory(machine.files, directory, directory);
  return removed;
}

/** Names of items that stay, wherever they are. */
async function namesLeft(
  { files }: Machine,
  place: Place,
  without: ReadonlySet<string>,
): Promise<Set<string>> {
  const names = new Set<string>();
  for (const room of [place.waiting, place.done, place.fail]) {
    for (const { name } of await files.readdir(room)) if (!without.has(join(room, name))) names.add(name);
  }
  return names;
}

function idOf(name: string, { clock }: Machine, constants: Constants): string {
  const item = deconstruct(name, constants, clock);
  return item.kind === 'item' ? item.id : name;
}

/** `STEM.jsonl`, `STEM.2.out`: see queue/run-log.ts. */
function stemIn(name: string): string {
  return name.replace(/(\.jsonl|\.\d+\.(out|err)(\.temp)?)$/, '');
}

async function filesIn(
  { files }: Machine,
  kind: Garbage['kind'],
  directory: string,
  isMeant: (name: string) => boolean = () => true,
): Promise<Garbage[]> {
  const found: Garbage[] = [];
  for (const entry of await entriesOf(files, directory)) {
    const path = join(directory, entry.name);
    if (entry.kind !== 'file' || !isMeant(entry.name)) continue;
    const status = await statusOf(files, path);
    if (status === undefined) continue;
    found.push({ kind, path, bytes: status.size, changedMs: status.changedMs ?? status.modifiedMs });
  }
  return found;
}

async function entriesOf(files: Machine['files'], directory: string) {
  try {
    return await files.readdir(directory);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

async function statusOf(files: Machine['files'], path: string): Promise<FileStatus | undefined> {
  try {
    return await files.stat(path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
