/**
 * What becomes of a job that we have the lock of, and what a crash after each step leaves.
 *
 * | step, job over                            | a crash here leaves                                              |
 * |-------------------------------------------|------------------------------------------------------------------|
 * | (the command has succeeded)               | the job runs again: at least once                                |
 * | control file unlinked, or renamed into    | before a power cut the job is over, after it perhaps not         |
 * | done/ or failed/                          |                                                                  |
 * | fsync of queue/                           | the job is over; its data file remains, and belongs to nobody    |
 * | data file unlinked, lock file unlinked    | nothing                                                          |
 *
 * | step, to be tried again                   | a crash here leaves                                              |
 * |-------------------------------------------|------------------------------------------------------------------|
 * | starts/ID written                         | the start may be counted twice: whoever frees our lock does too  |
 * | control file renamed into later/          | the same                                                         |
 * | lock file unlinked                        | it waits for its time                                            |
 *
 * Nothing is done when our lock is not there any more: others had taken us for dead. Between that look and the last step
 * they could do so only when we were silent for longer than our lease.
 */

import { formatMs, toMs } from '../os/calendar.ts';
import type { Machine } from '../os/ports.ts';
import type { Settled } from '../queue/contract.ts';
import type { Durability } from '../queue/publish.ts';
import { refreshNames } from '../queue/refresh-names.ts';
import { type RunNotes, type RunOutput, type RunRecord, recordRun } from '../queue/run-log.ts';
import type { SharedSync } from '../queue/shared-sync.ts';
import type { Control } from './control-file.ts';
import type { DataFiles } from './data-file.ts';
import {
  directoryOf,
  ifThere,
  isThere,
  join,
  lockPath,
  moveFile,
  type OwnRoom,
  ownRoom,
  room,
  unlinkForSure,
  unlinkIfThere,
} from './layout.ts';
import { type Look, laterName } from './look.ts';
import { forgetStarts, writeStarts } from './starts.ts';
import type { WaitingJob, WaitingJobs } from './waiting.ts';
import type { WorkerFile } from './worker-file.ts';

/** A job whose lock is ours. */
export type Taken = WaitingJob & {
  readonly control: Control;
  /** How often it was started, this time included. */
  readonly attempt: number;
  /** Milliseconds since 1970. */
  readonly takenMs: number;
};

export type SettlingParts = {
  readonly machine: Machine;
  readonly queue: string;
  readonly worker: WorkerFile;
  readonly waiting: WaitingJobs;
  readonly look: Look;
  readonly sync: SharedSync;
  /** Whether no other job of ours can use this process while the disk is busy. */
  readonly isAlone: () => boolean;
  readonly data: DataFiles;
  readonly durability: Durability;
  readonly keepSucceeded: boolean;
  readonly keepFailed: boolean;
};

export class Settling {
  readonly #parts: SettlingParts;
  readonly #locked = new Set<string>();

  constructor(parts: SettlingParts) {
    this.#parts = parts;
  }

  /** Whether its lock is still ours. What this host remembers of names can only be old when our lease is over. */
  async isOurs(id: string): Promise<boolean> {
    const { machine, queue, worker } = this.#parts;
    return ifThere(async () => {
      if (!worker.isSurelyOurs) await refreshNames(machine.files, room(queue, 'active'));
      return (await machine.files.stat(lockPath(queue, id))).inode === worker.inode;
    }, false);
  }

  succeed(taken: Taken): Promise<Settled> {
    return this.#conclude(taken, this.#parts.keepSucceeded ? 'done' : undefined);
  }

  fail(taken: Taken): Promise<Settled> {
    return this.#conclude(taken, this.#parts.keepFailed ? 'failed' : undefined);
  }

