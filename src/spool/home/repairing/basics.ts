/**
 * What a queue cannot do without: `jobs/`, its number, its lock, its rooms, the right to use them, and one file system
 * for all of it. Rooms can be made and modes set; the rest only a person can give back: a number that we guess loses
 * the order, and a lock made beside one that somebody still holds, under a name that was removed, keeps nobody out.
 */

import { closeQuietly } from '../../../os/close-quietly.ts';
import { isThere } from '../../../os/if-there.ts';
import { hasErrno, isSystemError, type Machine } from '../../../os/ports.ts';
import { elsewhere } from '../../../queue/elsewhere.ts';
import { isQueueError, reasonOf } from '../../../queue/errors.ts';
import type { Finding } from '../../../queue/keeper.ts';
import type { QueueSnapshot } from '../../../queue/snapshot.ts';
import { jobsDirectory, nextSequencePath } from '../../layout.ts';
import { ROOMS, room, settingsPath } from '../rooms.ts';

const ACCESS = 'look as the user who works the queue; if that is this one, see who owns it: ls -ld PATH';

/** What is said of a file or directory that the system keeps from us. */
export function noAccess(path: string, reason: string): Finding {
  return { kind: 'no-access', path, message: reason, remedy: 'person', advice: ACCESS };
}

/** What keeps us from seeing the queue as a whole. Throws `error` when that is no disorder of the queue. */
export async function hindrance(machine: Machine, queue: string, error: unknown): Promise<Finding> {
  if (isQueueError(error, 'not-a-queue') && (await hasNumberOrLock(machine, queue))) {
    return {
      kind: 'jobs-missing',
      path: jobsDirectory(queue),
      message: 'there is no such directory, and nothing can be added or run',
      remedy: 'person',
      advice: 'put it back from wherever it went; if it is lost with its jobs: mkdir PATH',
    };
  }
  if (!isSystemError(error) || !hasErrno(error, 'EACCES', 'EPERM', 'EIO')) throw error;
  return noAccess(error.path || jobsDirectory(queue), reasonOf(error));
}

/** The number and the lock of a queue that is worked here. */
export async function basics(machine: Machine, { queue, kind, order }: QueueSnapshot): Promise<Finding[]> {
  if (kind === 'append-only' && !(await hasNumberOrLock(machine, queue))) return [];
  const findings = await lockProblem(machine, queue);
  const number = nextSequencePath(queue);
  if (order === 'sequence' && !(await isThere(machine, number))) {
    findings.push({
      kind: 'number-missing',
      path: number,
      message: 'it is missing, so the queue would begin at 1 again',
      remedy: 'person',
      advice: 'write the number of the job that is next: fspl queue-set-next -q DIR NUMBER',
    });
  }
  return findings;
}

async function lockProblem(machine: Machine, queue: string): Promise<Finding[]> {
  const path = `${nextSequencePath(queue)}.lock`;
  try {
    await closeQuietly(machine.files, await machine.files.open(path, 'lock-present'));
    return [];
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) {
      return [noAccess(path, `${reasonOf(error)}, so this user cannot work the queue`)];
    }
    const message = 'it is missing, so the queue cannot be worked';
    const advice = 'when nothing works the queue, make an empty one: touch PATH';
    return [{ kind: 'lock-missing', path, message, remedy: 'person', advice }];
  }
}

async function hasNumberOrLock(machine: Machine, queue: string): Promise<boolean> {
  const path = nextSequencePath(queue);
  return (await isThere(machine, path)) || isThere(machine, `${path}.lock`);
}

const OWNER_DIRECTORY = 0o700;
export const OWNER_READ = 0o400;

export async function missingRooms(machine: Machine, { queue, kind }: QueueSnapshot): Promise<Finding[]> {
  const missing: string[] = [];
  for (const name of ROOMS) if (!(await isThere(machine, room(queue, name)))) missing.push(name);
  // `failed/` alone comes from setting aside in a queue of the original.
  const some =
    ROOMS.some((name) => !missing.includes(name) && name !== 'failed') ||
    (await isThere(machine, settingsPath(queue)));
  if (missing.length === 0 || !some || kind === 'append-only') return [];
  return [
    {
      kind: 'rooms-missing',
      path: queue,
      message: `${missing.map((name) => `${name}/`).join(', ')} is missing`,
      remedy: 'make-rooms',
    },
  ];
}

export async function badModes(
  machine: Machine,
  { queue, unreadable: files }: Pick<QueueSnapshot, 'queue' | 'unreadable'>,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const say = (path: string, mode: number, lacks: string, right: string) =>
    findings.push({
      kind: 'mode',
      path,
      message: `its mode is ${mode.toString(8).padStart(4, '0')}, so its owner may not ${lacks}`,
      remedy: 'permit',
      advice: `chmod ${right} PATH`,
    });
  for (const path of [queue, jobsDirectory(queue), ...ROOMS.map((name) => room(queue, name))]) {
    const mode = await modeOf(machine, path);
    if (mode !== undefined && (mode & OWNER_DIRECTORY) !== OWNER_DIRECTORY)
      say(path, mode, 'use it', 'u+rwx');
  }
  for (const { path } of files) {
    const mode = await modeOf(machine, path);
    if (mode !== undefined && (mode & OWNER_READ) === 0) say(path, mode, 'read it', 'u+r');
  }
  return findings;
}

async function modeOf({ files }: Machine, path: string): Promise<number | undefined> {
  try {
    return (await files.stat(path)).mode;
  } catch {
    return undefined; // it is missing, or behind a directory that is said already
  }
}

/** A worker claims a job by a rename, which does not lead to another file system. */
export async function strangers(machine: Machine, { queue, kind }: QueueSnapshot): Promise<Finding[]> {
  if (kind !== 'home') return [];
  const paths = [jobsDirectory(queue), ...ROOMS.map((name) => room(queue, name))];
  return (await elsewhere(machine, queue, paths)).map((path) => ({
    kind: 'other-file-system',
    path,
    message: 'it is on another file system than the queue, so workers cannot move jobs between them',
    remedy: 'person',
    advice:
      'when nothing works the queue, have it on the file system of DIR: a directory, not a mount or a link',
  }));
}
