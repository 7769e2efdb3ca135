/**
 * The waiting jobs of a queue, best first, kept from one look to the next: claiming one of a million does not list
 * a million again.
 *
 *     seen ----> free job    ----> delayed (not before ...) ----> ready ----> taken
 *                job of a lane --> its lane, by number ---------> ready       (or `drop`ped: it is not there any more)
 *                                  the head, when its turn is
 *
 * Of each lane at most one job is ready: the head, when its number is the lane's next. The index knows names only;
 * whether a job is still there, the rename that claims it says.
 */

import TinyQueue from 'tinyqueue';
import type { Sequence } from '../../../packet/header.ts';
import { byNumber, byService, type Waiting } from '../waiting-job.ts';

/** Why a lane does not move. */
export type LaneStop =
  | { readonly kind: 'gap'; readonly missing: Sequence; readonly next: Sequence; readonly waiting: number }
  | { readonly kind: 'held'; readonly job: Waiting; readonly waiting: number };

type Lane = {
  /** The number it waits for. */
  next: Sequence;
  jobs: TinyQueue<Waiting>;
  /** The head that is in the ready or the delayed jobs, or taken. */
  offered: Waiting | undefined;
  /** There may be jobs of it whose number is past: they wait for nothing, unless the lane is set back. */
  hasPast: boolean;
};

export class WaitingJobs {
  readonly #known = new Map<string, Waiting>();
  #ready = new TinyQueue<Waiting>([], byService);
  #delayed = new TinyQueue<Waiting>([], byTime);
  readonly #lanes = new Map<string, Lane>();
  /** Those of which something has changed since heads were last offered. */
  readonly #changed = new Set<Lane>();
  /** Names added since the listing that is under way was begun, which may not have them. */
  #sinceListing: Set<string> | undefined;

  get size(): number {
    return this.#known.size;
  }

  has(name: string): boolean {
    return this.#known.has(name);
  }

  hasLane(lane: string): boolean {
    return this.#lanes.has(lane);
  }

