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
 * | sequence file: number + 1, both fsyncs   | the number is used and its job is not there: a gap, reported |
 * | rename, fsync of jobs/                   | the job                                                      |
 */

import { encodeBytes } from '../os/bytes.ts';
import type { Descriptor, Machine } from '../os/ports.ts';
import { encodeHeader } from '../packet/encode.ts';
import {
  following,
  METADATA_LIMIT_BYTES,
  type PacketHeader,
  PREFIX_BYTES,
  type Sequence,
  sequence,
  type Work,
} from '../packet/header.ts';
import type { Added, AddOptions, JobId, NewJob, PayloadSource } from '../queue/contract.ts';
import { isQueueError, QueueError, reasonOf } from '../queue/errors.ts';
import type { Durability } from '../queue/publish.ts';
import { refreshNames } from '../queue/refresh-names.ts';
import { addJobFile, writeChunks } from './add.ts';
import { jobsDirectory, join, nextSequencePath } from './layout.ts';
import { scanQueue } from './queue-files.ts';
import { SENDER_WAIT_MS } from './sender.ts';
import { type LockedSequence, lockSequence, peekSequence } from './sequence-file.ts';

/** The sequence file of jobs added here, beside the queue's own `nextseq`. */
const OWN_SEQUENCE_FILE = 'addseq';

const UNNUMBERED = sequence(0);

export async function addJob(
  machine: Machine,
  queue: string,
  job: NewJob,
  options: AddOptions = {},
): Promise<Added> {
  const { durability = 'power-safe' } = options;
  const work: Work = { kind: 'command', params: job.params ?? [], env: Object.entries(job.env ?? {}) };
  const header: PacketHeader = { seq: UNNUMBERED, ctime: machine.clock.now(), work };
  const head = encodeUsable(header);
  let numbers: LockedSequence | undefined;
  let seq = UNNUMBERED;
  let taken = false;
  try {
    const added = await addJobFile(machine, queue, durability, async (target) => {
      const size = await writeUnnumbered(machine, target, head, job.payload, durability);
      numbers = await lockNumbers(machine, queue, options.sequenceFile);
      seq = await numbers.read();
      await machine.files.writeAt(target, encodeHeader({ ...header, seq }, 'fixed'), 0);
      if (durability === 'power-safe') await machine.files.fsync(target);
      taken = true;
      await writeDown(numbers, following(seq));
      return size;
    });
    return { id: added.name as JobId, seq };
  } catch (error) {
    // Nobody else can have had the next one: we still hold the lock. A job that may be there keeps its number.
    if (taken && !isQueueError(error, 'not-durable')) await giveBack(numbers, seq);
    throw error;
  } finally {
    // Held until the job is in place, so that jobs come to be there in the order of their numbers.
    await numbers?.close();
  }
}

async function writeDown(numbers: LockedSequence, next: Sequence): Promise<void> {
  try {
    await numbers.write(next);
  } catch (error) {
    const message = `${numbers.path}: the job's number could not be written down: ${reasonOf(error)}`;
    throw new QueueError('not-written', message, { cause: error });
  }
}

async function giveBack(numbers: LockedSequence | undefined, seq: Sequence): Promise<void> {
  try {
    await numbers?.write(seq);
  } catch {
    // Then the number is lost, and whoever processes the queue is told which one is missing.
  }
}

/** The header's bytes. A job that no reader takes, or no command can be given, would stop the queue: it is refused. */
function encodeUsable(header: PacketHeader): Uint8Array {
  const { work } = header;
  const texts = work.kind === 'command' ? [...work.params, ...work.env.flat()] : [];
  if (texts.some((text) => text.includes('\0'))) {
    throw new QueueError('not-written', 'the params or env hold a NUL, which no command can be given');
  }
  const head = encodeHeader(header, 'fixed');
  const metadataLength = head.length - PREFIX_BYTES;
  if (metadataLength > METADATA_LIMIT_BYTES) {
    throw new QueueError(
      'not-written',
      `the params and env take ${metadataLength} bytes, more than the limit of ${METADATA_LIMIT_BYTES}`,
    );
  }
  return head;
}

async function writeUnnumbered(
  machine: Machine,
  target: Descriptor,
  head: Uint8Array,
  payload: PayloadSource | undefined,
  durability: Durability,
): Promise<number> {
  const { files } = machine;
  await files.write(target, head);
  const size = head.length + (await writeChunks(machine, target, chunksOf(payload)));
  // The long part of the sync, before others have to wait for our lock.
  if (durability === 'power-safe') await files.fsync(target);
  return size;
}

function chunksOf(payload: PayloadSource | undefined): Exclude<PayloadSource, string | Uint8Array> {
  if (payload === undefined) return [];
  if (typeof payload === 'string') return [encodeBytes(payload)];
  return payload instanceof Uint8Array ? [payload] : payload;
}

function lockNumbers(machine: Machine, queue: string, file: string | undefined): Promise<LockedSequence> {
  return lockSequence(machine, file ?? join(queue, OWN_SEQUENCE_FILE), {
    create: true,
    waitMs: SENDER_WAIT_MS,
    ...(file === undefined ? { first: () => firstFreeNumber(machine, queue) } : {}),
  });
}

/**
 * For the first job ever added here: behind all that wait, and not before the one that is next. A file that cannot be
 * read, encoded perhaps, could have any number, and a second job with it would stop the queue.
 */
async function firstFreeNumber(machine: Machine, queue: string): Promise<Sequence> {
  await refreshNames(machine.files, jobsDirectory(queue));
  const { jobs, unreadable } = await scanQueue(machine, queue);
  const [unknown] = unreadable;
  if (unknown !== undefined) {
    const message = `${unknown.path}: ${unknown.message}, so nobody can tell which number is free`;
    throw new QueueError('number-unknown', message, { cause: unknown.cause });
  }
  let free = (await peekSequence(machine, nextSequencePath(queue))) ?? sequence(1);
  for (const { header } of jobs) if (header.seq >= free) free = following(header.seq);
  return free;
}
