/**
 * Moving a lane on that does not move by itself, because a person said so.
 *
 * | it waits for            | what is done                                                                       |
 * |-------------------------|------------------------------------------------------------------------------------|
 * | a number that is missing | its number becomes the lowest one that is there                                   |
 * | a job that is held      | that job goes to failed/, the number + 1: number first, and durable, then the rename |
 *
 * The gap is looked at again under the lane's lock: in jobs/, in the rooms, and once more in jobs/, for a job on its way
 * from a room to jobs/ is seen in one of them.
 */

import { formatMs, toMs } from '../../../os/calendar.ts';
import type { Sequence } from '../../../packet/header.ts';
import { QueueError } from '../../../queue/errors.ts';
import { explainLane } from '../../../queue/explain-standing.ts';
import type { Skipped } from '../../../queue/keeper.ts';
import type { QueueSnapshot, WaitingJob } from '../../../queue/snapshot.ts';
import { jobsDirectory, join } from '../../layout.ts';
import { formatJobName } from '../job-name.ts';
import { room } from '../rooms.ts';
import { recordRun } from '../run-log.ts';
import { takeSnapshot } from '../seeing/snapshot.ts';
import { waitingOf } from '../seeing/snapshot-parts.ts';
import { letLaneGoOn, renamed } from './hand.ts';
import type { Operator } from './operator.ts';

/** Throws `not-possible` for a lane that nothing stops. */
export async function skipLane(operator: Operator, lane: string): Promise<Skipped> {
  const { machine, queue, decoder } = operator;
  const hand = await operator.hand();
  const snapshot = await takeSnapshot(machine, queue, { decoder });
  const { stop, next } = stopOf(snapshot, lane);
  if (stop !== undefined) return skipHeld(operator, lane, stop);
  const numbers = await hand.lane(lane);
  try {
    // No worker can count a job of it as over now, nor one that is missing come to run.
    const again = await takeSnapshot(machine, queue, { decoder });
    const at = stopOf(again, lane);
    const present = again.waiting.flatMap(({ lane: of, seq = 0n as Sequence }) =>
      of === lane && seq > (at.next ?? 0n) ? [seq] : [],
    );
    const first = present.sort((a, b) => (a < b ? -1 : 1))[0];
    if (at.stop !== undefined || at.next === undefined || at.next !== next || first === undefined) {
      throw new QueueError('not-possible', `${queue}: ${explainLane(again, lane)}`);
    }
    await numbers.write(first);
    return { lane, from: at.next, to: first, id: undefined };
  } finally {
    await numbers.close();
  }
}

/** The held job at which the lane is, or nothing for a gap. */
function stopOf(
  snapshot: QueueSnapshot,
  lane: string,
): { readonly stop: WaitingJob | undefined; readonly next: Sequence | undefined } {
  const { queue, lanes, waiting } = snapshot;
  const found = lanes.find((one) => one.lane === lane);
  if (found?.next === undefined) {
    throw new QueueError('not-possible', `${queue}: ${explainLane(snapshot, lane)}`);
  }
  if (found.missing !== undefined) return { stop: undefined, next: found.next };
  const head = waiting.find((job) => job.lane === lane && job.seq === found.next);
  if (head?.standing.kind !== 'held')
    throw new QueueError('not-possible', `${queue}: ${explainLane(snapshot, lane)}`);
  return { stop: head, next: found.next };
}

async function skipHeld(operator: Operator, lane: string, head: WaitingJob): Promise<Skipped> {
  const { machine, queue } = operator;
  const job = waitingOf(head);
  const hand = await operator.hand();
  const path = await hand.take(job);
  if (path === undefined)
    throw new QueueError('not-possible', `${queue}: job ${job.seq} has just been taken by somebody else`);
  const name = formatJobName({ ...job, held: false });
  const keep = () => renamed(machine, path, join(room(queue, 'failed'), name));
  const effect = await letLaneGoOn(machine, queue, hand, job, keep);
  if (effect !== 'moved-on')
    throw new QueueError('not-possible', `${queue}: its lane has just been moved on by somebody else`);
  operator.touched(jobsDirectory(queue));
  operator.touched(room(queue, 'failed'));
  const failed = head.standing.kind === 'held' && head.standing.failed !== undefined;
  if (!failed) {
    await recordRun(machine, queue, job.stem, {
      attempt: job.attempts,
      outcome: 'failed',
      reason: 'its lane was moved on without it',
      worker: `${machine.host.name}.${machine.host.pid}`,
      ended: formatMs(toMs(machine.clock.now())),
    });
  }
  return { lane, from: job.seq, to: (job.seq + 1n) as Sequence, id: job.stem };
}
