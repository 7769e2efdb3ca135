/**
 * What operators do to jobs. Each is one change of one job, as workers make them: when somebody else has changed the job
 * since we looked nothing comes of it (`gone`: look again), and no crash leaves half of it.
 */

import { toMs } from '../os/calendar.ts';
import type { Machine } from '../os/ports.ts';
import { QueueError } from '../queue/errors.ts';
import type { Operated, Operation, Repaired, Skipped } from '../queue/keeper.ts';
import type { FoundJob } from '../queue/snapshot.ts';
import { laneName } from '../queue/words.ts';
import { repairOne } from './disorder.ts';
import type { Link } from './link.ts';
import { type Change, Log } from './log.ts';
import type { Entry } from './picture.ts';
import { standingOf } from './standing.ts';

const DONE: Operated = { kind: 'done', lane: 'none' };
const UNCHANGED: Operated = { kind: 'unchanged' };
const GONE: Operated = { kind: 'gone' };

export async function operationOn(machine: Machine, link: Link): Promise<Operation> {
  const log = await Log.open(machine, link);
  return {
    hold: (job) => setHeld(log, job, true),
    release: (job) => setHeld(log, job, false),
    retry: (job) => retry(log, job, toMs(machine.clock.now())),
    remove: (job) => remove(log, job),
    skip: (lane) => skip(log, lane),
    repair: async (findings) => {
      const repaired: Repaired[] = [];
      for (const finding of findings) repaired.push({ finding, result: await repairOne(log, finding) });
      return repaired;
    },
    close: async () => {
      await log.tidied();
      await log.close();
    },
  };
}

async function setHeld(log: Log, job: FoundJob, held: boolean): Promise<Operated> {
  if (job.place === 'running') throw running(job);
  if (job.place !== 'waiting')
    throw notPossible(job, `it does not wait, so there is nothing to ${held ? 'hold' : 'release'}`);
  const entry = asSeen(log, job);
  if (entry === undefined) return GONE;
  return entry.state.held === held ? UNCHANGED : apply(log, entry, { held });
}

async function retry(log: Log, job: FoundJob, nowMs: number): Promise<Operated> {
  if (job.place === 'running') throw running(job);
  if (job.place === 'done') throw notPossible(job, 'it is done, so there is nothing to retry');
  if (job.place === 'unreadable') throw notPossible(job, `it is no job: ${job.message}`);
  const entry = asSeen(log, job);
  if (entry === undefined) return GONE;
  const { place, held, stopped, untilMs, attempts } = entry.state;
  const waitsForNothing = !held && !stopped && untilMs <= nowMs && attempts === 0;
  if (place === 'waiting' && waitsForNothing) return UNCHANGED;
  const anew = { attempts: 0, deaths: 0, untilMs: 0, held: false, stopped: false };
  return apply(log, entry, { place: 'waiting', ...anew });
}

async function remove(log: Log, job: FoundJob): Promise<Operated> {
  if (job.place === 'running') throw running(job);
  if (job.place === 'unreadable') {
    const stranger = [...log.picture.strangers.values()].find(({ subject }) =>
      job.path.endsWith(`/${subject}`),
    );
    if (stranger === undefined) return GONE;
    await log.wire.remove([stranger.seq]);
    return DONE;
  }
  const entry = asSeen(log, job);
  if (entry === undefined) return GONE;
  const removed = await apply(log, entry, { place: 'over' });
  if (removed.kind === 'done') await log.bury(entry);
  return removed;
}

/** Throws `not-possible` where nothing stops it. */
async function skip(log: Log, lane: string): Promise<Skipped> {
  const head = log.picture.headOf(lane);
  const stops = head !== undefined && standingOf(log.picture, head, 0).kind === 'held';
  if (!stops || head.state.place === 'running') {
    throw new QueueError('not-possible', `${log.place}: nothing stops ${laneName(lane)}`);
  }
  const skipped = await apply(log, head, { place: 'failed', stopped: false, held: false });
  if (skipped.kind !== 'done') {
    throw new QueueError(
      'not-possible',
      `${log.place}: ${laneName(lane)} has moved on meanwhile; look again`,
    );
  }
  const next = log.picture.headOf(lane);
  return { lane, from: BigInt(head.seq), to: BigInt(next?.seq ?? head.seq + 1), id: head.id };
}

async function apply(log: Log, entry: Entry, next: Change): Promise<Operated> {
  return (await log.change(entry, entry.generation, entry.state, next)) ? DONE : GONE;
}

/** Undefined when it is somewhere else by now. */
function asSeen({ picture }: Log, { id, place }: FoundJob): Entry | undefined {
  const entry = picture.entries.get(id);
  return entry?.state.place === place ? entry : undefined;
}

function running({ path }: FoundJob): QueueError {
  return new QueueError('job-running', `${path}: it is running`);
}

function notPossible({ path }: FoundJob, why: string): QueueError {
  return new QueueError('not-possible', `${path}: ${why}`);
}
