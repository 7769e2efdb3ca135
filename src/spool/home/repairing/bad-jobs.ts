/** Jobs that cannot be run, or should not be run once more: see repair.ts. */

import { toMs } from '../../../os/calendar.ts';
import { closeQuietly } from '../../../os/close-quietly.ts';
import { type FileKind, hasErrno, type Machine } from '../../../os/ports.ts';
import { readExactly } from '../../../os/transfer.ts';
import { TAG } from '../../../packet/header.ts';
import { isUnfinished } from '../../../packet/pipe-mark.ts';
import type { Finding } from '../../../queue/keeper.ts';
import type { QueueSnapshot } from '../../../queue/snapshot.ts';
import { listStored } from '../seeing/snapshot-parts.ts';
import { noAccess, OWNER_READ } from './basics.ts';
import { sameBytes } from './same-bytes.ts';
import { STALE_MS } from './stale.ts';

export async function unreadable(machine: Machine, { unreadable: all }: QueueSnapshot): Promise<Finding[]> {
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

export async function doubles(machine: Machine, { queue, waiting }: QueueSnapshot): Promise<Finding[]> {
  const findings: Finding[] = [];
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
      await judge('duplicate', job.path, other.path, `it has the number of ${other.name}, ${job.seq}`);
  }
  const done = new Map((await listStored(machine, queue, 'done')).map(({ id, path }) => [id, path]));
  for (const job of done.size === 0 ? [] : waiting) {
    const other = done.get(job.id);
    if (other !== undefined) await judge('done-again', job.path, other, `it waits, and is done: ${other}`);
  }
  return findings;
}

export function past({ kind, waiting, settled }: QueueSnapshot): Finding[] {
  if (!settled) return []; // perhaps it has just been run
  return waiting.flatMap((job): Finding[] => {
    if (job.standing.kind !== 'past') return [];
    const message = `its number, ${job.seq}, is past: ${job.standing.next} is next`;
    const finding = { kind: 'past', path: job.path, message, severity: 'note' } as const;
    if (kind === 'home') return [{ ...finding, remedy: 'set-aside' }];
    const advice =
      'it was left there (`--on-error Leave`, `--never-delete`) or came late: intray rm DIR FILE';
    return [{ ...finding, remedy: 'person', advice }];
  });
}
