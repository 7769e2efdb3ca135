/** Parts of a snapshot: see snapshot.ts. */

import { entriesOf } from '../../../os/if-there.ts';
import type { Machine } from '../../../os/ports.ts';
import type { Sequence } from '../../../packet/header.ts';
import { unreadableJobs } from '../../../queue/seen-job.ts';
import type {
  FoundJob,
  LaneSnapshot,
  QueueSnapshot,
  RunningJob,
  SeenJob,
  StoredJob,
} from '../../../queue/snapshot.ts';
import { DEFAULT_PRIORITY } from '../../../queue/terms.ts';
import { isJobName, join } from '../../layout.ts';
import { parseJobName, SEE_HEADER, stemOf } from '../job-name.ts';
import { type Room, room } from '../rooms.ts';
import type { Waiting } from '../waiting-job.ts';
import type { LaneState, Standings } from './standing.ts';
import type { RoomWorker } from './workers.ts';

/** A job as its worker needs it, to give its file another name. */
export function waitingOf({ id, lane, seq, priority, addedMs, ...job }: SeenJob): Waiting {
  return {
    name: job.name,
    priority: priority ?? DEFAULT_PRIORITY,
    addedMs: addedMs ?? 0,
    notBeforeMs: job.notBeforeMs,
    held: job.held,
    failed: parseJobName(job.name)?.failed === true,
    attempts: job.attempts,
    seq: seq ?? (0n as Sequence),
    lane,
    stem: id,
  };
}

export function runningAs(
  { stem, ...job }: Waiting,
  path: string,
  worker: RoomWorker,
  sinceMs: number | undefined,
): RunningJob {
  return { place: 'running', id: stem, ...job, path, worker, sinceMs };
}

/** What the name of a file says, for one that need not say anything. */
export function seenByName(name: string, path: string): SeenJob {
  const said = parseJobName(name);
  return {
    id: stemOf(name),
    name,
    path,
    lane: said?.lane === SEE_HEADER ? undefined : said?.lane,
    seq: said?.seq,
    priority: said?.priority,
    addedMs: said?.addedMs,
    notBeforeMs: said?.notBeforeMs ?? 0,
    attempts: said?.attempts ?? 0,
    held: false,
  };
}

/** The jobs in `failed/` or `done/`, oldest first. */
export async function listStored(
  machine: Machine,
  queue: string,
  place: Room & StoredJob['place'],
): Promise<StoredJob[]> {
  const directory = room(queue, place);
  const names = (await entriesOf(machine, directory)).map(({ name }) => name).filter(isJobName);
  const stored = names.map((name): StoredJob => ({ place, ...seenByName(name, join(directory, name)) }));
  return stored.sort((a, b) => (a.addedMs ?? 0) - (b.addedMs ?? 0) || (a.name < b.name ? -1 : 1));
}

export async function everyJob(machine: Machine, snapshot: QueueSnapshot): Promise<FoundJob[]> {
  const { queue, waiting, running, failed, unreadable } = snapshot;
  const done = await listStored(machine, queue, 'done');
  return [...waiting, ...running, ...failed, ...done, ...unreadableJobs(unreadable, seenByName)];
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
