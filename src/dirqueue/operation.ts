/**
 * Changes that an operator makes. A job in queue/ is locked first, as a worker does: so none starts it meanwhile, ours or
 * the original's. One that is elsewhere no worker looks at: its control file is renamed, and whose rename succeeds has it.
 *
 * | change  | steps                                                     | a crash after the first leaves       |
 * |---------|-----------------------------------------------------------|--------------------------------------|
 * | hold    | control file into intray/held/                            | it is held                           |
 * | release | and back                                                  | it waits                             |
 * | retry   | count of starts forgotten, control file into queue/       | the same, with all its starts again  |
 * | remove  | control file unlinked; data file, log, count              | data and log that belong to no job   |
 * | move    | added to the other queue, for good; removed from this one | it is in both, and runs twice        |
 */

import { toDate, toMs } from '../os/calendar.ts';
import { closeQuietly } from '../os/close-quietly.ts';
import type { Machine } from '../os/ports.ts';
import { readPieces } from '../os/transfer.ts';
import { QueueError } from '../queue/errors.ts';
import type { Operated, Operation } from '../queue/keeper.ts';
import { syncDirectory } from '../queue/publish.ts';
import { removeRuns } from '../queue/run-log.ts';
import { refuseSameQueue } from '../queue/same-queue.ts';
import type { FoundJob } from '../queue/snapshot.ts';
import { type Control, fromMetadata } from './control-file.ts';
import { DataFiles } from './data-file.ts';
import { openDirQueue } from './dirqueue.ts';
import { controlPath, hasFanout } from './fanout.ts';
import { parseJobId } from './job-id.ts';
import {
  directoryOf,
  ifThere,
  join,
  lockPath,
  makeOwnRooms,
  ownRoom,
  requireQueue,
  room,
  unlinkForSure,
  unlinkIfThere,
} from './layout.ts';
import { putLink } from './put.ts';
import { forgetStarts } from './starts.ts';
import { readControl } from './take.ts';
import { repairAll } from './upkeep.ts';
import { DEFAULT_LEASE_MS, enterQueue, type WorkerFile } from './worker-file.ts';

const DONE: Operated = { kind: 'done', lane: 'none' };
const GONE: Operated = { kind: 'gone' };
const UNCHANGED: Operated = { kind: 'unchanged' };

export async function operationOn(machine: Machine, queue: string): Promise<Operation> {
  await makeOwnRooms(machine, queue);
  const hand = new Hand(machine, queue, await enterQueue(machine, queue, DEFAULT_LEASE_MS));
  return {
    hold: async (job) => {
      if (job.place === 'waiting' && job.held) return UNCHANGED;
      if (job.place !== 'waiting') throw notPossible(queue, job, 'only a job that waits can be held');
      return hand.withJob(job, () => hand.move(job, join(ownRoom(queue, 'held'), job.id)));
    },
    release: async (job) => {
      if (job.place !== 'waiting' || !job.held) return UNCHANGED;
      return hand.withJob(job, () => hand.toQueue(job));
    },
    retry: async (job) => {
      if (job.place === 'running' || job.place === 'unreadable') throw running(queue, job);
      if (job.place === 'waiting' && job.standing.kind === 'ready') return UNCHANGED;
      return hand.withJob(job, async () => {
        await forgetStarts(machine, queue, job.id);
        return hand.toQueue(job);
      });
    },
    remove: async (job) => {
      if (job.place === 'running') throw running(queue, job);
      return hand.withJob(job, () => hand.remove(job));
    },
    move: async (job, target) => {
      if (job.place === 'running') throw running(queue, job);
      await requireQueue(machine, target);
      await refuseSameQueue(machine, target, room(queue, 'queue'), room(target, 'queue'));
      return hand.withJob(job, () => hand.moveTo(job, target));
    },
    repair: (findings) => repairAll(machine, queue, findings, (job, act) => hand.withJob(job, act)),
    close: () => hand.close(),
  };
}

/** What is enough to find a job and to lock it. */
export type Handled = Pick<FoundJob, 'id' | 'name' | 'path'>;

class Hand {
  readonly #machine: Machine;
  readonly #queue: string;
  readonly #worker: WorkerFile;
  readonly #data: DataFiles;
  /** Directories in which something has changed. */
  readonly #changed = new Set<string>();
  #beatenMs: number;

