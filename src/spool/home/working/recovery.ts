/**
 * Giving the jobs of dead workers back. Any worker does it, at any time, as often as it likes.
 *
 * | step, for each job               | a crash here leaves                                                  |
 * |----------------------------------|----------------------------------------------------------------------|
 * | work/W/X' removed, if the job has another name too: see second-name.ts | it is where that leads         |
 * | a line `died` in its log         | the same as before: the next one finds that line, and writes no other |
 * | work/W/X' -> jobs/X', its start counted in that name | it is back                                      |
 * | (of the last one) work/W removed | an empty room                                                        |
 */

import { formatMs, toMs } from '../../../os/calendar.ts';
import { hasErrno, type Machine } from '../../../os/ports.ts';
import { precedes } from '../../../packet/header.ts';
import { syncDirectory } from '../../../queue/publish.ts';
import { jobsDirectory, join } from '../../layout.ts';
import { takeDeadRoom } from '../dead-room.ts';
import { formatJobName, parseJobName } from '../job-name.ts';
import { nextNumber } from '../lane-numbers.ts';
import type { WorkerRoom } from '../own-room.ts';
import { room } from '../rooms.ts';
import { readRuns, recordRun } from '../run-log.ts';
import { giveUpSecondName } from '../second-name.ts';
import type { Waiting } from '../waiting-job.ts';
import { listRooms, type SeenRoom } from '../worker-rooms.ts';

export type Recoverer = {
  readonly own: WorkerRoom;
  readonly keepSucceeded: boolean;
  /** What a job in that directory is; undefined when nobody can tell. */
  readonly whatIs: (directory: string, name: string) => Promise<Waiting | undefined>;
};

/** Returns how many jobs came back. */
export async function bringBackTheDead(
  machine: Machine,
  queue: string,
  recoverer: Recoverer,
): Promise<number> {
  const { own } = recoverer;
  const others = (await listRooms(machine, queue)).filter(({ name }) => name !== own.name);
  if (others.length === 0 || !(await own.beat())) return 0;
  const nowMs = await own.lastBeatMs();
  let moved = 0;
  for (const other of others) {
    const dead = await takeDeadRoom(machine, other, nowMs);
    if (dead === undefined) continue;
    let emptied = false;
    try {
      for (const name of dead.jobs) {
        await bringBack(machine, queue, recoverer, other, name);
        moved += 1;
      }
      emptied = true;
    } finally {
      await dead.over(emptied);
    }
  }
  return moved;
}

async function bringBack(
  machine: Machine,
  queue: string,
  { whatIs, keepSucceeded }: Recoverer,
  from: SeenRoom,
  name: string,
): Promise<void> {
  const { files } = machine;
  const job = await whatIs(from.path, name);
  const path = join(from.path, name);
  // It was claimed as its lane's next. That its number is past means that it was over: see settle.ts.
  const over = job?.lane !== undefined && precedes(job.seq, await nextNumber(machine, queue, job.lane));
  try {
    if (!over) {
      if (await isHadTwice(machine, queue, path)) return;
      await noteDeath(machine, queue, from, name);
      await move(machine, path, join(jobsDirectory(queue), name));
    } else if (job.held) await putInto(machine, room(queue, 'failed'), path, job);
    else if (keepSucceeded) await putInto(machine, room(queue, 'done'), path, job);
    else await files.unlink(path);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'ESTALE')) throw error; // its worker, alive after all, has settled it
  }
}

/** Whether the job was elsewhere, too: where it had come from, or where it went. */
async function isHadTwice(machine: Machine, queue: string, path: string): Promise<boolean> {
  const { links = 1 } = await machine.files.stat(path);
  return links > 1 && (await giveUpSecondName(machine, queue, path)) === 'given-up';
}

/** Of a start that has a line already its worker has known the end, or another one has noted it. */
async function noteDeath(machine: Machine, queue: string, worker: SeenRoom, name: string): Promise<void> {
  const { attempts = 0, stem = '' } = parseJobName(name) ?? {};
  if (attempts === 0) return;
  try {
    const runs = await readRuns(machine, queue, stem);
    if (runs.some(({ attempt }) => attempt === attempts)) return;
    const ended = formatMs(toMs(machine.clock.now()));
    await recordRun(machine, queue, stem, { attempt: attempts, outcome: 'died', worker: worker.name, ended });
  } catch {
    // A full disk must not keep the job from coming back.
  }
}

/** A power cut in the middle of a rename can leave one file under both names; to rename one to the other does nothing then. */
async function move({ files }: Machine, path: string, target: string): Promise<void> {
  await files.rename(path, target);
  try {
    await files.unlink(path);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error; // as it is but in that case
  }
}

async function putInto(machine: Machine, directory: string, path: string, job: Waiting): Promise<void> {
  const { files } = machine;
  await move(machine, path, join(directory, formatJobName({ ...job, held: false })));
  await syncDirectory(files, directory, path);
}
