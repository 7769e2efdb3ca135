/**
 * What is wrong with a queue. What that can be, and what is to be done about it, src/spool knows, which `intray repair`
 * asks too; here it is weighed, and what only the doctor can say is added: numbers that are missing, litter of its own,
 * and jobs on another file system than the one that was measured.
 *
 * It is found by looking: nothing is locked that anybody needs, nothing is changed.
 */

import { hasErrno, type Machine } from '../os/ports.ts';
import type { Sequence } from '../packet/header.ts';
import { isQueueError } from '../queue/errors.ts';
import { elsewhere } from '../spool/home/basics.ts';
import { type Finding, inspect, STALE_MS } from '../spool/home/repair.ts';
import type { QueueSnapshot } from '../spool/home/snapshot-parts.ts';
import { jobsDirectory, join, nextSequencePath } from '../spool/layout.ts';
import type { Decoder } from '../spool/open-packet.ts';
import { isBenchName } from './bench.ts';

/** `damage`: jobs are lost or stopped by it. `gap`: a lane waits. `note`: it is untidy, and all goes on. */
export type Severity = 'damage' | 'gap' | 'note';

export type Problem =
  | Finding
  /** `lane` is `''` for the queue's own order. */
  | {
      readonly kind: 'gap';
      readonly lane: string;
      readonly missing: Sequence;
      readonly next: Sequence;
      readonly waiting: number;
    }
  | { readonly kind: 'litter'; readonly path: string; readonly ageHours: number }
  | { readonly kind: 'elsewhere'; readonly path: string }
  | { readonly kind: 'busy'; readonly path: string };

export const SEVERITY: Readonly<Record<Problem['kind'], Severity>> = {
  'jobs-missing': 'damage',
  'number-missing': 'damage',
  'lock-missing': 'damage',
  'no-access': 'damage',
  'other-file-system': 'damage',
  'rooms-missing': 'damage',
  mode: 'damage',
  'damaged-file': 'damage',
  damaged: 'damage',
  encoded: 'damage',
  duplicate: 'damage',
  'done-again': 'damage',
  'stray-job': 'damage',
  gap: 'gap',
  // The next worker sees to it.
  'dead-worker': 'note',
  past: 'note',
  temporary: 'note',
  litter: 'note',
  elsewhere: 'note',
  busy: 'note',
};

export type QueueReport = {
  /** Undefined where something keeps us from seeing the queue, which is a problem then. */
  readonly snapshot: QueueSnapshot | undefined;
  /** The worst first. */
  readonly problems: readonly Problem[];
};

/** Undefined when there is no queue. `nowMs`: the time by the clock that gives files theirs. */
export async function examineQueue(
  machine: Machine,
  queue: string,
  nowMs: number,
  decoder?: Decoder,
): Promise<QueueReport | undefined> {
  let inspected: Awaited<ReturnType<typeof inspect>>;
  try {
    inspected = await inspect(machine, queue, decoder);
  } catch (error) {
    if (isQueueError(error, 'not-a-queue')) return undefined;
    throw error;
  }
  const { snapshot, findings } = inspected;
  const problems: Problem[] = [...findings, ...(snapshot === undefined ? [] : gaps(snapshot))];
  problems.push(...(await litter(machine, queue, nowMs)));
  if (snapshot !== undefined && snapshot.kind !== 'home') {
    const paths = await elsewhere(machine, queue, [jobsDirectory(queue)]);
    for (const path of paths) problems.push({ kind: 'elsewhere', path });
  }
  return { snapshot, problems: problems.sort((a, b) => rank(a) - rank(b)) };
}

const RANKS: readonly Severity[] = ['damage', 'gap', 'note'];

function rank({ kind }: Problem): number {
  return RANKS.indexOf(SEVERITY[kind]);
}

/** The numbers that lanes wait for and that are not there. */
function gaps({ queue, lanes, waiting, settled }: QueueSnapshot): Problem[] {
  if (!settled) return [{ kind: 'busy', path: nextSequencePath(queue) }];
  return lanes.flatMap(({ lane, missing }): Problem[] => {
    if (missing === undefined) return [];
    const later = waiting.filter(
      (job) => job.lane === lane && job.seq > missing && job.standing.kind !== 'duplicate',
    );
    const next = later.reduce<Sequence | undefined>(
      (least, { seq }) => (least === undefined || seq < least ? seq : least),
      undefined,
    );
    return next === undefined ? [] : [{ kind: 'gap', lane, missing, next, waiting: later.length }];
  });
}

const HOUR_MS = 3_600_000;

/** What a killed doctor has left, and nobody will take away. */
async function litter({ files }: Machine, queue: string, nowMs: number): Promise<Problem[]> {
  const found: Problem[] = [];
  try {
    for (const { name } of await files.readdir(queue)) {
      if (!isBenchName(name)) continue;
      const path = join(queue, name);
      const ageMs = nowMs - (await files.stat(path)).modifiedMs;
      if (ageMs >= STALE_MS) found.push({ kind: 'litter', path, ageHours: Math.floor(ageMs / HOUR_MS) });
    }
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'EACCES', 'EPERM', 'EIO')) throw error; // gone by now; or told already
  }
  return found;
}
