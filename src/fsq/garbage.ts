/**
 * What nobody needs any more: items that are done, those that failed if one likes, what additions that broke off have left
 * in tmp/ and intray/adding/, notes and logs of items that are gone, and names that were added or received long ago. The
 * original removes nothing.
 */

import { type FileStatus, hasErrno, type Machine } from '../os/ports.ts';
import type { Garbage, GcOptions } from '../queue/keeper.ts';
import { syncDirectory } from '../queue/publish.ts';
import type { Constants } from './constants.ts';
import { deconstruct } from './item-name.ts';
import { type Receipt, receiptAt } from './names.ts';
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
  const pushed = await of('receipt', join(place.own, 'pushed'));
  const found = [...done, ...failed, ...pushed];
  const left = new Set([...done, ...failed].map(({ path }) => path));
  const known = await namesLeft(machine, place, left);
  const ids = new Set([...known].map((name) => idOf(name, machine, constants)));
  const stems = new Set([...ids].map(stemOf));
  const named = await lookAtReceipts(machine, place, await of('receipt', join(place.own, 'names')));
  for (const { isPending, item, kind, path, bytes, changedMs } of named) {
    if (!isPending && !ids.has(idOf(item, machine, constants))) found.push({ kind, path, bytes, changedMs });
  }
  const tickets = new Set(
    [...named, ...(await lookAtReceipts(machine, place, pushed))].map(({ ticket }) => ticket),
  );
  for (const kind of NOTE_KINDS) {
    found.push(...(await of('log', join(place.own, kind), (name) => !known.has(name))));
  }
  found.push(...(await of('log', logDirectory(place), (name) => !stems.has(stemIn(name)))));
  const anyAge = options.doneOfAnyAge === true;
  const old = found.filter(({ kind, changedMs }) => changedMs <= before || (anyAge && kind === 'done'));
  const unfinished = [
    ...(await of('temporary', place.tmp)),
    ...(await of('temporary', join(place.own, 'adding'), (name) => !tickets.has(name))),
  ];
  return [...old, ...unfinished.filter(({ changedMs }) => changedMs <= temporaryBefore)];
}

/** Returns what was still there. */
export async function removeGarbage(machine: Machine, garbage: readonly Garbage[]): Promise<Garbage[]> {
  const removed: Garbage[] = [];
  for (const one of garbage) {
    try {
      // A name that was given up meanwhile may be that of a new item.
      if (one.kind === 'receipt' && (await changedAt(machine.files, one.path)) !== one.changedMs) continue;
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

/** What they say; `isPending`: their items have not been in the queue yet. */
async function lookAtReceipts(machine: Machine, place: Place, receipts: readonly Garbage[]) {
  const seen: (Garbage & Receipt & { readonly isPending: boolean })[] = [];
  for (const one of receipts) {
    const receipt = await receiptAt(machine, one.path);
    if (receipt === undefined) continue;
    const isPending = await machine.files.exists(join(join(place.own, 'adding'), receipt.ticket));
    seen.push({ ...one, ...receipt, isPending });
  }
  return seen;
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

async function changedAt(files: Machine['files'], path: string): Promise<number | undefined> {
  const status = await statusOf(files, path);
  return status && (status.changedMs ?? status.modifiedMs);
}

async function statusOf(files: Machine['files'], path: string): Promise<FileStatus | undefined> {
  try {
    return await files.stat(path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
