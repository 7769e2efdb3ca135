/**
 * What becomes of a claimed job's file. Each of these is one rename or unlink of a file in the worker's own room: if it
 * is not there any more, the worker was taken for dead, and nothing is changed.
 *
 * Over a network the answer to such a change can get lost, and it is told as failed. Then we look: when the file is where
 * it was, it has failed; when it is where we wanted it, or nowhere, it was done, unless others have taken the job over
 * and run it to its end. That they cannot have as long as our lease is not over.
 *
 * How a lane goes on past a job, under the lane's lock, and what a crash after each step leaves:
 *
 * | step                                            | a crash here leaves                                  |
 * |-------------------------------------------------|------------------------------------------------------|
 * | X' is in our room                               | comes back, and is the lane's next again             |
 * | (if it failed) X' marked as failed, fsync       | the same, held as failed: see stopped-lanes.ts       |
 * | the lane's number + 1, durable                  | X' is past: removed, or, marked, put into failed/    |
 * | X' unlinkIfThere, or put into done/ or failed/       | it is over                                           |
 */

import { formatMs, toMs } from '../../../os/calendar.ts';
import { isGone, isThere } from '../../../os/if-there.ts';
import type { Machine } from '../../../os/ports.ts';
import { following } from '../../../packet/header.ts';
import type { BlockedPolicy, Settled } from '../../../queue/contract.ts';
import { refreshNames } from '../../../queue/refresh-names.ts';
import type { SharedSync } from '../../../queue/shared-sync.ts';
import type { RunRecord } from '../../../queue/snapshot.ts';
import { jobsDirectory, join } from '../../layout.ts';
import { formatJobName } from '../job-name.ts';
import { lockLane } from '../lane-numbers.ts';
import type { WorkerRoom } from '../own-room.ts';
import { findJobFile } from '../receipts.ts';
import { room } from '../rooms.ts';
import { type RunNotes, type RunOutput, recordRun } from '../run-log.ts';
import type { Waiting } from '../waiting-job.ts';
import type { Look } from './look.ts';
import type { WaitingJobs } from './waiting.ts';

/** A job in our room. */
export type Taken = {
  /** As it was in jobs/. */
  readonly from: Waiting;
  /** How often it was started, as its name in our room says. */
  readonly attempts: number;
  readonly name: string;
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly takenMs: number;
};

const HOLD: BlockedPolicy = { action: 'hold' };

export type SettlingParts = {
  readonly machine: Machine;
  readonly queue: string;
  readonly blocked: BlockedPolicy | undefined;
  readonly keepSucceeded: boolean;
  readonly room: WorkerRoom;
  readonly waiting: WaitingJobs;
  readonly look: Look;
  readonly sync: SharedSync;
};

type Destination = 'remove' | 'done' | 'failed';

export class Settling {
  readonly #parts: SettlingParts;
  readonly #blocked: BlockedPolicy;

  constructor(parts: SettlingParts) {
    this.#parts = parts;
    this.#blocked = parts.blocked ?? HOLD;
  }

  succeed(taken: Taken): Promise<Settled> {
    return this.#conclude(taken, this.#parts.keepSucceeded ? 'done' : 'remove');
  }

  /** Out of the way, or, in a lane that must not go on without it, held in its place. */
  fail(taken: Taken): Promise<Settled> {
    const { action, afterMs = 0 } = this.#blocked;
    const { from, attempts } = taken;
    if (from.lane !== undefined && (action === 'hold' || afterMs > 0)) {
      return this.giveBack(taken, { ...from, attempts, held: true, failed: true });
    }
    return this.skip(taken);
  }

  /** Out of the way, and its lane goes on without it. */
  skip(taken: Taken): Promise<Settled> {
    const drop = this.#blocked.action === 'drop' && taken.from.lane !== undefined;
    return this.#conclude(taken, drop ? 'remove' : 'failed');
  }

