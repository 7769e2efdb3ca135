/**
 * Where each waiting job stands: whether it may start now, or what it waits for; and the order in which the jobs
 * would be started. Pure.
 */

import TinyQueue from 'tinyqueue';
import { following, type Sequence } from '../../../packet/header.ts';
import type { Standing, WaitingJob } from '../../../queue/snapshot.ts';
import { join } from '../../layout.ts';
import { byService, type Waiting } from '../waiting-job.ts';

export type Standings = {
  /** In the order in which they would be started, those that cannot be last. */
  readonly jobs: readonly StandingJob[];
  readonly gaps: ReadonlyMap<string, { readonly missing: Sequence; readonly waiting: number }>;
};

/** Of a job here more is known than everywhere. */
export type StandingJob = WaitingJob & Pick<Waiting, 'priority' | 'addedMs' | 'seq'>;

/** What is known of a lane besides the jobs that wait in it. */
export type LaneState = {
  /** Undefined when its file is damaged. */
  readonly next: Sequence | undefined;
  /** Numbers of its jobs that run. */
  readonly running: ReadonlySet<Sequence>;
};

/** When, and the directory in which the jobs are. */
export type Moment = { readonly nowMs: number; readonly directory: string };

export function standingsOf(
  jobs: readonly Waiting[],
  lanes: ReadonlyMap<string, LaneState>,
  { directory, nowMs }: Moment,
): Standings {
  const order = new ServiceOrder(directory, nowMs);
  for (const job of jobs) if (job.lane === undefined) order.addFree(job);
  for (const [name, all] of byLane(jobs)) order.addLane(name, all, lanes.get(name));
  return { jobs: order.jobs(), gaps: order.gaps };
}

/** A job that may start, and those of its lane that follow it: it is the one at `at`. */
type Start = { readonly job: StandingJob; readonly lane: readonly Waiting[]; readonly at: number };

/** A job that may not start, and those of its lane that wait with it. */
type Stop = { readonly job: StandingJob; readonly rest: readonly StandingJob[] };

class ServiceOrder {
  readonly gaps = new Map<string, { readonly missing: Sequence; readonly waiting: number }>();
  readonly #directory: string;
  readonly #nowMs: number;
  /** Jobs of no lane that may start. */
  readonly #free: StandingJob[] = [];
  /** The same of lanes, one of each. */
  readonly #starts: Start[] = [];
  readonly #stops: Stop[] = [];
  readonly #last: StandingJob[] = [];

  constructor(directory: string, nowMs: number) {
    this.#directory = directory;
    this.#nowMs = nowMs;
  }

