/**
 * Taking a job: the moment it becomes ours, and what is looked at then.
 *
 *     lock       the worker's file gets the name active/ID; of those who want it, one gets it
 *     read       the control file, the data file, how often it was started
 *     refuse     what was started too often or has expired fails; what is damaged is stepped over, unlocked again
 *
 * A job may be over before it is locked: of two workers that know of it, the slower one locks what is not there any more.
 *
 *     A                              B, whose listing is older
 *     unlinks queue/1, over
 *     unlinks active/1               locks active/1
 *                                    opens queue/1: it is gone; unlinks active/1
 */

import { formatMs, toMs } from '../os/calendar.ts';
import { closeQuietly } from '../os/close-quietly.ts';
import { type Descriptor, hasErrno, type Machine } from '../os/ports.ts';
import { readExactly } from '../os/transfer.ts';
import type { JoinOptions } from '../queue/contract.ts';
import { reasonOf } from '../queue/errors.ts';
import type { Life } from '../queue/life.ts';
import { refreshNames } from '../queue/refresh-names.ts';
import { deathsInARow, readRuns } from '../queue/run-log.ts';
import { counted } from '../queue/words.ts';
import { CONTROL_LIMIT_BYTES, type Control, fromMetadata, parseControl } from './control-file.ts';
import type { DataFiles } from './data-file.ts';
import { ifThere, isGone, lockPath, ownRoom } from './layout.ts';
import type { Look } from './look.ts';
import { putLink } from './put.ts';
import type { Settling, Taken } from './settle.ts';
import { readStarts } from './starts.ts';
import type { WaitingJob } from './waiting.ts';
import type { WorkerFile } from './worker-file.ts';

export type TakingParts = {
  readonly life: Life;
  readonly machine: Machine;
  readonly queue: string;
  readonly worker: WorkerFile;
  readonly settling: Settling;
  readonly look: Look;
  readonly data: DataFiles;
  readonly maxStarts: number;
  /** The same for starts in a row whose workers died. */
  readonly maxDeaths: number;
  readonly onRefused: JoinOptions['onRefused'];
};

export type Opened = { readonly data: Descriptor; readonly path: string };

/** `fenced` is thrown when our own file is gone; undefined: somebody else has the job, or it is over, or refused. */
export async function takeJob(
  parts: TakingParts,
  job: WaitingJob,
): Promise<{ readonly taken: Taken; readonly opened: Opened } | undefined> {
  if (!(await lock(parts, job.id))) return undefined;
  let opened: Opened | undefined;
  try {
    const control = await readControl(parts.machine, job.path);
    if (control === undefined || 'damage' in control) return await stepOver(parts, job, control?.damage);
    const found = await parts.data.open(control);
    if (found.kind !== 'data') {
      const isOver = found.kind === 'missing' && (await isControlGone(parts.machine, job.path));
      return await stepOver(parts, job, isOver ? undefined : found.message);
    }
    opened = found;
    const attempt = (await readStarts(parts.machine, parts.queue, job.id)) + 1;
    const taken: Taken = { ...job, control, attempt, takenMs: toMs(parts.machine.clock.now()) };
    const refused = (await whyDeadly(parts, taken)) ?? whyExpired(parts.machine, taken);
    if (refused === undefined) return { taken, opened };
    opened = undefined;
    await closeQuietly(parts.machine.files, found.data);
    await refuse(parts, taken, refused);
    return undefined;
  } catch (error) {
    // Not the job's fault: it is as if we had not taken it. Where even that fails it comes back when we are gone.
    if (opened !== undefined) await closeQuietly(parts.machine.files, opened.data);
    await parts.settling.unlockInTheEnd(job.id);
    throw error;
  }
}

async function lock({ machine, queue, worker, life }: TakingParts, id: string): Promise<boolean> {
  try {
    return await putLink(machine, worker, lockPath(queue, id));
  } catch (error) {
    if (isGone(error)) await life.requireSign();
    throw error;
  }
}

/** Undefined when it is gone. */
export async function readControl(
  { files }: Machine,
  path: string,
): Promise<Control | { readonly damage: string } | undefined> {
  try {
    return await ifThere(() => readControlNow(files, path), undefined);
  } catch (error) {
    if (hasErrno(error, 'ELOOP')) return { damage: 'it is a symbolic link' };
    if (hasErrno(error, 'EISDIR')) return { damage: 'it is a directory' };
    if (hasErrno(error, 'ENXIO', 'EACCES', 'ENAMETOOLONG'))
      return { damage: `it cannot be read: ${reasonOf(error)}` };
    throw error;
  }
}

async function readControlNow(files: Machine['files'], path: string) {
  const descriptor = await openControl(files, path);
  try {
    const { kind, size } = await files.fstat(descriptor);
    if (kind !== 'file') return { damage: `it is a ${kind}` };
    if (size > CONTROL_LIMIT_BYTES) return { damage: `it is longer than ${CONTROL_LIMIT_BYTES} bytes` };
    return parseControl(await readExactly(files, descriptor, size));
  } finally {
    await closeQuietly(files, descriptor);
  }
}

/** That it is missing may be an old belief of this host: it is asked for anew. */
async function openControl(files: Machine['files'], path: string): Promise<Descriptor> {
  try {
    return await files.open(path, 'read-own');
  } catch (error) {
    if (!isGone(error)) throw error;
    await refreshNames(files, path.slice(0, path.lastIndexOf('/')));
    return files.open(path, 'read-own');
  }
}

async function isControlGone({ files }: Machine, path: string): Promise<boolean> {
  await refreshNames(files, path.slice(0, path.lastIndexOf('/')));
  return ifThere(async () => {
    await files.stat(path);
    return false;
  }, true);
}

/** Leaves no lock behind. */
async function stepOver(
  { settling, look }: TakingParts,
  job: WaitingJob,
  damage: string | undefined,
): Promise<undefined> {
  if (damage !== undefined) look.stepOver(job, damage);
  await settling.unlock(job.id);
}

/** Why a job is taken for what kills its workers. */
async function whyDeadly(
  { machine, queue, maxStarts, maxDeaths }: TakingParts,
  { id, attempt }: Taken,
): Promise<string | undefined> {
  const starts = attempt - 1;
  if (starts >= maxStarts) return `it was started ${counted(starts, 'time')}, and each time its worker died`;
  if (starts < maxDeaths) return undefined;
  const runs = await readRuns(machine, ownRoom(queue, 'log'), id);
  // Who gives a job back notes it a little later: of a start that is not noted yet nobody has died.
  const deaths = runs.at(-1)?.attempt === starts ? deathsInARow(runs) : 0;
  return deaths < maxDeaths
    ? undefined
    : `it was started ${deaths} times in a row, and each time its worker died`;
}

function whyExpired({ clock }: Machine, { control }: Taken): string | undefined {
  const { expiresMs } = fromMetadata(control.metadata);
  if (expiresMs === undefined || expiresMs >= toMs(clock.now())) return undefined;
  return `it was not to start after ${formatMs(expiresMs)}`;
}

async function refuse({ settling, onRefused }: TakingParts, taken: Taken, reason: string): Promise<void> {
  await onRefused?.({ id: taken.id, seq: undefined, lane: undefined, attempt: taken.attempt - 1, reason });
  if ((await settling.fail(taken)) === 'settled') await settling.record(taken, 'failed', { reason });
}