  /** Back to jobs/, as this: `taken.from` when nothing has changed. */
  async giveBack(taken: Taken, as: Waiting): Promise<Settled> {
    const { machine, queue, waiting, look } = this.#parts;
    // A job that was never renamed before keeps the name that it came with.
    const name = as === taken.from ? as.name : formatJobName(as);
    try {
      if (!(await this.#move(taken.path, join(jobsDirectory(queue), name)))) return 'lost';
    } finally {
      if (taken.from.lane !== undefined) waiting.freeLane(taken.from.lane);
    }
    const back = { ...as, name };
    await look.openLanes([back]);
    waiting.add([back], toMs(machine.clock.now()));
    return 'settled';
  }

  /** Asked of the server, where there is one: what this host remembers of names may be old. */
  async isOurs({ path }: Pick<Taken, 'path'>): Promise<boolean> {
    const { files } = this.#parts.machine;
    try {
      await refreshNames(files, this.#parts.room.path);
      await files.stat(path);
      return true;
    } catch (error) {
      if (isGone(error)) return false;
      throw error;
    }
  }

  async record(taken: Taken, outcome: RunRecord['outcome'], notes: RunNotes = {}): Promise<void> {
    const { machine, queue } = this.#parts;
    try {
      await recordRun(machine, queue, taken.from.stem, {
        attempt: taken.attempts,
        outcome,
        ...notes,
        worker: this.#parts.room.name,
        started: formatMs(taken.takenMs),
        ended: formatMs(toMs(machine.clock.now())),
      });
    } catch {
      // A full disk must not stop what has been decided already.
    }
  }

  /** A job that succeeded at once, and is gone, leaves no trace; nor does one that was given back. */
  async keepRecord(
    taken: Taken,
    outcome: RunRecord['outcome'],
    notes: RunNotes,
    output: RunOutput | undefined,
  ): Promise<void> {
    const plain = outcome === 'released' || (outcome === 'succeeded' && taken.attempts <= 1);
    const keep = !plain || this.#parts.keepSucceeded;
    await output?.end(keep);
    if (keep) await this.record(taken, outcome, notes);
  }

  async #conclude(taken: Taken, to: Destination): Promise<Settled> {
    const { machine, queue, waiting } = this.#parts;
    const { lane, seq } = taken.from;
    if (lane === undefined) return this.#putAway(taken, to);
    let put: Taken | undefined = taken;
    const numbers = await lockLane(machine, queue, lane);
    try {
      if (!(await this.isOurs(taken))) return 'lost';
      if (to === 'failed') put = await this.#mark(taken);
      if (put === undefined) return 'lost';
      const next = await numbers.read();
      if (next === seq) await numbers.write(following(seq));
      waiting.setNext(lane, next === seq ? following(seq) : next);
    } finally {
      await numbers.close();
      waiting.freeLane(lane);
    }
    try {
      await this.#putAway(put, to);
    } catch {
      // The number says that it is over: what is left in our room is put away by whoever finds it there, see recovery.ts.
    }
    return 'settled';
  }

  /** So that whoever finds it in our room, its number past, does not take it for one that succeeded. */
  async #mark(taken: Taken): Promise<Taken | undefined> {
    const { room: own, sync } = this.#parts;
    const name = formatJobName({ ...taken.from, attempts: taken.attempts, held: true, failed: true });
    const path = join(own.path, name);
    if (!(await this.#move(taken.path, path))) return undefined;
    await sync.sync(own.path);
    return { ...taken, name, path };
  }

  async #putAway({ path, from, attempts }: Taken, to: Destination): Promise<Settled> {
    const { queue, sync, room: own } = this.#parts;
    const target = to === 'remove' ? undefined : room(queue, to);
    const done =
      target === undefined
        ? await this.#remove(path, from.stem)
        : await this.#move(path, join(target, formatJobName({ ...from, attempts, held: false })));
    if (!done) return 'lost';
    if (target !== undefined) await sync.sync(target);
    // In a lane the number says that it is over; else only the names do, the old one in jobs/ too.
    if (from.lane === undefined) await Promise.all([sync.sync(jobsDirectory(queue)), sync.sync(own.path)]);
    return 'settled';
  }

  /** Moves a file out of our room, or within it. False: others had taken it. */
  async #move(from: string, to: string): Promise<boolean> {
    try {
      await this.#parts.machine.files.rename(from, to);
      return true;
    } catch (error) {
      return this.#wasDone(from, error, () => this.#isThere(to));
    }
  }

  async #isThere(path: string): Promise<boolean> {
    const { machine } = this.#parts;
    await refreshNames(machine.files, path.slice(0, path.lastIndexOf('/')));
    return isThere(machine, path);
  }

  async #remove(path: string, stem: string): Promise<boolean> {
    const { machine, queue } = this.#parts;
    try {
      await machine.files.unlink(path);
      return true;
    } catch (error) {
      return this.#wasDone(path, error, async () => (await findJobFile(machine, queue, stem)) === undefined);
    }
  }

  /**
   * What a change that was told as failed has done; `looksDone` looks for what it would have brought about. Throws
   * `error` when the file is still there.
   */
  async #wasDone(path: string, error: unknown, looksDone: () => Promise<boolean>): Promise<boolean> {
    if (await this.isOurs({ path })) throw error;
    const { room: own } = this.#parts;
    return own.isSurelyOurs && (await own.exists()) && looksDone();
  }
}
