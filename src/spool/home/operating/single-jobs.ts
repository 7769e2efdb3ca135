/**
 * What an operator does to single jobs. All of it may be done while workers run: each change is a rename or an unlink of
 * one name, and whoever is first with a name has it. A job that is running is refused.
 *
 * | what       | how                                                                                           |
 * |------------|-----------------------------------------------------------------------------------------------|
 * | `hold`     | jobs/X -> jobs/X', with an `h` in its name                                                     |
 * | `release`  | jobs/X -> jobs/X', without                                                                     |
 * | `retry`    | jobs/X -> jobs/X', due now and as if it had never been started; from failed/ the same way, and |
 * |            | where its lane has gone on without it, with a new number at the lane's end: see retry-late.ts  |
 * | `remove`   | of a job that waits: see hand.ts; elsewhere an unlink                                         |
 *
 * Who works the queue alone, as the original does, leaves the job that it runs in jobs/. So nothing in there is changed
 * without sharing the queue's lock, which says `locked` then:
 *
 *     the original                        we, if we did not ask
 *     ------------                        ---------------------
 *     runs jobs/X, where it is
 *                                         jobs/X -> jobs/X', held
 *     X has succeeded: removes jobs/X,
 *     which is not there
 *                                         X' is released, and runs again
 *
 * Names change for good when `close` has synced their directories. Moving lanes on is in skip.ts, moving jobs in move.ts.
 */

import { toMs } from '../../../os/calendar.ts';
import { unlinkIfThere } from '../../../os/if-there.ts';
import { QueueError } from '../../../queue/errors.ts';
import type { Operated } from '../../../queue/keeper.ts';
import type { FoundJob, WaitingJob } from '../../../queue/snapshot.ts';
import { jobsDirectory, join } from '../../layout.ts';
import { headerReader } from '../../queue-files.ts';
import { formatJobName } from '../job-name.ts';
import { nextNumber } from '../lane-numbers.ts';
import { hasRooms, readSettings, room } from '../rooms.ts';
import { removeRuns } from '../run-log.ts';
import { waitingOf } from '../seeing/snapshot-parts.ts';
import { type Waiting, waitingByHeader } from '../waiting-job.ts';
import { letLaneGoOn, renamed } from './hand.ts';
import { notPossible, type Operator, running, waitingOnly } from './operator.ts';
import { retryLate } from './retry-late.ts';

const DONE: Operated = { kind: 'done', lane: 'none' };
const UNCHANGED: Operated = { kind: 'unchanged' };
const GONE: Operated = { kind: 'gone' };

/** Throws `not-possible` in a queue of the original, which would run it all the same. */
export async function holdJob(operator: Operator, found: FoundJob): Promise<Operated> {
  const job = waitingOnly(found, 'hold');
  if (!(await hasRooms(operator.machine, operator.queue))) {
    throw new QueueError(
      'not-possible',
      `${operator.queue}: it is a queue of Filespooler, which knows no held jobs and would run it; \`intray init\` gives it rooms, \`intray pause\` stops all of it`,
    );
  }
  // One that is held because it has failed may be passed over; from now on it may not.
  const isHeld = job.held && waitingOf(job).failed !== true;
  return isHeld ? UNCHANGED : renameJob(operator, job, { held: true, failed: false });
}

export async function releaseJob(operator: Operator, found: FoundJob): Promise<Operated> {
  const job = waitingOnly(found, 'release');
  return job.held ? renameJob(operator, job, { held: false }) : UNCHANGED;
}

/** Throws `not-possible` when its lane cannot take it again. */
export async function retryJob(operator: Operator, found: FoundJob): Promise<Operated> {
  if (found.place === 'failed') return retryFailed(operator, found);
  const job = waitingOnly(found, 'retry');
  if (job.standing.kind === 'past') {
    throw notPossible(found, `its number, ${job.seq}, is past: its lane is at ${job.standing.next}`);
  }
  const due = job.notBeforeMs <= toMs(operator.machine.clock.now());
  if (due && !job.held && job.attempts === 0) return UNCHANGED;
  return renameJob(operator, job, { held: false, notBeforeMs: 0, attempts: 0 });
}

/** Removes it with what its runs have said. */
export async function removeJob(operator: Operator, found: FoundJob): Promise<Operated> {
  if (found.place === 'running') throw running(found);
  const operated =
    found.place === 'waiting' ? await removeWaiting(operator, found) : await unlinkFile(operator, found.path);
  if (operated.kind === 'done' && found.place !== 'unreadable') {
    await removeRuns(operator.machine, operator.queue, found.id, found.attempts);
  }
  return operated;
}

async function removeWaiting(operator: Operator, job: WaitingJob): Promise<Operated> {
  const jobs = jobsDirectory(operator.queue);
  const hand = await operator.handIfWorked();
  const { kind } = job.standing;
  if (hand === undefined || job.lane === undefined || kind === 'past' || kind === 'duplicate') {
    return unlinkFile(operator, join(jobs, job.name));
  }
  const path = await hand.take(waitingOf(job));
  if (path === undefined) return GONE;
  operator.touched(jobs);
  const lane = await letLaneGoOn(operator.machine, operator.queue, hand, waitingOf(job), () =>
    unlinkIfThere(operator.machine, path),
  );
  return { kind: 'done', lane };
}

async function retryFailed(operator: Operator, found: FoundJob): Promise<Operated> {
  const { machine, queue } = operator;
  const read = await headerReader(machine, operator.decoder)(found.path);
  if (read.kind === 'damaged') throw notPossible(found, `it cannot be read: ${read.message}`);
  const { order } = await readSettings(machine, queue);
  const job = waitingByHeader(order, found.name, read.header);
  const again: Waiting = { ...job, held: false, notBeforeMs: 0, attempts: 0 };
  const late = job.lane !== undefined && job.seq < (await nextNumber(machine, queue, job.lane));
  if (late) {
    const seq = await retryLate(operator, found, again, read.header);
    return { kind: 'done', lane: 'none', seq };
  }
  const moved = await renamed(machine, found.path, join(jobsDirectory(queue), formatJobName(again)));
  if (!moved) return GONE;
  operator.touched(jobsDirectory(queue));
  operator.touched(room(queue, 'failed'));
  return DONE;
}

async function renameJob(
  operator: Operator,
  job: WaitingJob,
  change: Partial<Pick<Waiting, 'held' | 'failed' | 'notBeforeMs' | 'attempts'>>,
): Promise<Operated> {
  await operator.handIfWorked(); // nobody else has it to himself: see above
  const jobs = jobsDirectory(operator.queue);
  const name = formatJobName({ ...waitingOf(job), ...change });
  if (!(await renamed(operator.machine, join(jobs, job.name), join(jobs, name)))) return GONE;
  operator.touched(jobs);
  return DONE;
}

async function unlinkFile(operator: Operator, path: string): Promise<Operated> {
  if (!(await unlinkIfThere(operator.machine, path))) return GONE;
  operator.touched(path.slice(0, path.lastIndexOf('/')));
  return DONE;
}
