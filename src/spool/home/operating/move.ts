/**
 * Moving a job to another queue directory. Its bytes stay as they are, and so does its number.
 *
 * | step                                              | a crash here leaves                                   |
 * |---------------------------------------------------|-------------------------------------------------------|
 * | jobs/X -> our room (from failed/: nothing)        | X comes back                                          |
 * | rename to TARGET/jobs/Y                           | in its lane a gap, which is said                      |
 * | or, to another file system: copy, fsync, rename,  | litter in TARGET/jobs/; then the job in both queues:  |
 * | fsync of TARGET/jobs/; unlink                     | it may run twice                                      |
 * | its lane goes on: see hand.ts                     | nothing of it is left here                            |
 *
 * Into a queue with an order it goes only if its number has not been and is not there.
 */

import { closeQuietly } from '../../../os/close-quietly.ts';
import { unlinkIfThere } from '../../../os/if-there.ts';
import { hasErrno } from '../../../os/ports.ts';
import { readChunks } from '../../../os/transfer.ts';
import type { PacketHeader } from '../../../packet/header.ts';
import type { Operated } from '../../../queue/keeper.ts';
import { syncDirectory } from '../../../queue/publish.ts';
import { refuseSameQueue } from '../../../queue/same-queue.ts';
import type { FoundJob, QueueSnapshot } from '../../../queue/snapshot.ts';
import { addJobFile } from '../../add.ts';
import { jobsDirectory, join } from '../../layout.ts';
import { headerReader } from '../../queue-files.ts';
import { formatJobName } from '../job-name.ts';
import { finishReceipt } from '../receipts.ts';
import { hasRooms, readSettings } from '../rooms.ts';
import { takeSnapshot } from '../seeing/snapshot.ts';
import { everyJob, waitingOf } from '../seeing/snapshot-parts.ts';
import { termsOf } from '../terms.ts';
import { laneKept, type Waiting, waitingByHeader } from '../waiting-job.ts';
import { type Hand, letLaneGoOn } from './hand.ts';
import { notPossible, type Operator, running } from './operator.ts';

/** A queue that jobs are moved to, and what is known to be in it. */
export type Target = {
  readonly queue: string;
  readonly snapshot: QueueSnapshot;
  readonly ids: Set<string>;
  /** `LANE/NUMBER` of the jobs of lanes. */
  readonly numbers: Set<string>;
};

/** Throws `not-a-queue`, and `not-possible` when it is the queue that they come from. */
export async function openTarget(
  { machine, queue: source, decoder }: Operator,
  queue: string,
): Promise<Target> {
  const snapshot = await takeSnapshot(machine, queue, { decoder });
  await refuseSameQueue(machine, queue, jobsDirectory(source), jobsDirectory(queue));
  const ids = new Set((await everyJob(machine, snapshot)).map(({ id }) => id));
  const numbers = new Set(
    [...snapshot.waiting, ...snapshot.running].map(({ lane, seq }) => `${lane}/${seq}`),
  );
  return { queue, snapshot, ids, numbers };
}

export async function moveJob(operator: Operator, found: FoundJob, target: Target): Promise<Operated> {
  const { machine, queue, decoder } = operator;
  if (found.place === 'running') throw running(found);
  if (found.place === 'done') throw notPossible(found, 'it is done, so there is nothing to move');
  const read = await headerReader(machine, decoder)(found.path);
  if (read.kind === 'damaged') throw notPossible(found, `it cannot be read as a job: ${read.message}`);
  const { order } = await readSettings(machine, queue);
  const job = waitingByHeader(order, found.name, read.header);
  const name = nameThere(found, job, read.header, target);
  let lane: Operated & { readonly kind: 'done' } = { kind: 'done', lane: 'none' };
  const hand = found.place === 'waiting' ? await operator.handIfWorked() : undefined;
  if (found.place === 'waiting' && hand !== undefined) {
    const path = await hand.take(waitingOf(found));
    if (path === undefined) return { kind: 'gone' };
    await transferOr(
      () => hand.putBack(path, found.name),
      () => transfer(operator, path, target, name, hand),
    );
    const past = found.standing.kind === 'past' || found.standing.kind === 'duplicate';
    if (!past) lane = { kind: 'done', lane: await letLaneGoOn(machine, queue, hand, waitingOf(found)) };
    operator.touched(jobsDirectory(queue));
  } else {
    await transfer(operator, found.path, target, name, undefined);
    operator.touched(found.path.slice(0, found.path.lastIndexOf('/')));
  }
  const { id } = termsOf(read.header);
  // It is over here, and must not be added once more under that name.
  if (id !== undefined && (await hasRooms(machine, queue))) await finishReceipt(machine, queue, id, job);
  return lane;
}

/** Throws `not-possible` when it does not fit in there. */
function nameThere(found: FoundJob, job: Waiting, header: PacketHeader, target: Target): string {
  const { order, kind, lanes } = target.snapshot;
  if (target.ids.has(found.id))
    throw notPossible(found, `there is a job of that name in ${target.queue} already`);
  const { lane: own, notBeforeMs } = termsOf(header);
  const lane = laneKept(order, own);
  if (lane !== undefined && kind !== 'append-only') {
    const next = lanes.find((one) => one.lane === lane)?.next;
    if (next !== undefined && header.seq < next) {
      throw notPossible(found, `its number, ${header.seq}, is past in ${target.queue}, which is at ${next}`);
    }
    if (target.numbers.has(`${lane}/${header.seq}`)) {
      throw notPossible(found, `there is a job ${header.seq} in ${target.queue} already`);
    }
    target.numbers.add(`${lane}/${header.seq}`);
  }
  target.ids.add(found.id);
  const until = found.place === 'waiting' ? job.notBeforeMs : (notBeforeMs ?? 0);
  return formatJobName({ ...job, lane: own, held: false, attempts: 0, notBeforeMs: until });
}

async function transfer(
  operator: Operator,
  path: string,
  target: Target,
  name: string,
  hand: Hand | undefined,
): Promise<void> {
  const { machine } = operator;
  const { files } = machine;
  const jobs = jobsDirectory(target.queue);
  try {
    await files.rename(path, join(jobs, name));
    await syncDirectory(files, jobs, join(jobs, name));
    return;
  } catch (error) {
    if (!hasErrno(error, 'EXDEV')) throw error;
  }
  const source = await files.open(path, 'read-job');
  try {
    await addJobFile(machine, target.queue, 'power-safe', {
      write: async (copy) => {
        let size = 0;
        for await (const chunk of readChunks(files, source)) {
          await files.write(copy, chunk);
          size += chunk.length;
          await hand?.beat();
        }
        return size;
      },
      name: () => name,
    });
  } finally {
    await closeQuietly(files, source);
  }
  await unlinkIfThere(machine, path);
}

/** What could not be brought over goes back to where it was. */
async function transferOr(putBack: () => Promise<void>, bring: () => Promise<void>): Promise<void> {
  try {
    await bring();
  } catch (error) {
    await putBack();
    throw error;
  }
}
