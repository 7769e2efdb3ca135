/**
 * Finding what is not as it should be in a queue, and putting it right where that loses nothing. No job is ever deleted:
 * what cannot be run is set aside in `failed/`.
 *
 * | finding             | what is done                                                                           |
 * |---------------------|----------------------------------------------------------------------------------------|
 * | `rooms-missing`     | made, with nobody else in the queue                                                    |
 * | `dead-worker`       | its jobs go back to jobs/, its directory goes: as any worker does                      |
 * | `stray-job`         | a job directly in `work/`, where no worker has it: back to jobs/                       |
 * | `temporary`         | older than a day, so that nobody writes it any more: removed                           |
 * | `damaged`           | a packet that cannot be read as a job: set aside                                       |
 * | `encoded`           | not a packet, perhaps an encoded one: a person has to say                              |
 * | `duplicate`         | one more copy of a job, byte by byte: set aside; not the same bytes: a person          |
 * | `done-again`        | a job that is in `done/` and waits too, byte by byte: set aside; else a person         |
 * | `past`              | its number is past: set aside; in a queue of the original, which may keep such: a person |
 * | `mode`              | a directory or job that its owner may not use: that is permitted                       |
 * | `damaged-file`      | settings or a number: a person                                                         |
 * | `no-access`         | a file or directory that the system keeps from us: a person                            |
 * | `jobs-missing`, `number-missing`, `lock-missing`, `other-file-system` | basics.ts: a person                  |
 */

import { toMs } from '../../os/calendar.ts';
import { closeQuietly } from '../../os/close-quietly.ts';
import { type FileKind, hasErrno, type Machine } from '../../os/ports.ts';
import { readExactly } from '../../os/transfer.ts';
import { TAG } from '../../packet/header.ts';
import { isUnfinished } from '../../packet/pipe-mark.ts';
import { isJobName, jobsDirectory, join, nextSequencePath } from '../layout.ts';
import type { Decoder } from '../open-packet.ts';
import { badModes, basics, hindrance, missingRooms, noAccess, OWNER_READ, strangers } from './basics.ts';
import { ROOMS, readSettings, room } from './rooms.ts';
import { sameBytes } from './same-bytes.ts';
import { takeSnapshot } from './snapshot.ts';
import { isTemporary, listStored, type QueueSnapshot } from './snapshot-parts.ts';
import type { StandingJob } from './standing.ts';
import { entriesOf } from './worker-room.ts';

export type FindingKind =
  | 'rooms-missing'
  | 'dead-worker'
  | 'stray-job'
  | 'temporary'
  | 'damaged'
  | 'encoded'
  | 'duplicate'
  | 'done-again'
  | 'past'
  | 'mode'
  | 'damaged-file'
  | 'no-access'
  | 'jobs-missing'
  | 'number-missing'
  | 'lock-missing'
  | 'other-file-system';

/** What is done about a finding; `person` when we cannot know what is right. */
export type Remedy = 'make-rooms' | 'bring-back' | 'remove' | 'set-aside' | 'to-jobs' | 'permit' | 'person';

export type Finding = {
  readonly kind: FindingKind;
  readonly path: string;
  /** What is wrong, without the path, without a full stop. */
  readonly message: string;
  readonly remedy: Remedy;
  /** What a person should do; `DIR`, `PATH` and `FILE` stand for the queue, `path` and its last name. */
  readonly advice?: string;
};

/** A temporary file that nobody has written to for this long has no writer any more. */
export const STALE_MS = 24 * 3_600_000;

export type Inspection = {
  /** Undefined where something keeps us from seeing the queue, which is a finding then. */
  readonly snapshot: QueueSnapshot | undefined;
  readonly findings: readonly Finding[];
};

/** The queue at one moment, and what is not in order there. Throws `not-a-queue`. Changes nothing. */
export async function inspect(
  machine: Machine,
  queue: string,
  decoder?: Decoder | undefined,
): Promise<Inspection> {
  let snapshot: QueueSnapshot;
  try {
    snapshot = await takeSnapshot(machine, queue, { decoder });
  } catch (error) {
    const hindered = await hindrance(machine, queue, error);
    const modes = await badModes(machine, { queue, unreadable: [] });
    // A mode that keeps us out is told with what to do about it.
    const explained = hindered.kind === 'no-access' && modes.length > 0;
    return { snapshot: undefined, findings: explained ? modes : [...modes, hindered] };
  }
  return { snapshot, findings: await disorderOf(machine, snapshot) };
}

