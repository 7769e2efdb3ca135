/**
 * Putting right what repair.ts has found. Each step is looked at again before it is done, as the queue may have moved:
 *
 *     we                                  somebody else
 *     --                                  -------------
 *     find jobs/X damaged
 *                                         a sync tool brings X anew, whole
 *     look again: it can be read: left alone
 */

import { formatMs, toMs } from '../../../os/calendar.ts';
import { closeQuietly } from '../../../os/close-quietly.ts';
import { isThere, unlinkIfThere } from '../../../os/if-there.ts';
import { hasErrno } from '../../../os/ports.ts';
import type { Finding, Repaired } from '../../../queue/keeper.ts';
import { jobsDirectory, join } from '../../layout.ts';
import { headerReader, lookAt } from '../../queue-files.ts';
import { lockQueue } from '../../session.ts';
import { stemOf } from '../job-name.ts';
import { renamed } from '../operating/hand.ts';
import type { Operator } from '../operating/operator.ts';
import { hasRooms, makeRooms, room } from '../rooms.ts';
import { recordRun } from '../run-log.ts';
import { findDisorder, orderOf } from './repair.ts';
import { modifiedMs, STALE_MS } from './stale.ts';

/** Puts one thing right after the other. Throws `locked` when somebody works the queue alone. */
export async function applyRepair(operator: Operator, findings: readonly Finding[]): Promise<Repaired[]> {
  const repaired: Repaired[] = [];
  let broughtBack = false;
  let again: Promise<ReadonlySet<string>> | undefined;
  const isStillSo = async (finding: Finding) => {
    again ??= keysNow(operator);
    return (await again).has(keyOf(finding));
  };
  for (const finding of findings) {
    if (finding.remedy === 'bring-back' && broughtBack) {
      repaired.push({ finding, result: 'done' });
      continue;
    }
    broughtBack ||= finding.remedy === 'bring-back';
    repaired.push({ finding, result: await apply(operator, finding, isStillSo) });
  }
  return repaired;
}

type StillSo = (finding: Finding) => Promise<boolean>;

async function apply(operator: Operator, finding: Finding, isStillSo: StillSo): Promise<Repaired['result']> {
  const { machine, queue } = operator;
  const { path } = finding;
  switch (finding.remedy) {
    case 'make-rooms':
      await makeMissingRooms(operator);
      return 'done';
    case 'bring-back': {
      const hand = await operator.hand();
      await hand.bringBack(await orderOf(machine, queue));
      operator.touched(jobsDirectory(queue));
      return 'done';
    }
    case 'to-jobs':
      operator.touched(jobsDirectory(queue));
      return (await renamed(machine, path, join(jobsDirectory(queue), nameOf(path)))) ? 'done' : 'not-needed';
    case 'remove': {
      const atMs = await modifiedMs(machine, path);
      if (atMs === undefined || toMs(machine.clock.now()) - atMs < STALE_MS) return 'not-needed';
      return (await unlinkIfThere(machine, path)) ? 'done' : 'not-needed';
    }
    case 'permit':
      return permit(operator, finding);
    case 'set-aside':
      return setAside(operator, finding, isStillSo);
    default:
      return 'left'; // for a person
  }
}

/** With nobody else in the queue: see rooms.ts for why. */
async function makeMissingRooms({ machine, queue }: Operator): Promise<void> {
  const lock = await lockQueue(machine, queue);
  try {
    await makeRooms(machine, queue);
  } finally {
    await lock.close();
  }
}

async function permit({ machine }: Operator, { path }: Finding): Promise<Repaired['result']> {
  const { files } = machine;
  try {
    const { kind, mode } = await files.stat(path);
    const descriptor = await files.open(path, kind === 'directory' ? 'directory' : 'read-job');
    try {
      await files.fchmod(descriptor, mode | (kind === 'directory' ? 0o700 : 0o400));
      return 'done';
    } finally {
      await closeQuietly(files, descriptor);
    }
  } catch (error) {
    // What we may not open we may not change this way.
    if (hasErrno(error, 'EACCES', 'EPERM')) return 'left';
    throw error;
  }
}

async function setAside(
  operator: Operator,
  finding: Finding,
  isStillSo: StillSo,
): Promise<Repaired['result']> {
  const { machine, queue } = operator;
  const { path, kind, message } = finding;
  // In a queue of the original nobody may be in the middle of it.
  await operator.handIfWorked();
  if (kind === 'damaged' && (await canBeRead(operator, path))) return 'not-needed';
  if (kind !== 'damaged' && !(await isStillSo(finding))) return 'not-needed';
  const failed = room(queue, 'failed');
  try {
    await machine.files.mkdir(failed);
    operator.touched(queue);
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
  }
  let name = nameOf(path);
  if (await isThere(machine, join(failed, name))) {
    name = name.replace(/\.fspl$/, `~${machine.random.uuid().slice(0, 8)}.fspl`);
  }
  if (!(await renamed(machine, path, join(failed, name)))) return 'not-needed';
  operator.touched(jobsDirectory(queue));
  operator.touched(failed);
  if (await hasRooms(machine, queue)) {
    await recordRun(machine, queue, stemOf(name), {
      attempt: 0,
      outcome: 'failed',
      reason: `it was set aside: ${message}`,
      worker: `${machine.host.name}.${machine.host.pid}`,
      ended: formatMs(toMs(machine.clock.now())),
    });
  }
  return 'done';
}

async function canBeRead({ machine, decoder }: Operator, path: string): Promise<boolean> {
  const look = await lookAt(machine, path, 'link', headerReader(machine, decoder));
  return look.kind === 'job';
}

/** What is found at a second look, once for all. */
async function keysNow({ machine, queue, decoder }: Operator): Promise<ReadonlySet<string>> {
  return new Set((await findDisorder(machine, queue, decoder)).map(keyOf));
}

function keyOf({ kind, path }: Finding): string {
  return `${kind} ${path}`;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
