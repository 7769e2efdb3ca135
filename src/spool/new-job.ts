/** What a job that is added here becomes: its header, its name, and where its number comes from. */

import { toMs } from '../os/calendar.ts';
import { hasErrno, type Machine } from '../os/ports.ts';
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
import type { NewJob } from '../queue/contract.ts';
import { QueueError } from '../queue/errors.ts';
import { refreshNames } from '../queue/refresh-names.ts';
import { isPriority, isTerm, type Terms, termsIn, termsToEnv } from '../queue/terms.ts';
import { QUEUE_LANE } from '../queue/words.ts';
import { formatJobName } from './home/job-name.ts';
import { addedPath, nextNumber } from './home/lane-numbers.ts';
import type { Order } from './home/rooms.ts';
import { priorityOf, termsOf } from './home/terms.ts';
import { laneKept } from './home/waiting-job.ts';
import { jobsDirectory, join, OWN_SEQUENCE_FILE } from './layout.ts';
import { scanQueue } from './queue-files.ts';
import { SENDER_WAIT_MS } from './sender.ts';
import { type LockedSequence, lockSequence } from './sequence-file.ts';

const UNNUMBERED = sequence(0);

export type DraftedJob = {
  readonly terms: Terms;
  readonly header: PacketHeader;
  /** The header's bytes, in a form whose length does not depend on the number. */
  readonly head: Uint8Array;
};

/** The job but for its number. Throws `not-written` for one that no reader takes or no command can be given. */
export function draftJob(machine: Machine, job: NewJob): DraftedJob {
  const given = Object.entries(job.env ?? {});
  const terms = termsOfNew(job, termsIn(given));
  const env = [...given.filter(([name]) => !isTerm(name)), ...termsToEnv(terms)];
  const work: Work = { kind: 'command', params: job.params ?? [], env };
  const header: PacketHeader = { seq: UNNUMBERED, ctime: machine.clock.now(), work };
  return { terms, header, head: encodeUsable(header) };
}

/** Whether it is to be added once and no more. */
export function isNamed({ name, env = {} }: NewJob): boolean {
  return name !== undefined || termsIn(Object.entries(env)).id !== undefined;
}

export function numberedHead({ header }: DraftedJob, seq: Sequence): Uint8Array {
  return encodeHeader({ ...header, seq }, 'fixed');
}

export function nameOf({ terms, header }: DraftedJob, seq: Sequence, stem: string): string {
  return formatJobName({
    priority: priorityOf(terms),
    addedMs: Math.max(0, toMs(header.ctime)),
    notBeforeMs: terms.notBeforeMs ?? 0,
    held: false,
    attempts: 0,
    seq,
    lane: terms.lane,
    stem,
  });
}

/** What it asks for itself, and else what its variables ask for, as those of a job that is passed on do. */
function termsOfNew({ lane, priority, notBefore, expires, name }: NewJob, inEnv: Terms): Terms {
  const refuse = (what: string): never => {
    throw new QueueError('not-written', what);
  };
  if (priority !== undefined && !isPriority(priority)) {
    refuse(`the priority is ${priority}, not a whole number from 0 to 99`);
  }
  if (lane === '') refuse('the name of the lane is empty');
  if (name === '') refuse('the name of the job is empty');
  const ms = (what: string, date: Date | undefined) => {
    const time = date?.getTime();
    return time === undefined || (time >= 0 && time < 1e15)
      ? time
      : refuse(`${what} is not a time after 1970`);
  };
  return {
    lane: lane ?? inEnv.lane,
    priority: priority ?? inEnv.priority,
    notBeforeMs: ms('notBefore', notBefore) ?? inEnv.notBeforeMs,
    expiresMs: ms('expires', expires) ?? inEnv.expiresMs,
    id: name ?? inEnv.id,
  };
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

/** Where jobs that run in the order of their numbers take them from. */
export type Numbering = {
  readonly path: string;
  /** The first number, where nobody has taken one yet. */
  readonly first?: () => Promise<Sequence>;
};

/** Undefined for jobs that may run in any order: see `freeNumber`. */
export function numberingFor(
  machine: Machine,
  queue: string,
  order: Order,
  lane: string | undefined,
  sequenceFile: string | undefined,
): Numbering | undefined {
  if (sequenceFile !== undefined) return { path: sequenceFile };
  const kept = laneKept(order, lane);
  if (kept === undefined) return undefined;
  return {
    path: kept === QUEUE_LANE ? join(queue, OWN_SEQUENCE_FILE) : addedPath(queue, kept),
    first: () => firstFreeNumber(machine, queue, order, kept),
  };
}

const RANDOM_BITS = 20n;
const RANDOM_HEX_DIGITS = 5;

/** A number for a job that may run in any order: nobody's else, as good as surely, and growing with time. */
export function freeNumber(machine: Machine): Sequence {
  const chance = machine.random.uuid().slice(0, RANDOM_HEX_DIGITS);
  return sequence((BigInt(toMs(machine.clock.now())) << RANDOM_BITS) | BigInt(`0x${chance}`));
}

export async function lockNumbers(
  machine: Machine,
  queue: string,
  numbering: Numbering,
): Promise<LockedSequence> {
  const { path } = numbering;
  try {
    return await lockSequence(machine, path, { create: true, waitMs: SENDER_WAIT_MS, ...numbering });
  } catch (error) {
    if (!hasErrno(error, 'ENOENT') || !path.startsWith(`${queue}/lanes/`)) throw error;
    throw new QueueError('no-lanes', `${queue}: it has no lanes directory, so it has no lanes`, {
      cause: error,
    });
  }
}

/**
 * For the first job ever added here to that lane: behind all that wait, and not before the one that is next. A file
 * that cannot be read, encoded perhaps, could have any number, and a second job with it would stop the lane.
 */
async function firstFreeNumber(
  machine: Machine,
  queue: string,
  order: Order,
  lane: string,
): Promise<Sequence> {
  await refreshNames(machine.files, jobsDirectory(queue));
  const { jobs, unreadable } = await scanQueue(machine, queue);
  const [unknown] = unreadable;
  if (unknown !== undefined) {
    const message = `${unknown.path}: ${unknown.message}, so nobody can tell which number is free`;
    throw new QueueError('number-unknown', message, { cause: unknown.cause });
  }
  let free = await nextNumber(machine, queue, lane);
  for (const { header } of jobs) {
    if (laneKept(order, termsOf(header).lane) === lane && header.seq >= free) free = following(header.seq);
  }
  return free;
}
