/** What became of runs, and what their commands said: in `intray/log/`, for `intray log` and `intray show`. */

import { encodeBytes } from '../os/bytes.ts';
import { formatMs, toMs } from '../os/calendar.ts';
import { hasErrno, type Machine } from '../os/ports.ts';
import { crc32 } from '../packet/crc32.ts';
import type { OutputFile } from '../queue/contract.ts';
import * as runLog from '../queue/run-log.ts';
import type { RunRecord } from '../queue/snapshot.ts';
import { ownDirectory } from './own-directory.ts';
import { join, type Place } from './place.ts';

/** What a log's name adds to that of its item has to fit in too. */
const STEM_LIMIT_BYTES = 200;

/** What the files of an item's runs are called: its id, or what is left of one that is too long and its checksum. */
export function stemOf(id: string): string {
  const bytes = encodeBytes(id);
  if (bytes.length <= STEM_LIMIT_BYTES) return id;
  // Cut between characters, each of which takes four bytes at most.
  return `${id.slice(0, STEM_LIMIT_BYTES / 4)}~${crc32(bytes).toString(16)}`;
}

export function logDirectory({ own }: Place): string {
  return join(own, 'log');
}

/** Never decides over what becomes of the item: what cannot be noted is not. */
export async function noteRun(machine: Machine, place: Place, id: string, record: RunRecord): Promise<void> {
  try {
    await runLog.recordRun(machine, await ownDirectory(machine, place, 'log'), stemOf(id), record);
  } catch (error) {
    if (!hasErrno(error, 'ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EIO', 'ENOENT', 'EEXIST'))
      throw error;
  }
}

/** Why an item failed that was not run. */
export async function noteRefusal(
  machine: Machine,
  place: Place,
  id: string,
  attempt: number,
  reason: string,
): Promise<void> {
  const ended = formatMs(nowMs(machine));
  await noteRun(machine, place, id, {
    outcome: 'failed',
    attempt,
    reason,
    worker: workerName(machine),
    ended,
  });
}

export function workerName({ host }: Machine): string {
  return `${host.name}.${host.pid}`;
}

export function nowMs({ clock }: Machine): number {
  return toMs(clock.now());
}

export async function openOutput(
  machine: Machine,
  place: Place,
  id: string,
  attempt: number,
): Promise<runLog.RunOutput> {
  return runLog.openOutput(machine, await ownDirectory(machine, place, 'log'), stemOf(id), attempt);
}

export function readRuns(machine: Machine, place: Place, id: string): Promise<RunRecord[]> {
  return runLog.readRuns(machine, logDirectory(place), stemOf(id));
}

/** Where that try of an item writes. */
export function outputsOf(place: Place, id: string, attempt: number): OutputFile[] {
  return runLog.outputsOf(logDirectory(place), stemOf(id), attempt);
}

export function removeRuns(machine: Machine, place: Place, id: string, attempts: number): Promise<void> {
  return runLog.removeRuns(machine, logDirectory(place), stemOf(id), attempts);
}
