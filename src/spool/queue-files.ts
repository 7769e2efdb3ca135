/** Making a queue directory, and looking into one. */

import { type FileKind, hasErrno, type Machine } from '../os/ports.ts';
import type { HeaderResult, PacketHeader } from '../packet/header.ts';
import { PEEK_BYTES } from '../packet/read.ts';
import { QueueError, reasonOf } from '../queue/errors.ts';
import { syncDirectory } from '../queue/publish.ts';
import { isJobName, jobsDirectory, join, nextSequencePath } from './layout.ts';
import { type Decoder, openPacket, peekPacket } from './open-packet.ts';
import { lockSequence } from './sequence-file.ts';

/**
 * Makes a queue directory; the parent must exist. With `appendOnly` it has no sequence file: jobs can be added
 * and listed, not processed. Throws `exists` when there is something at that path.
 *
 * | step                            | a crash here leaves                                     |
 * |---------------------------------|---------------------------------------------------------|
 * | the directory, fsync of parent  | a directory that is no queue                            |
 * | nextseq.lock, nextseq, fsync    | the same                                                |
 * | jobs/                           | after a power cut the same or the queue                 |
 * | fsync                           | the queue                                               |
 *
 * jobs/ is what makes it a queue, and comes last: without nextseq it would be an append-only one, that takes jobs and
 * never runs them. Where it is, is safe by then: a job that somebody adds at once must not hang on our last step.
 */
export async function createQueueDirectory(
  machine: Machine,
  queue: string,
  options: { readonly appendOnly: boolean },
): Promise<void> {
  const { files } = machine;
  try {
    await files.mkdir(queue);
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
    throw new QueueError('exists', `${queue}: it exists already`, { cause: error });
  }
  await syncDirectory(files, join(queue, '..'), queue);
  if (!options.appendOnly) {
    const sequence = await lockSequence(machine, nextSequencePath(queue), { create: true, waitMs: 0 });
    try {
      await sequence.read();
    } finally {
      await sequence.close();
    }
  }
  await files.mkdir(jobsDirectory(queue));
  await syncDirectory(files, queue, queue);
}

/** Throws `not-a-queue` when there is no queue directory at that path. */
export async function requireQueue(machine: Machine, path: string): Promise<void> {
  try {
    const { kind } = await machine.files.stat(jobsDirectory(path));
    if (kind === 'directory') return;
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw await noQueue(machine, path, error);
  }
  throw new QueueError('not-a-queue', `${jobsDirectory(path)}: it is not a directory`);
}

/** What to throw where the jobs directory of a queue is not there. */
export async function noQueue({ files }: Machine, path: string, cause: unknown): Promise<QueueError> {
  try {
    await files.stat(path);
  } catch {
    return new QueueError('not-a-queue', `${path}: there is no such directory`, { cause });
  }
  return new QueueError('not-a-queue', `${path}: it has no jobs directory, so it is not a queue`, { cause });
}

/** A job file whose header could be read. */
export type JobFile = {
  readonly name: string;
  readonly path: string;
  readonly header: PacketHeader;
};

/** A file named like a job that is not one, and why. */
export type Unreadable = {
  readonly name: string;
  readonly path: string;
  /** What is wrong, without the path, without a full stop. */
  readonly message: string;
  /** The system's error, where it is the file that could not be read and not its content that is wrong. */
  readonly cause?: unknown;
};

export type Scan = { readonly jobs: JobFile[]; readonly unreadable: Unreadable[] };

const NOT_FILES: Record<Exclude<FileKind, 'file' | 'link' | 'unknown'>, string> = {
  directory: 'it is a directory, not a job file',
  fifo: 'it is a named pipe, not a job file',
  socket: 'it is a socket, not a job file',
  device: 'it is a device, not a job file',
};

/**
 * Reads the header of every job file, in no order. A file that vanishes meanwhile is left out: somebody has
 * finished it. What is named like a job but cannot be read as one is reported, never waited for.
 */
export async function scanQueue(machine: Machine, queue: string, decoder?: Decoder): Promise<Scan> {
  const directory = jobsDirectory(queue);
  const jobs: JobFile[] = [];
  const unreadable: Unreadable[] = [];
  const read = headerReader(machine, decoder);
  for (const { name, kind } of await machine.files.readdir(directory)) {
    if (!isJobName(name)) continue;
    const path = join(directory, name);
    const look = await lookAt(machine, path, kind, read);
    if (look.kind === 'job') jobs.push({ name, path, header: look.header });
    else if (look.kind === 'unreadable') unreadable.push({ ...look.file, name, path });
  }
  return { jobs, unreadable };
}

export type ReadHeader = (path: string) => Promise<HeaderResult>;

/** Reads one header after the other, with or without a decoder. */
export function headerReader(machine: Machine, decoder?: Decoder): ReadHeader {
  const scratch = new Uint8Array(PEEK_BYTES);
  return async (path) =>
    decoder === undefined ? peekPacket(machine, path, scratch) : readDecoded(machine, path, decoder);
}

async function readDecoded(machine: Machine, path: string, decoder: Decoder): Promise<HeaderResult> {
  const opened = await openPacket(machine, path, decoder);
  if (opened.kind === 'damaged') return opened;
  await opened.discard();
  return { kind: 'header', header: opened.header };
}

export type Look =
  | { readonly kind: 'job'; readonly header: PacketHeader }
  | { readonly kind: 'unreadable'; readonly file: Pick<Unreadable, 'message' | 'cause'> }
  | { readonly kind: 'vanished' };

/** The header of one file that is named like a job. */
export async function lookAt(
  machine: Machine,
  path: string,
  kind: FileKind,
  read: ReadHeader,
): Promise<Look> {
  try {
    // A link is followed, and a file system that does not tell kinds in a listing is asked for each.
    const real = kind === 'link' || kind === 'unknown' ? (await machine.files.stat(path)).kind : kind;
    if (real !== 'file') return { kind: 'unreadable', file: { message: notAFile(real) } };
    const result = await read(path);
    if (result.kind === 'damaged') return { kind: 'unreadable', file: { message: result.message } };
    return { kind: 'job', header: result.header };
  } catch (error) {
    if (hasErrno(error, 'ENOENT') && kind !== 'link') return { kind: 'vanished' };
    return { kind: 'unreadable', file: { message: reasonOf(error), cause: error } };
  }
}

export function notAFile(kind: FileKind): string {
  return kind === 'file' || kind === 'link' || kind === 'unknown'
    ? 'it is not a regular file'
    : NOT_FILES[kind];
}

/** Jobs in the order of their numbers; those with the same number in the order of their names. */
export function bySequence(a: JobFile, b: JobFile): number {
  return compare(a.header.seq, b.header.seq) || compare(a.name, b.name);
}

/** Jobs in the order of their making. */
export function byCreation(a: JobFile, b: JobFile): number {
  return (
    compare(a.header.ctime.seconds, b.header.ctime.seconds) ||
    compare(a.header.ctime.nanos, b.header.ctime.nanos) ||
    bySequence(a, b)
  );
}

function compare<T extends bigint | number | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Throws `duplicate-sequence` when two jobs have the same number. */
export function refuseDuplicates(queue: string, jobs: readonly JobFile[]): void {
  const seen = new Map<bigint, JobFile>();
  for (const job of jobs) {
    const other = seen.get(job.header.seq);
    if (other !== undefined) {
      throw new QueueError(
        'duplicate-sequence',
        `${queue}: ${other.name} and ${job.name} both have the number ${job.header.seq}`,
      );
    }
    seen.set(job.header.seq, job);
  }
}
