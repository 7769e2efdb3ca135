/**
 * Jobs that their adders have named: a second one of the same name is not added.
 *
 * From the receipt on under the lock of `receipts/`, so two adders of one name come one after the other:
 *
 * | step                                   | a crash here leaves                                             |
 * |----------------------------------------|-----------------------------------------------------------------|
 * | the job is written, under no name yet  | litter under a temporary name                                   |
 * | its number is looked up                | the same                                                        |
 * | receipt: the job's stem and number     | a receipt without a job: the next adder of that name adds it    |
 * | the number is written down as used     | the same, and a hole in the lane, which that adder fills        |
 * | the job is published under that stem   | both, though a power cut may still take the job: the next adder |
 * |                                        | of that name makes it last before it says that it is there      |
 * | (later) receipt: finished              | a finished receipt and a job that runs again: never added twice |
 * | (later) the job's file is removed      | a finished receipt: not added, as long as it is kept            |
 */

import { acquireLock } from '../../os/acquire-lock.ts';
import { decodeBytes } from '../../os/bytes.ts';
import { closeQuietly } from '../../os/close-quietly.ts';
import { type Descriptor, hasErrno, type Machine } from '../../os/ports.ts';
import { readSmallFile } from '../../os/transfer.ts';
import { precedes, type Sequence, sequence } from '../../packet/header.ts';
import type { Added, JobId } from '../../queue/contract.ts';
import { QueueError } from '../../queue/errors.ts';
import { asShortFileName } from '../../queue/file-name.ts';
import { syncDirectory } from '../../queue/publish.ts';
import { refreshNames } from '../../queue/refresh-names.ts';
import { jobsDirectory, join } from '../layout.ts';
import { headerReader } from '../queue-files.ts';
import { jobFiles } from './job-files.ts';
import { type JobName, parseJobName } from './job-name.ts';
import { nextNumber } from './lane-numbers.ts';
import { readSettings, replaceFile, room } from './rooms.ts';
import { whatIs } from './waiting-job.ts';

const LOCK_WAIT_MS = 10_000;
const RECEIPT_LIMIT_BYTES = 4096;
const NAME_LIMIT = 150;

export type Receipt = {
  readonly stem: string;
  /** The job's number, once it has one. */
  readonly seq?: string;
  readonly state: 'accepted' | 'finished';
};

/** What a job that is added gets. */
export type Accepted = {
  readonly stem: string;
  /** The number that a crash may have left without a job: it was to be that of this one. */
  readonly seqBefore?: Sequence;
  /** To be called with its number, before that is written down as used. */
  note(seq: Sequence): Promise<void>;
};

/**
 * Runs `add`, which publishes the job under the stem that `accept` gives it, unless there is or was a job of that name.
 * `accept` takes the lock: it is to be called when all else is written, for a payload that comes slowly must keep nobody
 * else out. What it throws leads out of `add`.
 */
export async function addOnce(
  machine: Machine,
  queue: string,
  name: string,
  add: (accept: () => Promise<Accepted>) => Promise<Added>,
): Promise<Added> {
  const { files, locks, random } = machine;
  const lock = await openLock(machine, queue);
  try {
    // One that is there need not be written first.
    const before = await addedBefore(machine, queue, name);
    if (before !== undefined) return before;
    return await add(async () => {
      if (!(await acquireLock(machine, lock, 'exclusive', LOCK_WAIT_MS))) {
        throw new QueueError('locked', `${room(queue, 'receipts')}/lock: another process has held this lock`);
      }
      // What this host remembers of names may be old: a receipt that another host has written must not be missed.
      await refreshNames(files, room(queue, 'receipts'));
      const known = await addedBefore(machine, queue, name);
      if (known !== undefined) throw new AddedBefore(known);
      const receipt = await readReceipt(machine, queue, name);
      const stem = receipt?.stem ?? random.uuid();
      return {
        stem,
        ...(receipt?.seq === undefined ? {} : { seqBefore: sequence(BigInt(receipt.seq)) }),
        note: (seq) => writeReceipt(machine, queue, name, { stem, seq: String(seq), state: 'accepted' }),
      };
    });
  } catch (error) {
    if (error instanceof AddedBefore) return error.added;
    throw error;
  } finally {
    await locks.unlock(lock);
    await closeQuietly(files, lock);
  }
}

