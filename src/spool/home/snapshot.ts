/**
 * Everything about a queue at one moment, for people and programs that look and do not touch. It takes no lock that
 * anybody needs, changes nothing, and never fails because the queue is being worked.
 *
 * The queue moves while we read it. We look in the direction in which jobs go: jobs/, then the workers' rooms, then the
 * numbers. What is found twice was claimed meanwhile; only a job that went back, from a room to jobs/, can be
 * missed, and its number then looks like a gap:
 *
 *     we                      a worker
 *     --                      --------
 *     list jobs/: 8, 9
 *                             work/W/7 -> jobs/7, to be tried again later
 *     list work/: nothing
 *     the lane waits for 7: a gap?
 *
 * So a gap is believed, and so is a number that is past, only when a second look finds it again.
 */

import { toMs } from '../../os/calendar.ts';
import { type DirectoryEntry, hasErrno, type Machine } from '../../os/ports.ts';
import type { Sequence } from '../../packet/header.ts';
import type { Unreadable } from '../../queue/contract.ts';
import { isQueueError } from '../../queue/errors.ts';
import { isJobName, jobsDirectory, join, nextSequencePath } from '../layout.ts';
import type { Decoder } from '../open-packet.ts';
import { headerReader, lookAt, type ReadHeader, requireQueue } from '../queue-files.ts';
import { stemOf } from './job-name.ts';
import { nextNumber } from './lane-numbers.ts';
import { waitingByHeader, waitingByName } from './look.ts';
import { hasRooms, isPaused, type Order, QUEUE_LANE, readSettings, room } from './rooms.ts';
import { readRuns } from './run-log.ts';
import {
  countsOf,
  isTemporary,
  type Litter,
  lanesOf,
  listStored,
  oldestOf,
  type QueueSnapshot,
  type RunningJob,
} from './snapshot-parts.ts';
import { type LaneState, type Standing, type StandingJob, type Standings, standingsOf } from './standing.ts';
import type { Waiting } from './waiting.ts';
import { entriesOf } from './worker-room.ts';
import { type SeenWorker, seeWorkers, worksAlone } from './workers.ts';

export type SnapshotOptions = { readonly decoder?: Decoder | undefined };

/** Throws `not-a-queue`. */
export async function takeSnapshot(
  machine: Machine,
  queue: string,
  options: SnapshotOptions = {},
): Promise<QueueSnapshot> {
  await requireQueue(machine, queue);
  const looker = new Looker(machine, queue, options);
  let seen = await looker.look();
  let settled = doubtsOf(seen) === '';
  for (let again = 0; again < LOOKS_AGAIN && !settled; again++) {
    const before = doubtsOf(seen);
    seen = await looker.look();
    settled = doubtsOf(seen) === '' || doubtsOf(seen) === before;
  }
  return looker.complete(seen, settled);
}

const LOOKS_AGAIN = 3;

const READY: Standing = { kind: 'ready' };

type Seen = {
  readonly standings: Standings;
  readonly lanes: ReadonlyMap<string, LaneState>;
  readonly running: readonly RunningJob[];
  readonly workers: readonly SeenWorker[];
  readonly unreadable: readonly Unreadable[];
  readonly litter: readonly Litter[];
  readonly damage: readonly string[];
};

/** What may only seem so. */
function doubtsOf({ standings }: Seen): string {
  const gaps = [...standings.gaps].map(([lane, { missing }]) => `${lane}/${missing}`);
  const past = standings.jobs.filter(({ standing }) => standing.kind === 'past').map(({ name }) => name);
  return [...gaps.sort(), ...past.sort()].join('\n');
}

class Looker {
  readonly #machine: Machine;
  readonly #queue: string;
  readonly #read: ReadHeader;
  /** By name: what was read once is not read again. */
  readonly #known = new Map<string, Waiting>();
  #order: Order = 'sequence';

  constructor(machine: Machine, queue: string, { decoder }: SnapshotOptions) {
    this.#machine = machine;
    this.#queue = queue;
    this.#read = headerReader(machine, decoder);
  }