  addFree(job: Waiting): void {
    const standing = ownStanding(job, this.#nowMs);
    if (standing.kind === 'ready') this.#free.push(this.#seen(job, standing));
    else this.#stops.push({ job: this.#seen(job, standing), rest: [] });
  }

  /** `all` by number. */
  addLane(name: string, all: readonly Waiting[], state: LaneState | undefined): void {
    const next = state?.next;
    if (next === undefined) {
      this.#addLast(all, { kind: 'stuck' });
      return;
    }
    this.#addLast(
      all.filter(({ seq }) => seq < next),
      { kind: 'past', next },
    );
    const isRunning = state?.running.has(next) === true;
    const present: Waiting[] = [];
    for (const job of all) {
      if (job.seq < next) continue;
      const double = present[present.length - 1]?.seq === job.seq || (isRunning && job.seq === next);
      if (double) this.#addLast([job], { kind: 'duplicate', seq: job.seq });
      else present.push(job);
    }
    const [head] = present;
    if (head === undefined) return;
    if (isRunning) {
      // As if what runs were over: its successor is served with the others.
      this.#offer(present, 0, following(next), { kind: 'behind', seq: next, running: true });
    } else if (head.seq === next) {
      const standing = ownStanding(head, this.#nowMs);
      if (standing.kind === 'ready')
        this.#starts.push({ job: this.#seen(head, standing), lane: present, at: 0 });
      else this.#stop(present, 0, standing, { kind: 'behind', seq: next, running: false });
    } else {
      this.gaps.set(name, { missing: next, waiting: present.length });
      this.#stop(present, 0, { kind: 'gap', missing: next }, { kind: 'gap', missing: next });
    }
  }

  jobs(): StandingJob[] {
    const ordered: StandingJob[] = [];
    const heap = new TinyQueue(this.#starts, (a, b) => byService(a.job, b.job));
    // Sorted once, and then merged: of 100,000 free jobs in a heap each would be compared with many.
    for (const free of this.#free.sort(byService)) {
      for (
        let start = heap.peek();
        start !== undefined && byService(start.job, free) < 0;
        start = heap.peek()
      ) {
        ordered.push(this.#takeFirst(heap));
      }
      ordered.push(free);
    }
    while (heap.length > 0) ordered.push(this.#takeFirst(heap));
    this.#stops.sort((a, b) => rank(a.job) - rank(b.job) || byService(a.job, b.job));
    for (const { job, rest } of this.#stops) {
      ordered.push(job);
      for (const one of rest) ordered.push(one);
    }
    for (const one of this.#last) ordered.push(one);
    return ordered;
  }

  /** The first that may start; the next of its lane takes its place. */
  #takeFirst(heap: TinyQueue<Start>): StandingJob {
    const { job, lane, at } = heap.pop() as Start;
    const { standing } = job;
    const behind =
      standing.kind === 'behind' ? standing : ({ kind: 'behind', seq: job.seq, running: false } as const);
    const next = this.#offered(lane, at + 1, following(job.seq), behind);
    if (next !== undefined) heap.push(next);
    return job;
  }

  #offer(jobs: readonly Waiting[], at: number, expected: Sequence, behind: Standing): void {
    const start = this.#offered(jobs, at, expected, behind);
    if (start !== undefined) this.#starts.push(start);
  }

  /** The lane's next job, if it could start after the one before it; else it and all after it are stopped. */
  #offered(jobs: readonly Waiting[], at: number, expected: Sequence, behind: Standing): Start | undefined {
    const job = jobs[at];
    if (job === undefined) return undefined;
    if (job.seq === expected && ownStanding(job, this.#nowMs).kind === 'ready') {
      return { job: this.#seen(job, behind), lane: jobs, at };
    }
    this.#stop(jobs, at, job.held ? { kind: 'held' } : behind, behind);
    return undefined;
  }

  #stop(jobs: readonly Waiting[], at: number, standing: Standing, rest: Standing): void {
    const job = jobs[at] as Waiting;
    this.#stops.push({
      job: this.#seen(job, standing),
      rest: jobs.slice(at + 1).map((one) => this.#seen(one, one.held ? { kind: 'held' } : rest)),
    });
  }

  #addLast(jobs: readonly Waiting[], standing: Standing): void {
    for (const job of jobs) this.#last.push(this.#seen(job, standing));
  }

  #seen(job: Waiting, standing: Standing): StandingJob {
    const { name, stem, lane, seq, priority, addedMs, notBeforeMs, attempts, held } = job;
    const path = join(this.#directory, name);
    // One object for each of perhaps 100,000 jobs.
    return {
      place: 'waiting',
      id: stem,
      name,
      path,
      lane,
      seq,
      priority,
      addedMs,
      notBeforeMs,
      attempts,
      held,
      standing,
    };
  }
}

function ownStanding(job: Waiting, nowMs: number): Standing {
  if (job.held) return { kind: 'held' };
  return job.notBeforeMs > nowMs ? { kind: 'delayed', untilMs: job.notBeforeMs } : { kind: 'ready' };
}

const LATER: readonly Standing['kind'][] = ['behind', 'delayed', 'gap', 'held'];

/** Those with a time by that, before those that wait for a person. */
function rank({ standing }: { readonly standing: Standing }): number {
  return standing.kind === 'delayed'
    ? standing.untilMs
    : Number.MAX_SAFE_INTEGER - 9 + LATER.indexOf(standing.kind);
}

function byLane(jobs: readonly Waiting[]): Map<string, Waiting[]> {
  const lanes = new Map<string, Waiting[]>();
  for (const job of jobs) {
    if (job.lane === undefined) continue;
    const lane = lanes.get(job.lane);
    if (lane === undefined) lanes.set(job.lane, [job]);
    else lane.push(job);
  }
  for (const lane of lanes.values()) lane.sort(byNumber);
  return lanes;
}

function byNumber(a: Waiting, b: Waiting): number {
  return a.seq < b.seq ? -1 : a.seq > b.seq ? 1 : a.name < b.name ? -1 : 1;
}
