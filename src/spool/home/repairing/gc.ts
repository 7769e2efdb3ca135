/**
 * Clearing away what nobody needs any more.
 *
 * | what                            | goes when                                                                   |
 * |---------------------------------|-----------------------------------------------------------------------------|
 * | a job in `done/`, with its log  | it is not among the newest so many                                          |
 * | a log of runs                   | its job is nowhere any more, and nothing was written to it for so long      |
 * | a receipt                       | its job is over or nowhere, and it is that old: the name can be used again |
 *
 * Jobs that wait, run or have failed are never touched. Receipts go under the lock under which they are made.
 */

import { acquireLock } from '../../../os/acquire-lock.ts';
import { decodeBytes } from '../../../os/bytes.ts';
import { toMs } from '../../../os/calendar.ts';
import { closeQuietly } from '../../../os/close-quietly.ts';
import { entriesOf, unlinkIfThere } from '../../../os/if-there.ts';
import { hasErrno, type Machine } from '../../../os/ports.ts';
import { readSmallFile } from '../../../os/transfer.ts';
import { QueueError } from '../../../queue/errors.ts';
import type { Garbage, GcOptions } from '../../../queue/keeper.ts';
import { isJobName, jobsDirectory, join } from '../../layout.ts';
import { requireQueue } from '../../queue-files.ts';
import { stemOf } from '../job-name.ts';
import type { Receipt } from '../receipts.ts';
import { room } from '../rooms.ts';
import { listRooms } from '../worker-rooms.ts';

const RECEIPT_LIMIT_BYTES = 4096;
const LOCK_WAIT_MS = 10_000;

/** What would go. Throws `not-a-queue`. */
export async function findGarbage(machine: Machine, queue: string, options: GcOptions): Promise<Garbage[]> {
  await requireQueue(machine, queue);
  const before = toMs(machine.clock.now()) - options.olderThanMs;
  const done = (await filesIn(machine, room(queue, 'done'))).filter(({ name }) => isJobName(name));
  done.sort((a, b) => b.changedMs - a.changedMs || (a.name < b.name ? 1 : -1));
  const goes = done.slice(options.keepDone);
  const stems = await presentStems(machine, queue);
  for (const { name } of goes) stems.delete(stemOf(name));
  const gone = new Set(goes.map(({ name }) => stemOf(name)));
  const garbage: Garbage[] = goes.map((file) => garbageOf('done', file));
  for (const file of await filesIn(machine, room(queue, 'log'))) {
    const stem = /^(.*?)(?:\.jsonl|\.\d+\.(?:out|err)(?:\.temp)?)$/s.exec(file.name)?.[1];
    if (stem === undefined || stems.has(stem)) continue;
    if (gone.has(stem) || file.changedMs < before) garbage.push(garbageOf('log', file));
  }
  for (const file of await filesIn(machine, room(queue, 'receipts'))) {
    if (!file.name.endsWith('.json') || file.changedMs >= before) continue;
    const receipt = await receiptAt(machine, file.path);
    if (receipt !== undefined && (receipt.state === 'finished' || !stems.has(receipt.stem))) {
      garbage.push(garbageOf('receipt', file));
    }
  }
  return garbage;
}

/** Removes it; returns what was still there. */
export async function removeGarbage(
  machine: Machine,
  queue: string,
  garbage: readonly Garbage[],
): Promise<Garbage[]> {
  const removed: Garbage[] = [];
  for (const one of garbage) {
    if (one.kind !== 'receipt' && (await unlinkIfThere(machine, one.path))) removed.push(one);
  }
  const receipts = garbage.filter(({ kind }) => kind === 'receipt');
  if (receipts.length === 0) return removed;
  const { files, locks } = machine;
  const lock = await files.open(join(room(queue, 'receipts'), 'lock'), 'lock');
  try {
    if (!(await acquireLock(machine, lock, 'exclusive', LOCK_WAIT_MS))) {
      throw new QueueError('locked', `${room(queue, 'receipts')}/lock: another process has held this lock`);
    }
    for (const one of receipts) {
      // One that was written anew since we looked is about a new job.
      const changedMs = await changedAt(machine, one.path);
      if (changedMs === one.changedMs && (await unlinkIfThere(machine, one.path))) removed.push(one);
    }
    await locks.unlock(lock);
  } finally {
    await closeQuietly(files, lock);
  }
  return removed;
}

type SeenFile = {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly changedMs: number;
};

function garbageOf(kind: Garbage['kind'], { path, bytes, changedMs }: SeenFile): Garbage {
  return { kind, path, bytes, changedMs };
}

async function filesIn(machine: Machine, directory: string): Promise<SeenFile[]> {
  const seen: SeenFile[] = [];
  for (const { name, kind } of await entriesOf(machine, directory)) {
    if (kind !== 'file' && kind !== 'unknown') continue;
    const path = join(directory, name);
    try {
      const { size, changedMs, modifiedMs } = await machine.files.stat(path);
      // When a job came to done/, the rename says; when a log was last written, both do.
      const seenMs = directory.endsWith('/done') ? (changedMs ?? modifiedMs) : modifiedMs;
      seen.push({ name, path, bytes: size, changedMs: seenMs });
    } catch (error) {
      if (!hasErrno(error, 'ENOENT', 'ESTALE')) throw error;
    }
  }
  return seen;
}

async function changedAt({ files }: Machine, path: string): Promise<number | undefined> {
  try {
    return (await files.stat(path)).modifiedMs;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESTALE')) return undefined;
    throw error;
  }
}

/** The stems of all jobs, wherever they are. One that goes back while we look is seen by the second look into jobs/. */
async function presentStems(machine: Machine, queue: string): Promise<Set<string>> {
  const stems = new Set<string>();
  const note = async (directory: string) => {
    for (const { name } of await entriesOf(machine, directory)) if (isJobName(name)) stems.add(stemOf(name));
  };
  await note(jobsDirectory(queue));
  for (const { jobs } of await listRooms(machine, queue)) for (const name of jobs) stems.add(stemOf(name));
  await note(room(queue, 'failed'));
  await note(room(queue, 'done'));
  await note(jobsDirectory(queue));
  return stems;
}

async function receiptAt({ files }: Machine, path: string): Promise<Receipt | undefined> {
  try {
    return JSON.parse(decodeBytes(await readSmallFile(files, path, RECEIPT_LIMIT_BYTES))) as Receipt;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError || hasErrno(error, 'ENOENT'))
      return undefined;
    throw error;
  }
}
