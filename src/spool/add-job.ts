/**
 * Adding a job with its number, in one step for the caller.
 *
 * The number is taken last: a payload that breaks off must not use one up, for a missing number stops the queue.
 *
 * | step                                     | a crash here leaves                                          |
 * |------------------------------------------|--------------------------------------------------------------|
 * | temporary file: header, payload, fsync   | litter under a temporary name; no number is used             |
 * | lock of the sequence file, number read   | the same                                                     |
 * | header with the number written, fsync    | the same                                                     |
 * | (of a named job) its receipt             | the same: see home/receipts.ts                               |
 * | sequence file: number + 1, both fsyncs   | the number is used and its job is not there: a gap, reported |
 * |                                          | and, when a job of that name is added again, filled with it  |
 * | rename, fsync of jobs/                   | the job                                                      |
 *
 * Jobs that may run in any order have numbers that nobody writes down: the first step and the last are all.
 */

import type { Descriptor, Machine } from '../os/ports.ts';
import { following, precedes, type Sequence, sequence } from '../packet/header.ts';
import type { Added, AddOptions, JobId, NewJob } from '../queue/contract.ts';
import { isQueueError, QueueError, reasonOf } from '../queue/errors.ts';
import { chunksOf, writeChunks } from '../queue/payload.ts';
import { QUEUE_LANE } from '../queue/words.ts';
import { addJobFile } from './add.ts';
import { type Accepted, addOnce, isHole } from './home/receipts.ts';
import { readSettings } from './home/rooms.ts';
import { laneKept } from './home/waiting-job.ts';
import {
  type DraftedJob,
  draftJob,
  freeNumber,
  lockNumbers,
  nameOf,
  numberedHead,
  numberingFor,
} from './new-job.ts';
import type { LockedSequence } from './sequence-file.ts';

export async function addJob(
  machine: Machine,
  queue: string,
  job: NewJob,
  options: AddOptions = {},
): Promise<Added> {
  const draft = draftJob(machine, job);
  const add = (accept: () => Promise<Accepted>) => addDraft(machine, queue, job, draft, accept, options);
  const { id } = draft.terms;
  if (id !== undefined) return addOnce(machine, queue, id, add);
  return add(async () => ({ stem: machine.random.uuid(), note: async () => {} }));
}

async function addDraft(
  machine: Machine,
  queue: string,
  job: NewJob,
  draft: DraftedJob,
  accept: () => Promise<Accepted>,
  options: AddOptions,
): Promise<Added> {
  const { durability = 'power-safe', sequenceFile } = options;
  const { order } = await readSettings(machine, queue);
  const numbering = numberingFor(machine, queue, order, draft.terms.lane, sequenceFile);
  let numbers: LockedSequence | undefined;
  let seq = numbering === undefined ? freeNumber(machine) : sequence(0);
  let stem = '';
  let taken = false;
  const write = async (target: Descriptor): Promise<number> => {
    const size = await writePacket(machine, target, numberedHead(draft, seq), job);
    // The long part of the sync, before others have to wait for our locks.
    const locks = numbering !== undefined || draft.terms.id !== undefined;
    if (locks && durability === 'power-safe') await machine.files.fsync(target);
    const accepted = await accept();
    stem = accepted.stem;
    if (numbering === undefined) {
      await accepted.note(seq);
      return size;
    }
    numbers = await lockNumbers(machine, queue, numbering);
    const next = await numbers.read();
    const lane = laneKept(order, draft.terms.lane) ?? QUEUE_LANE;
    const isLeft = accepted.seqBefore !== undefined && precedes(accepted.seqBefore, next);
    const fills = isLeft && (await isHole(machine, queue, { lane, seq: accepted.seqBefore }));
    seq = fills ? accepted.seqBefore : next;
    await machine.files.writeAt(target, numberedHead(draft, seq), 0);
    if (durability === 'power-safe') await machine.files.fsync(target);
    await accepted.note(seq);
    if (fills) return size;
    taken = true;
    await writeDown(numbers, following(seq));
    return size;
  };
  try {
    await addJobFile(machine, queue, durability, { write, name: () => nameOf(draft, seq, stem) });
    return { id: stem as JobId, seq, duplicate: false };
  } catch (error) {
    // Nobody else can have had the next one: we still hold the lock. A job that may be there keeps its number.
    if (taken && !isQueueError(error, 'not-durable')) await giveBack(numbers, seq);
    throw error;
  } finally {
    // Held until the job is in place, so that jobs come to be there in the order of their numbers.
    await numbers?.close();
  }
}

export async function writeDown(numbers: LockedSequence, next: Sequence): Promise<void> {
  try {
    await numbers.write(next);
  } catch (error) {
    const message = `${numbers.path}: the job's number could not be written down: ${reasonOf(error)}`;
    throw new QueueError('not-written', message, { cause: error });
  }
}

export async function giveBack(numbers: LockedSequence | undefined, seq: Sequence): Promise<void> {
  try {
    await numbers?.write(seq);
  } catch {
    // Then the number is lost, and whoever processes the queue is told which one is missing.
  }
}

async function writePacket(
  machine: Machine,
  target: Descriptor,
  head: Uint8Array,
  { payload }: NewJob,
): Promise<number> {
  await machine.files.write(target, head);
  return head.length + (await writeChunks(machine, target, chunksOf(payload)));
}
