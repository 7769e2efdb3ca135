/** Giving the jobs of dead workers back. Any worker does it, at any time, as often as it likes. */

import { hasErrno, type Machine } from '../../os/ports.ts';
import { jobsDirectory, join } from '../layout.ts';
import { nextNumber } from './lane-numbers.ts';
import type { Waiting } from './waiting.ts';
import { listRooms, takeDeadRoom, type WorkerRoom } from './worker-room.ts';

/** Returns how many jobs came back. `named` says what a job is by its name. */
export async function bringBackTheDead(
  machine: Machine,
  queue: string,
  own: WorkerRoom,
  named: (name: string) => Waiting | undefined,
): Promise<number> {
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
        await bringBack(machine, queue, other.path, name, named(name));
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
  from: string,
  name: string,
  job: Waiting | undefined,
): Promise<void> {
  const { files } = machine;
  // It was claimed as its lane's next. That its number is past means that it was over.
  const over = job?.lane !== undefined && job.seq < (await nextNumber(machine, queue, job.lane));
  try {
    if (over) await files.unlink(join(from, name));
    else await files.rename(join(from, name), join(jobsDirectory(queue), name));
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'ESTALE')) throw error; // its worker, alive after all, has settled it
  }
}