  /** Adds many free jobs at once, or few of any kind; a lane has to be opened before. */
  add(jobs: readonly Waiting[], nowMs: number): void {
    const ready: Waiting[] = [];
    for (const job of jobs) {
      if (this.#known.has(job.name)) continue;
      this.#known.set(job.name, job);
      this.#sinceListing?.add(job.name);
      if (job.lane !== undefined) {
        const lane = this.#laneOf(job.lane);
        lane.jobs.push(job);
        this.#changed.add(lane);
      } else if (job.held) continue;
      else if (job.notBeforeMs > nowMs) this.#delayed.push(job);
      else ready.push(job);
    }
    if (ready.length > this.#ready.length) {
      this.#ready = new TinyQueue([...this.#ready.data, ...ready], byService);
    } else for (const job of ready) this.#ready.push(job);
  }

  /** Says which number a lane waits for, and offers its head if that is it. */
  setNext(lane: string, next: Sequence): void {
    const found = this.#lanes.get(lane);
    if (found === undefined) {
      this.#lanes.set(lane, {
        next,
        jobs: new TinyQueue<Waiting>([], byNumber),
        offered: undefined,
        hasPast: false,
      });
    } else if (found.next !== next) {
      // Back: by hand, or because 0 follows the last number. Then what was past may come again.
      if (next < found.next) this.#refill(lane, found);
      found.next = next;
      this.#changed.add(found);
    }
  }

  nextOf(lane: string): Sequence | undefined {
    return this.#lanes.get(lane)?.next;
  }

  /** Moves what may start by now to the ready jobs, and offers the heads of lanes. */
  offer(nowMs: number): void {
    for (const lane of this.#changed) this.#offerHead(lane, nowMs);
    this.#changed.clear();
    for (;;) {
      const first = this.#delayed.peek();
      if (first === undefined || first.notBeforeMs > nowMs) return;
      this.#delayed.pop();
      if (this.#known.get(first.name) === first) this.#ready.push(first);
    }
  }

  /** The best ready job. */
  best(): Waiting | undefined {
    for (;;) {
      const job = this.#ready.peek();
      if (job === undefined || this.#known.get(job.name) === job) return job;
      this.#ready.pop(); // dropped meanwhile
    }
  }

  /** Takes it out. A lane whose head was taken waits until that was returned or dropped. */
  take(): Waiting | undefined {
    const job = this.best();
    if (job === undefined) return undefined;
    this.#ready.pop();
    this.#known.delete(job.name);
    return job;
  }

  /** The job of that name is not there any more. */
  drop(name: string): void {
    const job = this.#known.get(name);
    if (job === undefined) return;
    this.#known.delete(name);
    if (job.lane === undefined) return;
    const lane = this.#lanes.get(job.lane);
    if (lane === undefined) return;
    if (lane.offered === job) lane.offered = undefined;
    this.#changed.add(lane);
  }

  /** What was taken from the lane is over or back: its next head may be offered. */
  freeLane(name: string): void {
    const lane = this.#lanes.get(name);
    if (lane === undefined) return;
    lane.offered = undefined;
    this.#changed.add(lane);
  }

  /** To be called before the directory is listed for `endListing`. */
  beginListing(): void {
    this.#sinceListing = new Set();
  }

  /** Forgets every job that is not among these names, which were all that were there. */
  endListing(names: ReadonlySet<string>): void {
    const since = this.#sinceListing;
    this.#sinceListing = undefined;
    for (const name of [...this.#known.keys()]) {
      if (!names.has(name) && !since?.has(name)) this.drop(name);
    }
    for (const lane of this.#lanes.values()) this.#cleanHead(lane);
    const withPast = this.#lanesWithPast();
    for (const [name, lane] of this.#lanes) {
      lane.hasPast = withPast.has(name);
      if (lane.jobs.length === 0 && lane.offered === undefined && !lane.hasPast) this.#lanes.delete(name);
    }
  }

  /** When the first of the jobs that may not start yet may: ms since 1970. */
  nextStartMs(): number | undefined {
    for (;;) {
      const first = this.#delayed.peek();
      if (first === undefined) return undefined;
      if (this.#known.get(first.name) === first) return first.notBeforeMs;
      this.#delayed.pop();
    }
  }

  heldFree(): number {
    let held = 0;
    for (const job of this.#known.values()) if (job.held && job.lane === undefined) held += 1;
    return held;
  }

  /** Whether jobs wait behind the one of that lane that was taken. */
  isBehind(lane: string | undefined): boolean {
    const found = lane === undefined ? undefined : this.#lanes.get(lane);
    if (found === undefined) return false;
    this.#cleanHead(found);
    return found.jobs.length > 0;
  }

  /** The lanes whose head is not the number they wait for, or is held. */
  stops(): Map<string, LaneStop> {
    const stops = new Map<string, LaneStop>();
    for (const [name, lane] of this.#lanes) {
      if (lane.offered !== undefined) continue;
      this.#cleanHead(lane);
      const head = lane.jobs.peek();
      if (head === undefined) continue;
      const waiting = this.#countOf(lane);
      if (head.seq > lane.next) stops.set(name, { kind: 'gap', missing: lane.next, next: head.seq, waiting });
      else if (head.held) stops.set(name, { kind: 'held', job: head, waiting });
    }
    return stops;
  }

  /** Lanes with jobs that wait for a number or whose number is past: theirs may be another one by now. */
  lanesInDoubt(): ReadonlySet<string> {
    return new Set([...this.stops().keys(), ...this.#lanesWithPast()]);
  }

  #lanesWithPast(): ReadonlySet<string> {
    const lanes = new Set<string>();
    if (![...this.#lanes.values()].some(({ hasPast }) => hasPast)) return lanes;
    for (const { lane, seq } of this.#known.values()) {
      if (lane !== undefined && seq < (this.nextOf(lane) ?? 0n)) lanes.add(lane);
    }
    return lanes;
  }

  #laneOf(name: string): Lane {
    const lane = this.#lanes.get(name);
    if (lane === undefined) throw new Error(`lane ${name} was not opened`);
    return lane;
  }

  #refill(name: string, lane: Lane): void {
    const jobs = [...this.#known.values()].filter((job) => job.lane === name && job !== lane.offered);
    lane.jobs = new TinyQueue(jobs, byNumber);
  }

  #offerHead(lane: Lane, nowMs: number): void {
    if (lane.offered !== undefined) return;
    this.#cleanHead(lane);
    const head = lane.jobs.peek();
    if (head === undefined || head.seq !== lane.next || head.held) return;
    lane.offered = head;
    lane.jobs.pop();
    if (head.notBeforeMs > nowMs) this.#delayed.push(head);
    else this.#ready.push(head);
  }

  /** Jobs that are gone stay in the lane until they come to be its head. */
  #countOf(lane: Lane): number {
    return lane.jobs.data.filter((job) => this.#known.get(job.name) === job).length;
  }

  /** Takes away heads that are gone, or past. */
  #cleanHead(lane: Lane): void {
    for (;;) {
      const head = lane.jobs.peek();
      if (head === undefined) return;
      const known = this.#known.get(head.name) === head;
      if (known && head.seq >= lane.next) return;
      if (known) lane.hasPast = true;
      lane.jobs.pop();
    }
  }
}

function byTime(a: Waiting, b: Waiting): number {
  return a.notBeforeMs - b.notBeforeMs || byService(a, b);
}
