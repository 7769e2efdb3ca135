/** One look at a queue as it moves: what snapshot.ts puts snapshots together from. */

import { toMs } from '../../../os/calendar.ts';
import { hasErrno, type Machine } from '../../../os/ports.ts';
import type { Sequence } from '../../../packet/header.ts';
import type { Unreadable } from '../../../queue/contract.ts';
import { isQueueError } from '../../../queue/errors.ts';
import type { Litter, RunningJob } from '../../../queue/snapshot.ts';
import { QUEUE_LANE } from '../../../queue/words.ts';
import { jobsDirectory, join } from '../../layout.ts';
import type { Decoder } from '../../open-packet.ts';
import { headerReader, lookAt, type ReadHeader } from '../../queue-files.ts';
import { stemOf } from '../job-name.ts';
import { nextNumber } from '../lane-numbers.ts';
import { type Order, readSettings } from '../rooms.ts';
import { type Waiting, waitingByHeader, waitingByName } from '../waiting-job.ts';
import { JobsRoom } from './jobs-room.ts';
import { runningAs } from './snapshot-parts.ts';
import { type LaneState, type Standings, standingsOf } from './standing.ts';
import { type RoomWorker, seeWorkers } from './workers.ts';

export type Seen = {
  readonly order: Order;
  readonly standings: Standings;
  readonly lanes: ReadonlyMap<string, LaneState>;
  readonly running: readonly RunningJob[];
  readonly workers: readonly RoomWorker[];
  readonly unreadable: readonly Unreadable[];
  readonly litter: readonly Litter[];
  readonly damage: readonly string[];
};

/** Looks again and again at one queue. */
export class Looker {
  readonly #machine: Machine;
  readonly #queue: string;
  readonly #read: ReadHeader;
  readonly #jobs: JobsRoom;
  #order: Order = 'sequence';

  constructor(machine: Machine, queue: string, decoder: Decoder | undefined) {
    this.#machine = machine;
    this.#queue = queue;
    this.#read = headerReader(machine, decoder);
    this.#jobs = new JobsRoom(machine, queue, this.#read);
  }

  async look(): Promise<Seen> {
    const damage: string[] = [];
    this.#order = await this.#orElse(
      damage,
      async () => (await readSettings(this.#machine, this.#queue)).order,
      'sequence',
    );
    const nowMs = toMs(this.#machine.clock.now());
    const { jobs, unreadable, litter } = await this.#jobs.look(this.#order);
    const workers = await seeWorkers(this.#machine, this.#queue, nowMs);
    const running: RunningJob[] = [];
    for (const worker of workers)
      for (const name of worker.files) running.push(await this.#runningJob(worker, name));
    const taken = new Set(running.map(({ id }) => id));
    const waiting = taken.size === 0 ? jobs : jobs.filter(({ stem }) => !taken.has(stem));
    const lanes = await this.#lanesOf(waiting, running, damage);
    return {
      order: this.#order,
      standings: standingsOf(waiting, lanes, { nowMs, directory: jobsDirectory(this.#queue) }),
      lanes,
      running,
      workers,
      unreadable,
      litter,
      damage,
    };
  }

  async #runningJob(worker: RoomWorker, name: string): Promise<RunningJob> {
    const path = join(worker.path, name);
    const job = waitingByName(this.#order, name) ?? (await this.#readRunning(path, name));
    return runningAs(job, path, worker, await this.#claimedMs(path));
  }

  /** Its lane is too long for its name, or somebody put it there by hand. */
  async #readRunning(path: string, name: string): Promise<Waiting> {
    const look = await lookAt(this.#machine, path, 'file', this.#read);
    if (look.kind === 'job') return waitingByHeader(this.#order, name, look.header);
    return {
      name,
      priority: 0,
      addedMs: 0,
      notBeforeMs: 0,
      held: false,
      attempts: 0,
      seq: 0n as Sequence,
      lane: undefined,
      stem: stemOf(name),
    };
  }

  /** The rename that claimed it was the last change. */
  async #claimedMs(path: string): Promise<number | undefined> {
    try {
      return (await this.#machine.files.stat(path)).changedMs;
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ESTALE')) return undefined;
      throw error;
    }
  }

  async #lanesOf(
    waiting: readonly Waiting[],
    running: readonly RunningJob[],
    damage: string[],
  ): Promise<Map<string, LaneState>> {
    const numbers = new Map<string, Set<Sequence>>();
    if (this.#order === 'sequence') numbers.set(QUEUE_LANE, new Set());
    for (const { lane } of waiting)
      if (lane !== undefined && !numbers.has(lane)) numbers.set(lane, new Set());
    for (const { lane, seq } of running) {
      if (lane === undefined || seq === undefined) continue;
      numbers.set(lane, (numbers.get(lane) ?? new Set()).add(seq));
    }
    const lanes = new Map<string, LaneState>();
    for (const [lane, inHand] of numbers) {
      const next = await this.#orElse(damage, () => nextNumber(this.#machine, this.#queue, lane), undefined);
      lanes.set(lane, { next, running: inHand });
    }
    return lanes;
  }

  /** What is damaged is a finding, not an error. */
  async #orElse<T, U>(damage: string[], read: () => Promise<T>, otherwise: U): Promise<T | U> {
    try {
      return await read();
    } catch (error) {
      if (!isQueueError(error, 'settings-damaged', 'sequence-damaged')) throw error;
      damage.push(error.message);
      return otherwise;
    }
  }
}
