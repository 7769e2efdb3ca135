/**
 * Running a failed job again whose lane has gone on without it: its number is past, and would never come again. It gets
 * the next number at the lane's end, which has to be written into its packet, so the packet is written anew:
 *
 * | step                                         | a crash here leaves                              |
 * |----------------------------------------------|--------------------------------------------------|
 * | temporary file in jobs/: header and payload  | litter                                           |
 * | the lane's next number for new jobs, + 1     | a number that is used and not there: a gap, said |
 * | rename, fsync of jobs/                       | the job, and its old file in failed/             |
 * | unlink in failed/                            | the job                                          |
 *
 * Only where we give that lane's numbers ourselves. A sender elsewhere would give the same number once more.
 */

import { unlinkIfThere } from '../../../os/if-there.ts';
import { copyAll } from '../../../os/transfer.ts';
import { encodeHeader } from '../../../packet/encode.ts';
import { following, type PacketHeader, type Sequence } from '../../../packet/header.ts';
import { QueueError } from '../../../queue/errors.ts';
import type { FoundJob } from '../../../queue/snapshot.ts';
import { QUEUE_LANE } from '../../../queue/words.ts';
import { addJobFile } from '../../add.ts';
import { lockNumbers, numberingFor } from '../../new-job.ts';
import { openPacket } from '../../open-packet.ts';
import { type LockedSequence, peekSequence } from '../../sequence-file.ts';
import { formatJobName } from '../job-name.ts';
import { readSettings } from '../rooms.ts';
import { takeSnapshot } from '../seeing/snapshot.ts';
import type { Waiting } from '../waiting-job.ts';
import { notPossible, type Operator } from './operator.ts';

/** Returns its new number. Throws `not-possible` when nobody can tell which one is free. */
export async function retryLate(
  operator: Operator,
  found: FoundJob,
  job: Waiting,
  header: PacketHeader,
): Promise<Sequence> {
  const { machine, queue, decoder } = operator;
  const { files } = machine;
  const { order } = await readSettings(machine, queue);
  const lane = job.lane === QUEUE_LANE ? undefined : job.lane;
  const numbering = numberingFor(machine, queue, order, lane, undefined);
  if (numbering === undefined || !(await isOurs(operator, numbering.path, job.lane))) {
    throw notPossible(
      found,
      `its lane has gone on without job ${job.seq}, and its numbers come from a sender elsewhere: let that send it again`,
    );
  }
  const opened = await openPacket(machine, found.path, decoder);
  if (opened.kind === 'damaged') throw notPossible(found, `it cannot be read: ${opened.message}`);
  let finished: Promise<string | undefined> | undefined;
  let numbers: LockedSequence | undefined;
  let seq = job.seq;
  try {
    await addJobFile(machine, queue, 'power-safe', {
      write: async (target) => {
        // Its length must not depend on the number, which comes last: a copy that breaks off must not use one up.
        const head = encodeHeader({ ...header, seq }, 'fixed');
        await files.write(target, head);
        const size = head.length + (await copyAll(files, opened.payload, target));
        finished = opened.finish();
        const problem = await finished;
        if (problem !== undefined) throw new QueueError('decoder-failed', `${found.path}: ${problem}`);
        numbers = await lockNumbers(machine, queue, numbering);
        seq = await numbers.read();
        await files.writeAt(target, encodeHeader({ ...header, seq }, 'fixed'), 0);
        await numbers.write(following(seq));
        return size;
      },
      name: () => formatJobName({ ...job, seq }),
    });
  } finally {
    await numbers?.close();
    if (finished === undefined) await opened.discard();
  }
  await unlinkIfThere(machine, found.path);
  operator.touched(found.path.slice(0, found.path.lastIndexOf('/')));
  return seq;
}

/** Whether every number that is seen in the lane is one that we gave. */
async function isOurs(
  { machine, queue, decoder }: Operator,
  path: string,
  lane: string | undefined,
): Promise<boolean> {
  const added = await peekSequence(machine, path);
  if (added === undefined) return false;
  const { waiting, running, lanes } = await takeSnapshot(machine, queue, { decoder });
  const next = lanes.find((one) => one.lane === lane)?.next;
  if (next !== undefined && next > added) return false;
  return [...waiting, ...running].every(
    (job) => job.lane !== lane || job.seq === undefined || job.seq < added,
  );
}