/** The findings alone. */
export async function findDisorder(
  machine: Machine,
  queue: string,
  decoder?: Decoder | undefined,
): Promise<readonly Finding[]> {
  return (await inspect(machine, queue, decoder)).findings;
}

async function disorderOf(machine: Machine, snapshot: QueueSnapshot): Promise<Finding[]> {
  const { queue } = snapshot;
  return [
    ...(await basics(machine, snapshot)),
    ...(await strangers(machine, snapshot)),
    ...(await missingRooms(machine, snapshot)),
    ...(await badModes(machine, snapshot)),
    ...damagedFiles(snapshot),
    ...deadWorkers(snapshot),
    ...(await strayJobs(machine, queue)),
    ...(await unreadable(machine, snapshot)),
    ...(await doubles(machine, snapshot)),
    ...past(snapshot),
    ...(await staleTemporaries(machine, queue)),
  ];
}

function damagedFiles({ queue, damage }: QueueSnapshot): Finding[] {
  return damage.map((sentence) => {
    // The queue's own path may have a colon in it; the names of its files have none.
    const split = sentence.startsWith(queue) ? sentence.indexOf(': ', queue.length) : sentence.indexOf(': ');
    const path = sentence.slice(0, Math.max(split, 0)) || queue;
    const advice =
      path === nextSequencePath(queue)
        ? 'write the number of the job that is next: fspl queue-set-next -q DIR NUMBER'
        : path.startsWith(room(queue, 'lanes'))
          ? 'when nothing works the queue, write the number of the job that is next in that lane: echo NUMBER > PATH'
          : 'correct it, or remove it: without it jobs run in the order of their numbers';
    return { kind: 'damaged-file', path, message: sentence.slice(split + 2), remedy: 'person', advice };
  });
}

function deadWorkers({ workers }: QueueSnapshot): Finding[] {
  return workers
    .filter(({ life }) => life === 'dead' || life === 'silent')
    .map(({ path, life, jobs }) => ({
      kind: 'dead-worker',
      path,
      message: `this worker is ${life}${jobs.length === 0 ? '' : jobs.length === 1 ? ', and has 1 job' : `, and has ${jobs.length} jobs`}`,
      remedy: 'bring-back',
    }));
}

async function strayJobs(machine: Machine, queue: string): Promise<Finding[]> {
  const entries = await entriesOf(machine, room(queue, 'work'));
  return entries
    .filter(({ name, kind }) => isJobName(name) && kind === 'file')
    .map(({ name }) => ({
      kind: 'stray-job',
      path: join(room(queue, 'work'), name),
      message: 'it is a job that no worker has',
      remedy: 'to-jobs',
    }));
}

async function unreadable(machine: Machine, { unreadable: all }: QueueSnapshot): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { path, message } of all) {
    const looks = await looksLike(machine, path);
    if (looks === 'damaged') findings.push({ kind: 'damaged', path, message, remedy: 'set-aside' });
    else if (looks === 'closed') findings.push(noAccess(path, message));
    else if (looks === 'encoded') {
      const advice = 'if it is encoded, name the decoder (--decoder); if not, remove it: intray rm DIR FILE';
      findings.push({ kind: 'encoded', path, message, remedy: 'person', advice });
    }
  }
  return findings;
}

/**
 * Only what begins as a packet does is surely a damaged one. (With a decoder nothing is sure: it may lack a key.)
 * `busy`: it may be being written. `closed`: the system does not let us read it; a mode that nobody could read with is
 * said elsewhere.
 */