  async retry(taken: Taken, atMs: number): Promise<Settled> {
    const { machine, queue, look } = this.#parts;
    if (!(await this.isOurs(taken.id))) return 'lost';
    await writeStarts(machine, queue, taken.id, taken.attempt);
    const isLater = atMs > toMs(machine.clock.now());
    if (isLater) {
      const target = join(ownRoom(queue, 'later'), laterName(atMs, taken.id));
      if (!(await this.#move(taken.path, target))) return 'lost';
      look.putOff(atMs);
    }
    await this.unlock(taken.id);
    if (!isLater) this.#parts.waiting.add({ id: taken.id, path: taken.path });
    return 'settled';
  }

  async release(taken: Taken): Promise<Settled> {
    if (!(await this.isOurs(taken.id))) return 'lost';
    await this.unlock(taken.id);
    this.#parts.waiting.add({ id: taken.id, path: taken.path });
    return 'settled';
  }

  async unlock(id: string): Promise<void> {
    await unlinkForSure(this.#parts.machine, lockPath(this.#parts.queue, id));
  }

  /** The same where another error is on its way, or the job is over: what cannot be unlocked now is later. */
  async unlockInTheEnd(id: string): Promise<void> {
    try {
      await this.unlock(id);
    } catch {
      this.#locked.add(id);
    }
  }

  /** Whether all locks that had been left are gone. Those that are not, are for others to see to when we are gone. */
  async unlockWhatIsLeft(): Promise<boolean> {
    for (const id of [...this.#locked]) {
      this.#locked.delete(id);
      if (await this.isOurs(id).catch(() => true)) await this.unlockInTheEnd(id);
    }
    return this.#locked.size === 0;
  }

  async #conclude(taken: Taken, to: OwnRoom | undefined): Promise<Settled> {
    const { machine, queue, data } = this.#parts;
    if (!(await this.isOurs(taken.id))) return 'lost';
    if (to === undefined) {
      // When it is gone already, that was we, and the answer got lost; or a person, and then it is over too.
      await unlinkForSure(machine, taken.path);
    } else if (!(await this.#move(taken.path, join(ownRoom(queue, to), taken.id)))) return 'lost';
    await this.#makeLast(directoryOf(taken.path), to);
    try {
      if (to === undefined) {
        const left = await data.removable(taken.control);
        if (left !== undefined) await unlinkIfThere(machine, left);
      }
      if (taken.attempt > 1) await forgetStarts(machine, queue, taken.id);
    } catch {
      // It is over. A data file without a job, or a count, is litter that `repair` removes.
    }
    await this.unlockInTheEnd(taken.id);
    return 'settled';
  }

  async #makeLast(from: string, to: OwnRoom | undefined): Promise<void> {
    const { queue, sync, isAlone, durability } = this.#parts;
    if (durability !== 'power-safe') return;
    if (to !== undefined) await sync.sync(ownRoom(queue, to), { isAlone: isAlone() });
    await sync.sync(from, { isAlone: isAlone() });
  }

  /** False when it is not there, nor where it was to go. */
  async #move(from: string, to: string): Promise<boolean> {
    const { machine } = this.#parts;
    try {
      await moveFile(machine, from, to);
      return true;
    } catch (error) {
      // Over a network the answer may have got lost: look before believing.
      await refreshNames(machine.files, directoryOf(to));
      if (await isThere(machine, to)) return true;
      await refreshNames(machine.files, directoryOf(from));
      if (await isThere(machine, from)) throw error;
      return false;
    }
  }

  async record(taken: Taken, outcome: RunRecord['outcome'], notes: RunNotes = {}): Promise<void> {
    const { machine, queue, worker } = this.#parts;
    try {
      await recordRun(machine, ownRoom(queue, 'log'), taken.id, {
        attempt: taken.attempt,
        outcome,
        ...notes,
        worker: worker.name,
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
    const plain = outcome === 'released' || (outcome === 'succeeded' && taken.attempt <= 1);
    const isGone = outcome === 'failed' && !this.#parts.keepFailed;
    const keep = !isGone && (!plain || this.#parts.keepSucceeded);
    await output?.end(keep);
    if (keep) await this.record(taken, outcome, notes);
  }
}