  constructor(machine: Machine, queue: string, worker: WorkerFile) {
    this.#machine = machine;
    this.#queue = queue;
    this.#worker = worker;
    this.#data = new DataFiles(machine, queue);
    this.#beatenMs = machine.clock.monotonicMs();
  }

  /** `gone` when somebody else has it. */
  async withJob(job: Handled, act: () => Promise<Operated>): Promise<Operated> {
    await this.#beat();
    if (!job.path.startsWith(`${room(this.#queue, 'queue')}/`)) return act();
    if (!(await putLink(this.#machine, this.#worker, lockPath(this.#queue, job.id)))) return GONE;
    try {
      return await act();
    } finally {
      await unlinkIfThere(this.#machine, lockPath(this.#queue, job.id));
      this.#changed.add(room(this.#queue, 'active'));
    }
  }

  async move({ path }: Handled, target: string): Promise<Operated> {
    const renamed = await ifThere(async () => {
      await this.#machine.files.rename(path, target);
      return true;
    }, false);
    if (!renamed) return GONE;
    this.#changed.add(directoryOf(path)).add(directoryOf(target));
    return DONE;
  }

  async toQueue(job: Handled): Promise<Operated> {
    const fanout = await hasFanout(this.#machine, this.#queue);
    const moved = await this.move(job, await controlPath(this.#machine, this.#queue, fanout, job.id));
    // Workers of the original look at its time.
    if (fanout) await this.#machine.files.touch(room(this.#queue, 'queue'));
    return moved;
  }

  async remove(job: FoundJob): Promise<Operated> {
    const control = await this.#controlOf(job);
    if (!(await unlinkForSure(this.#machine, job.path))) return GONE;
    await syncDirectory(this.#machine.files, directoryOf(job.path), job.path);
    const data = control === undefined ? undefined : await this.#data.removable(control);
    if (data !== undefined) await unlinkIfThere(this.#machine, data);
    await forgetStarts(this.#machine, this.#queue, job.id);
    await removeRuns(this.#machine, ownRoom(this.#queue, 'log'), job.id, Math.max(job.attempts, 1));
    return DONE;
  }

  async moveTo(job: FoundJob, target: string): Promise<Operated> {
    const control = await this.#controlOf(job);
    if (control === undefined) return GONE;
    const queue = await openDirQueue(this.#machine, target);
    const found = await this.#data.open(control);
    if (found.kind !== 'data') throw new QueueError('packet-damaged', `${job.path}: ${found.message}`);
    try {
      const { priority } = parseJobId(job.id);
      const { work, expiresMs, name } = fromMetadata(control.metadata);
      const { duplicate } = await queue.add({
        params: work.params,
        env: Object.fromEntries(work.env),
        payload: readPieces(this.#machine.files, found.data),
        ...(priority === undefined ? {} : { priority }),
        ...(job.notBeforeMs > toMs(this.#machine.clock.now()) ? { notBefore: toDate(job.notBeforeMs) } : {}),
        ...(expiresMs === undefined ? {} : { expires: toDate(expiresMs) }),
        ...(name === undefined ? {} : { name }),
      });
      if (duplicate) throw notPossible(this.#queue, job, `there is, or was, a job of its name in ${target}`);
    } finally {
      await closeQuietly(this.#machine.files, found.data);
    }
    return this.remove(job);
  }

  async close(): Promise<void> {
    let locksAreLeft = true;
    try {
      for (const directory of this.#changed) await syncDirectory(this.#machine.files, directory, directory);
      locksAreLeft = false;
    } finally {
      await this.#worker.leave({ locksAreLeft });
    }
  }

  async #controlOf({ path }: Handled): Promise<Control | undefined> {
    const control = await readControl(this.#machine, path);
    return control === undefined || 'damage' in control ? undefined : control;
  }

  /** An operator may be at it for long. */
  async #beat(): Promise<void> {
    const { clock } = this.#machine;
    if (clock.monotonicMs() - this.#beatenMs < this.#worker.beatEveryMs) return;
    this.#beatenMs = clock.monotonicMs();
    await this.#worker.beat();
  }
}

function running(queue: string, { id, place }: FoundJob): QueueError {
  if (place === 'running') return new QueueError('job-running', `${queue}: job ${id} is running`);
  return new QueueError('not-possible', `${queue}: job ${id} cannot be read`);
}

function notPossible(queue: string, { id }: FoundJob, why: string): QueueError {
  return new QueueError('not-possible', `${queue}: job ${id}: ${why}`);
}
