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

import { toMs } from '../../../os/calendar.ts';
import { entriesOf, isThere } from '../../../os/if-there.ts';
import type { Machine } from '../../../os/ports.ts';
import { countsOf, oldestOf } from '../../../queue/counts.ts';
import type { QueueSnapshot, Standing, WaitingJob } from '../../../queue/snapshot.ts';
import { isJobName, nextSequencePath } from '../../layout.ts';
import type { Decoder } from '../../open-packet.ts';
import { requireQueue } from '../../queue-files.ts';
import { hasRooms, isPaused, room } from '../rooms.ts';
import { readRuns } from '../run-log.ts';
import { Looker, type Seen } from './looker.ts';
import { lanesOf, listStored } from './snapshot-parts.ts';
import { worksAlone } from './workers.ts';

export type SnapshotOptions = { readonly decoder?: Decoder | undefined };

/** Throws `not-a-queue`. */
export function takeSnapshot(
  machine: Machine,
  queue: string,
  options: SnapshotOptions = {},
): Promise<QueueSnapshot> {
  return new Snapshots(machine, queue, options).take();
}

/** One picture after the other, each from what was known before and what has changed since. */
export class Snapshots {
  readonly #machine: Machine;
  readonly #queue: string;
  readonly #looker: Looker;
  /** Of the last look, whenever that was. */
  #doubts = '';
  #last: Promise<unknown> = Promise.resolve();

  constructor(machine: Machine, queue: string, options: SnapshotOptions = {}) {
    this.#machine = machine;
    this.#queue = queue;
    this.#looker = new Looker(machine, queue, options.decoder);
  }

  /** Throws `not-a-queue`. What is asked for meanwhile is taken after it, not from it. */
  take(): Promise<QueueSnapshot> {
    const taken = this.#last.then(() => this.#take());
    this.#last = taken.catch(() => {});
    return taken;
  }

  async #take(): Promise<QueueSnapshot> {
    await requireQueue(this.#machine, this.#queue);
    let { seen, isSettled } = await this.#look();
    for (let again = 0; again < LOOKS_AGAIN && !isSettled; again++)
      ({ seen, isSettled } = await this.#look());
    return complete(this.#machine, this.#queue, seen, isSettled);
  }

  /** Settled: what may only seem so was seen by the look before too. */
  async #look(): Promise<{ readonly seen: Seen; readonly isSettled: boolean }> {
    const seen = await this.#looker.look();
    const doubts = doubtsOf(seen);
    const isSettled = doubts === '' || doubts === this.#doubts;
    this.#doubts = doubts;
    return { seen, isSettled };
  }
}

const LOOKS_AGAIN = 3;

const READY: Standing = { kind: 'ready' };

/** What may only seem so. */
function doubtsOf({ standings }: Seen): string {
  const gaps = [...standings.gaps].map(([lane, { missing }]) => `${lane}/${missing}`);
  const past = standings.jobs.filter(({ standing }) => standing.kind === 'past').map(({ name }) => name);
  return [...gaps.sort(), ...past.sort()].join('\n');
}

async function complete(
  machine: Machine,
  queue: string,
  seen: Seen,
  settled: boolean,
): Promise<QueueSnapshot> {
  const { order, standings, running, workers, unreadable, litter, damage } = seen;
  const failed = await listStored(machine, queue, 'failed');
  const done = (await entriesOf(machine, room(queue, 'done'))).filter(({ name }) => isJobName(name));
  const home = await hasRooms(machine, queue);
  const canWork = home || (await isThere(machine, `${nextSequencePath(queue)}.lock`));
  // Where nobody runs jobs there is no number to wait for.
  const waiting = canWork
    ? await withFailures(machine, queue, standings.jobs)
    : standings.jobs.map((job) => ({ ...job, standing: READY }));
  return {
    queue,
    layout: 'filespooler',
    takenMs: toMs(machine.clock.now()),
    kind: home ? 'home' : canWork ? 'filespooler' : 'append-only',
    order,
    paused: await isPaused(machine, queue),
    waiting,
    running,
    failed,
    unreadable,
    lanes: canWork ? lanesOf(seen) : [],
    workers,
    alone: await worksAlone(machine, queue),
    litter,
    damage,
    counts: countsOf({ waiting, running, failed, unreadable }, done.length),
    settled,
    oldestMs: oldestOf(waiting),
  };
}

/** Of a held job, whether it is held because it has failed. */
async function withFailures(
  machine: Machine,
  queue: string,
  jobs: readonly WaitingJob[],
): Promise<WaitingJob[]> {
  const all: WaitingJob[] = [];
  for (const job of jobs) {
    const run = job.standing.kind === 'held' ? (await readRuns(machine, queue, job.id)).at(-1) : undefined;
    all.push(run?.outcome === 'failed' ? { ...job, standing: { kind: 'held', failed: run } } : job);
  }
  return all;
}
