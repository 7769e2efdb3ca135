/**
 * What is wrong with a queue. What that can be, and what is to be done about it, its keeper knows, which `intray repair`
 * asks too; here it is weighed, and what only the doctor can say is added: numbers that are missing, litter of its own,
 * and jobs on another file system than the one that was measured.
 *
 * It is found by looking: nothing is locked that anybody needs, nothing is changed.
 */

import { openKeeper } from '../open/open.ts';
import { hasErrno, isSystemError, type Machine } from '../os/ports.ts';
import type { Sequence } from '../packet/header.ts';
import { elsewhere } from '../queue/elsewhere.ts';
import { isQueueError } from '../queue/errors.ts';
import type { Finding, Keeper, KeeperOptions } from '../queue/keeper.ts';
import type { QueueSnapshot } from '../queue/snapshot.ts';
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

export function severityOf(problem: Problem): Severity {
  if ('message' in problem) return problem.severity ?? 'damage';
  return problem.kind === 'gap' ? 'gap' : 'note';
}

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
  options: Pick<KeeperOptions, 'decoder' | 'signal'> = {},
): Promise<QueueReport | undefined> {
  let keeper: Keeper;
  let snapshot: QueueSnapshot | undefined;
  let findings: readonly Finding[];
  try {
    keeper = await openKeeper(machine, queue, { ...options, evenDamaged: true });
    snapshot = await lookIfPossible(keeper);
    findings = await keeper.findDisorder(snapshot);
  } catch (error) {
    if (isQueueError(error, 'not-a-queue')) return undefined;
    throw error;
  }
  const problems: Problem[] = [...findings, ...(snapshot === undefined ? [] : gaps(snapshot))];
  problems.push(...(await litter(machine, queue, nowMs)));
  if (snapshot !== undefined) problems.push(...(await jobsElsewhere(machine, keeper, findings)));
  return { snapshot, problems: problems.sort((a, b) => rank(a) - rank(b)) };
}

/** Undefined where something keeps us from seeing it: what that is, `findDisorder` tells. */
async function lookIfPossible(keeper: Keeper): Promise<QueueSnapshot | undefined> {
  try {
    return await keeper.look();
  } catch (error) {
    if (isQueueError(error) || isSystemError(error)) return undefined;
    throw error;
  }
}

const RANKS: readonly Severity[] = ['damage', 'gap', 'note'];

function rank(problem: Problem): number {
  return RANKS.indexOf(severityOf(problem));
}

/** Those of which nothing was measured, as far as that is not told as damage. */
async function jobsElsewhere(
  machine: Machine,
  { location, jobDirectories }: Keeper,
  findings: readonly Finding[],
): Promise<Problem[]> {
  const paths = await elsewhere(machine, location, jobDirectories);
  return paths
    .filter((path) => !findings.some((finding) => finding.path === path))
    .map((path) => ({ kind: 'elsewhere', path }));
}

/** The numbers that lanes wait for and that are not there. */
function gaps({ queue, lanes, waiting, settled }: QueueSnapshot): Problem[] {
  if (!settled) return [{ kind: 'busy', path: queue }];
  return lanes.flatMap(({ lane, missing }): Problem[] => {
    if (missing === undefined) return [];
    const later = waiting.flatMap(({ lane: of, seq, standing }) =>
      of === lane && seq !== undefined && seq > missing && standing.kind !== 'duplicate' ? [seq] : [],
    );
    const next = later.reduce<Sequence | undefined>(
      (least, seq) => (least === undefined || seq < least ? seq : least),
      undefined,
    );
    return next === undefined ? [] : [{ kind: 'gap', lane, missing, next, waiting: later.length }];
  });
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What a killed doctor has left, and nobody will take away. */
async function litter({ files }: Machine, queue: string, nowMs: number): Promise<Problem[]> {
  const found: Problem[] = [];
  try {
    for (const { name } of await files.readdir(queue)) {
      if (!isBenchName(name)) continue;
      const path = `${queue}/${name}`;
      const ageMs = nowMs - (await files.stat(path)).modifiedMs;
      if (ageMs >= DAY_MS) found.push({ kind: 'litter', path, ageHours: Math.floor(ageMs / HOUR_MS) });
    }
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'EACCES', 'EPERM', 'EIO')) throw error; // gone by now; or told already
  }
  return found;
}
