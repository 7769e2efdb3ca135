/** What a snapshot of a queue is made of: see snapshot.ts. */

import type { LockHolder } from '../../os/lock-holders.ts';
import type { Machine } from '../../os/ports.ts';
import type { Sequence } from '../../packet/header.ts';
import type { Unreadable } from '../../queue/contract.ts';
import { isJobName, join } from '../layout.ts';
import { type JobName, parseJobName, stemOf } from './job-name.ts';
import { type Order, type Room, room } from './rooms.ts';
import type { LaneState, Standing, StandingJob, Standings } from './standing.ts';
import type { Waiting } from './waiting.ts';
import { entriesOf } from './worker-room.ts';
import type { SeenWorker } from './workers.ts';

export type RunningJob = Waiting & {
  readonly path: string;
  readonly worker: SeenWorker;
  /** Since when it is in that worker's hands, ms since 1970; undefined when it has just gone. */
  readonly sinceMs: number | undefined;
};

/** A job that is over. */
export type StoredJob = {
  readonly name: string;
  readonly path: string;
  readonly stem: string;
  /** What its name says; undefined for a name that says nothing. */
  readonly said: JobName | undefined;
};

export type LaneSnapshot = {
  /** `''` is the queue's own: of jobs without a lane in an ordered queue. */
  readonly lane: string;
  /** The number it waits for; undefined when that file is damaged. */
  readonly next: Sequence | undefined;
  readonly waiting: number;
  readonly running: number;
  readonly missing: Sequence | undefined;
};

/** A name in `jobs/` that is no job. */
export type Litter = { readonly path: string; readonly kind: 'temporary' | 'other' };

export type Counts = Readonly<
  Record<Standing['kind'] | 'waiting' | 'running' | 'failed' | 'done' | 'unreadable' | 'lanesFailed', number>
>;

export type QueueSnapshot = {
  readonly queue: string;
  readonly takenMs: number;
  /** `home`: with rooms for parallel workers. `append-only`: jobs are only added to it here. */
  readonly kind: 'home' | 'filespooler' | 'append-only';
  readonly order: Order;
  readonly paused: boolean;
  /** In the order in which they would be started. */
  readonly waiting: readonly StandingJob[];
  readonly running: readonly RunningJob[];
  readonly failed: readonly StoredJob[];
  readonly unreadable: readonly Unreadable[];
  readonly lanes: readonly LaneSnapshot[];
  readonly workers: readonly SeenWorker[];
  /** Who works it alone, as the original does; undefined when nobody does or nobody can tell. */
  readonly alone: LockHolder | undefined;
  readonly litter: readonly Litter[];
  /** Files of the queue itself that are damaged, as sentences. */
  readonly damage: readonly string[];
  readonly counts: Counts;
  /** False when gaps and past numbers were different at each look, so that they may only seem so. */
  readonly settled: boolean;
  /** When the oldest waiting job was added, ms since 1970. */
  readonly oldestMs: number | undefined;
};

/** The jobs in `failed/` or `done/`, oldest first. */
export async function listStored(
  machine: Machine,
  queue: string,
  where: Room & ('failed' | 'done'),
): Promise<StoredJob[]> {
  const directory = room(queue, where);
  const names = (await entriesOf(machine, directory)).map(({ name }) => name).filter(isJobName);
  const stored = names.map((name) => ({
    name,
    path: join(directory, name),
    stem: stemOf(name),
    said: parseJobName(name),
  }));
  return stored.sort((a, b) => (a.said?.addedMs ?? 0) - (b.said?.addedMs ?? 0) || (a.name < b.name ? -1 : 1));
}

/** Names that our programs, the original and common sync tools give to files on their way. */
export function isTemporary(name: string): boolean {
  return /\.tmp$|\.temp$|~$|^\.syncthing\.|^\..*\.[A-Za-z0-9]{6}$|\.part$/.test(name);
}

/** The lanes that have jobs, by name. */
export function lanesOf({
  standings,
  lanes,
}: {
  readonly standings: Standings;
  readonly lanes: ReadonlyMap<string, LaneState>;
}): LaneSnapshot[] {
  const waiting = new Map<string, number>();
  for (const { lane } of standings.jobs) {
    if (lane !== undefined) waiting.set(lane, (waiting.get(lane) ?? 0) + 1);
  }
  return [...lanes]
    .map(([lane, { next, running }]) => ({
      lane,
      next,
      waiting: waiting.get(lane) ?? 0,
      running: running.size,
      missing: standings.gaps.get(lane)?.missing,
    }))
    .sort((a, b) => (a.lane < b.lane ? -1 : 1));
}

export function countsOf(
  jobs: readonly StandingJob[],
): Omit<Counts, 'running' | 'failed' | 'done' | 'unreadable'> {
  const counts = {
    waiting: jobs.length,
    ready: 0,
    delayed: 0,
    held: 0,
    behind: 0,
    gap: 0,
    duplicate: 0,
    past: 0,
    stuck: 0,
    lanesFailed: 0,
  };
  for (const { standing } of jobs) {
    counts[standing.kind] += 1;
    if (standing.kind === 'held' && standing.failed !== undefined) counts.lanesFailed += 1;
  }
  return counts;
}

export function oldestOf(jobs: readonly Waiting[]): number | undefined {
  let oldest: number | undefined;
  for (const { addedMs } of jobs) if (oldest === undefined || addedMs < oldest) oldest = addedMs;
  return oldest;
}