async function looksLike(
  { files, clock }: Machine,
  path: string,
): Promise<'damaged' | 'encoded' | 'busy' | 'closed' | 'gone'> {
  let kind: FileKind;
  let mode: number;
  try {
    const status = await files.stat(path);
    kind = status.kind;
    mode = status.mode;
    const fresh = toMs(clock.now()) - status.modifiedMs < STALE_MS;
    if (kind === 'file' && isUnfinished(status) && fresh) return 'busy';
  } catch (error) {
    // A link that leads nowhere.
    if (hasErrno(error, 'ESTALE')) return 'gone';
    return hasErrno(error, 'ENOENT', 'ELOOP') ? 'damaged' : 'closed';
  }
  if (kind !== 'file') return 'damaged';
  try {
    const source = await files.open(path, 'read-job');
    try {
      const start = new TextDecoder('latin1').decode(await readExactly(files, source, TAG.length));
      return TAG.startsWith(start) ? 'damaged' : 'encoded';
    } finally {
      await closeQuietly(files, source);
    }
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESTALE')) return 'gone';
    return (mode & OWNER_READ) === 0 ? 'busy' : 'closed';
  }
}

async function doubles(machine: Machine, { queue, waiting }: QueueSnapshot): Promise<Finding[]> {
  const findings: Finding[] = [];
  const pathOf = ({ name }: StandingJob) => join(jobsDirectory(queue), name);
  const judge = async (kind: 'duplicate' | 'done-again', path: string, other: string, message: string) => {
    const same = await sameBytes(machine, path, other);
    findings.push(
      same
        ? { kind, path, message: `${message}, and is the same byte by byte`, remedy: 'set-aside' }
        : {
            kind,
            path,
            message,
            remedy: 'person',
            advice: 'see which of the two is right; this one is removed by: intray rm DIR FILE',
          },
    );
  };
  for (const job of waiting) {
    if (job.standing.kind !== 'duplicate') continue;
    const other = waiting.find(
      (one) =>
        one !== job && one.lane === job.lane && one.seq === job.seq && one.standing.kind !== 'duplicate',
    );
    if (other !== undefined)
      await judge('duplicate', pathOf(job), pathOf(other), `it has the number of ${other.name}, ${job.seq}`);
  }
  const done = new Map((await listStored(machine, queue, 'done')).map(({ stem, path }) => [stem, path]));
  for (const job of done.size === 0 ? [] : waiting) {
    const other = done.get(job.stem);
    if (other !== undefined) await judge('done-again', pathOf(job), other, `it waits, and is done: ${other}`);
  }
  return findings;
}

function past({ queue, kind, waiting, settled }: QueueSnapshot): Finding[] {
  if (!settled) return []; // perhaps it has just been run
  return waiting.flatMap((job): Finding[] => {
    if (job.standing.kind !== 'past') return [];
    const path = join(jobsDirectory(queue), job.name);
    const message = `its number, ${job.seq}, is past: ${job.standing.next} is next`;
    if (kind === 'home') return [{ kind: 'past', path, message, remedy: 'set-aside' }];
    const advice =
      'it was left there (`--on-error Leave`, `--never-delete`) or came late: intray rm DIR FILE';
    return [{ kind: 'past', path, message, remedy: 'person', advice }];
  });
}

async function staleTemporaries(machine: Machine, queue: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  const before = toMs(machine.clock.now()) - STALE_MS;
  for (const directory of [queue, jobsDirectory(queue), ...ROOMS.map((name) => room(queue, name))]) {
    for (const { name, kind } of await entriesOf(machine, directory)) {
      if (kind !== 'file' || !isTemporary(name)) continue;
      const path = join(directory, name);
      const age = await modifiedMs(machine, path);
      if (age === undefined || age >= before) continue;
      findings.push({
        kind: 'temporary',
        path,
        message: 'it is a temporary file that nobody writes any more',
        remedy: 'remove',
      });
    }
  }
  return findings;
}

export async function modifiedMs({ files }: Machine, path: string): Promise<number | undefined> {
  try {
    return (await files.stat(path)).modifiedMs;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESTALE')) return undefined;
    throw error;
  }
}

/** The order of a queue, as far as it can be known. */
export async function orderOf(machine: Machine, queue: string): Promise<'free' | 'sequence'> {
  try {
    return (await readSettings(machine, queue)).order;
  } catch {
    return 'sequence'; // damaged: that is a finding of its own
  }
}