  async look(): Promise<Seen> {
    const damage: string[] = [];
    this.#order = await this.#orElse(
      damage,
      async () => (await readSettings(this.#machine, this.#queue)).order,
      'sequence',
    );
    const nowMs = toMs(this.#machine.clock.now());
    const unreadable: Unreadable[] = [];
    const litter: Litter[] = [];
    const jobs: Waiting[] = [];
    for (const entry of await this.#machine.files.readdir(jobsDirectory(this.#queue))) {
      const job = await this.#jobAt(entry, unreadable, litter);
      if (job !== undefined) jobs.push(job);
    }
    const workers = await seeWorkers(this.#machine, this.#queue, nowMs);
    const running: RunningJob[] = [];
    for (const worker of workers)
      for (const name of worker.jobs) running.push(await this.#runningJob(worker, name));
    const taken = new Set(running.map(({ stem }) => stem));
    const waiting = taken.size === 0 ? jobs : jobs.filter(({ stem }) => !taken.has(stem));
    const lanes = await this.#lanesOf(waiting, running, damage);
    return {
      standings: standingsOf(waiting, lanes, nowMs),
      lanes,
      running,
      workers,
      unreadable,
      litter,
      damage,
    };
  }

  async complete(seen: Seen, settled: boolean): Promise<QueueSnapshot> {
    const { standings, running, workers, unreadable, litter, damage } = seen;
    const machine = this.#machine;
    const failed = await listStored(machine, this.#queue, 'failed');
    const done = (await entriesOf(machine, room(this.#queue, 'done'))).filter(({ name }) => isJobName(name));
    const home = await hasRooms(machine, this.#queue);
    const canWork = home || (await this.#isThere(`${nextSequencePath(this.#queue)}.lock`));
    // Where nobody runs jobs there is no number to wait for.
    const waiting = canWork
      ? await this.#withFailures(standings.jobs)
      : standings.jobs.map((job) => ({ ...job, standing: READY }));
    return {
      queue: this.#queue,
      takenMs: toMs(machine.clock.now()),
      kind: home ? 'home' : canWork ? 'filespooler' : 'append-only',
      order: this.#order,
      paused: await isPaused(machine, this.#queue),
      waiting,
      running,
      failed,
      unreadable,
      lanes: canWork ? lanesOf(seen) : [],
      workers,
      alone: await worksAlone(machine, this.#queue),
      litter,
      damage,
      counts: {
        ...countsOf(waiting),
        running: running.length,
        failed: failed.length,
        done: done.length,
        unreadable: unreadable.length,
      },
      settled,
      oldestMs: oldestOf(waiting),
    };
  }

  async #jobAt(
    { name, kind }: DirectoryEntry,
    unreadable: Unreadable[],
    litter: Litter[],
  ): Promise<Waiting | undefined> {
    const path = join(jobsDirectory(this.#queue), name);
    if (!isJobName(name)) {
      litter.push({ path, kind: isTemporary(name) ? 'temporary' : 'other' });
      return undefined;
    }
    const said = kind === 'file' ? (this.#known.get(name) ?? waitingByName(this.#order, name)) : undefined;
    if (said !== undefined) return said;
    const look = await lookAt(this.#machine, path, kind, this.#read);
    if (look.kind === 'unreadable') unreadable.push({ path, message: look.file.message });
    if (look.kind !== 'job') return undefined;
    const job = waitingByHeader(this.#order, name, look.header);
    this.#known.set(name, job);
    return job;
  }

  async #runningJob(worker: SeenWorker, name: string): Promise<RunningJob> {
    const path = join(worker.path, name);
    const job = waitingByName(this.#order, name) ?? (await this.#readRunning(path, name));
    return { ...job, path, worker, sinceMs: await this.#claimedMs(path) };
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
      if (lane === undefined) continue;
      numbers.set(lane, (numbers.get(lane) ?? new Set()).add(seq));
    }
    const lanes = new Map<string, LaneState>();
    for (const [lane, inHand] of numbers) {
      const next = await this.#orElse(damage, () => nextNumber(this.#machine, this.#queue, lane), undefined);
      lanes.set(lane, { next, running: inHand });
    }
    return lanes;
  }

  /** Of a held job, whether it is held because it has failed. */
  async #withFailures(jobs: readonly StandingJob[]): Promise<StandingJob[]> {
    const all: StandingJob[] = [];
    for (const job of jobs) {
      const run =
        job.standing.kind === 'held'
          ? (await readRuns(this.#machine, this.#queue, job.stem)).at(-1)
          : undefined;
      all.push(run?.outcome === 'failed' ? { ...job, standing: { kind: 'held', failed: run } } : job);
    }
    return all;
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

  async #isThere(path: string): Promise<boolean> {
    try {
      await this.#machine.files.stat(path);
      return true;
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return false;
      throw error;
    }
  }
}