/** On its way out of the writing of a job that came to be there meanwhile. */
class AddedBefore extends Error {
  readonly added: Added;

  constructor(added: Added) {
    super('it has been added meanwhile');
    this.added = added;
  }
}

/** The job of that name, if there is or was one. */
async function addedBefore(machine: Machine, queue: string, name: string): Promise<Added | undefined> {
  const { files } = machine;
  let receipt = await readReceipt(machine, queue, name);
  if (receipt === undefined) return undefined;
  const job = receipt.state === 'accepted' ? await findJobFile(machine, queue, receipt.stem) : undefined;
  if (job === undefined) {
    //     adder                        worker
    //     reads the receipt: accepted
    //                                  writes it: finished
    //                                  removes the job
    //     finds no job
    //     reads the receipt again: finished
    receipt = await readReceipt(machine, queue, name);
    if (receipt?.state !== 'finished') return undefined;
  }
  // Whoever put it there may have died before its name was on the disk, and we are about to promise it.
  if (job !== undefined) await syncDirectory(files, jobsDirectory(queue), jobsDirectory(queue));
  const seq = job?.seq ?? sequence(BigInt(receipt.seq ?? 0));
  return { id: receipt.stem as JobId, seq, duplicate: true };
}

async function openLock({ files }: Machine, queue: string): Promise<Descriptor> {
  try {
    return await files.open(join(room(queue, 'receipts'), 'lock'), 'lock');
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
    const message = `${queue}: it has no receipts directory, so it cannot remember the names of jobs`;
    throw new QueueError('no-lanes', message, { cause: error });
  }
}

/** Notes that the job of that name has been run. */
export async function finishReceipt(
  machine: Machine,
  queue: string,
  name: string,
  job: { readonly stem: string; readonly seq: Sequence },
): Promise<void> {
  await writeReceipt(machine, queue, name, { stem: job.stem, seq: String(job.seq), state: 'finished' });
}

export async function readReceipt(
  { files }: Machine,
  queue: string,
  name: string,
): Promise<Receipt | undefined> {
  const path = join(room(queue, 'receipts'), receiptName(name));
  try {
    return JSON.parse(decodeBytes(await readSmallFile(files, path, RECEIPT_LIMIT_BYTES))) as Receipt;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    if (error instanceof SyntaxError || error instanceof RangeError) {
      throw new QueueError('settings-damaged', `${path}: it is not a receipt`, { cause: error });
    }
    throw error;
  }
}

async function writeReceipt(machine: Machine, queue: string, name: string, receipt: Receipt): Promise<void> {
  await replaceFile(
    machine,
    room(queue, 'receipts'),
    receiptName(name),
    `${JSON.stringify({ name, ...receipt })}\n`,
  );
}

/** Of a longer name, the beginning and a number made from all of it. */
function receiptName(name: string): string {
  return `${asShortFileName(name, NAME_LIMIT)}.json`;
}

/** The job file of that stem, wherever it is. */
export async function findJobFile(
  machine: Machine,
  queue: string,
  stem: string,
): Promise<JobName | undefined> {
  for await (const path of jobFiles(machine, queue)) {
    const job = parseJobName(path.slice(path.lastIndexOf('/') + 1));
    if (job?.stem === stem) return job;
  }
  return undefined;
}

/**
 * Whether a number was used up by an adder that died before its job was there. To be asked by whoever holds the lock of
 * the lane's numbers: nobody else is about to add a job that has one.
 */
export async function isHole(
  machine: Machine,
  queue: string,
  { lane, seq }: { readonly lane: string; readonly seq: Sequence },
): Promise<boolean> {
  const { order } = await readSettings(machine, queue);
  const read = headerReader(machine);
  for await (const path of jobFiles(machine, queue)) {
    const job = await whatIs(machine, order, read, path);
    if (job?.lane === lane && job.seq === seq) return false;
  }
  // Asked last: one that was not seen may have been run meanwhile.
  const next = await nextNumber(machine, queue, lane);
  return next === seq || precedes(next, seq);
}
