/**
 * What has happened to the jobs of one queue, as somebody outside of the machine saw it, and the promises it is
 * checked against, whatever the layout.
 *
 * A job: adding -> accepted   the add returned: from now on it must run, and never be lost
 *               -> rejected   the add failed and nothing was queued: it must never run
 *               -> doubtful   the add died on the way, or said that it does not know: it may run or not
 *
 * A job that was accepted at level crash-safe is doubtful after a power cut. Each job is in a lane, whose order it keeps,
 * or in none, where jobs run in any order and beside each other.
 *
 * | promise  | checked when                                                                                 |
 * |----------|----------------------------------------------------------------------------------------------|
 * | whole    | a run starts: what it reads is exactly what some add was given                               |
 * | single   | a run starts: no other run of this job, nor of its lane, is alive                            |
 * | once     | a worker asks for a job: it gets none of which the queue had said before that it is over     |
 * | late     | a run starts: the same; a worker that was stopped between the two does not know              |
 * | order    | a run starts: all accepted before it in its lane are done, nothing behind it there has started |
 * | terms    | a run starts: the job has not expired, and it may start by now                                |
 * | places   | an add returns: its place in its lane is its own, and behind all accepted before it began    |
 * | kept     | the queue is drained: each accepted job has run to its end, or was put away where that is right |
 * | created  | all is over: a queue whose creation was reported is there                                    |
 * | gaps     | a lane waits for a place: it is not that of a job that was accepted or is over, and some add   |
 * |          | broke off, which explains it                                                                 |
 */

import type { Which } from './layouts/layout.ts';

export type Payload = string;

export type Violation = { readonly promise: string; readonly message: string };

type Fate = 'adding' | 'accepted' | 'rejected' | 'doubtful';

type Job = {
  readonly payload: Payload;
  readonly lane: string | undefined;
  readonly fate: Fate;
  readonly place: bigint | undefined;
  /** The highest place of its lane that was accepted when this add began. */
  readonly behind: bigint;
  readonly survivesPower: boolean;
  /** It must not run, and is put away. */
  readonly isVain: boolean;
  /** A run of it has succeeded, or has failed where the queue's policy is to go on. */
  readonly done: boolean;
  /** The queue has said that it is over; since this version of the history. */
  readonly over: boolean;
  readonly overSince?: number;
};

/** Free jobs are claimed by one rename each, whatever becomes of locks: what is not promised then is about lanes. */
const ABOUT_LANES: ReadonlySet<string> = new Set(['once', 'order', 'gaps']);

export class History {
  readonly violations: Violation[] = [];
  readonly #jobs = new Map<Payload, Job>();
  /** Runs that are alive, and their job. */
  readonly #live = new Map<number, Payload>();
  /** By lane. */
  readonly #highestStarted = new Map<string, bigint>();
  /** Places that a lane waited for, with reason, and that were stepped over. */
  readonly #gaps = new Map<string, Set<bigint>>();
  #runs = 0;
  /** Goes up with each event. */
  version = 0;
  /** The queue's creation has been reported; true also where it is none of our business. */
  created = true;
  /** Promises that are not made here, because a condition does not hold. */
  readonly #notMade: ReadonlySet<string>;

  constructor(notMade: Iterable<string> = []) {
    this.#notMade = new Set(notMade);
  }

  /** The same with fewer promises. */
  promisingLess(notMade: Iterable<string>): History {
    const copy = this.afterCrash(false, notMade);
    for (const [payload, job] of this.#jobs) copy.#jobs.set(payload, job);
    return copy;
  }

  /** As it stands when all processes die at once, and the power may go too. */
  afterCrash(powerCut = true, notMade: Iterable<string> = this.#notMade): History {
    const copy = new History(notMade);
    for (const [payload, job] of this.#jobs) {
      const lost = job.fate === 'adding' || (job.fate === 'accepted' && powerCut && !job.survivesPower);
      copy.#jobs.set(payload, { ...job, fate: lost ? 'doubtful' : job.fate });
    }
    copy.created = this.created;
    copy.violations.push(...this.violations);
    for (const [lane, place] of this.#highestStarted) copy.#highestStarted.set(lane, place);
    for (const [lane, gaps] of this.#gaps) copy.#gaps.set(lane, new Set(gaps));
    return copy;
  }

  /** Equal for histories that demand the same of what comes. */
  get key(): string {
    const jobs = Array.from(this.#jobs.values(), (job) =>
      [job.payload, job.fate, job.place, job.behind, job.done, job.over].join(','),
    );
    const gaps = Array.from(this.#gaps, ([lane, places]) => `${lane}:${[...places]}`);
    return `${this.created}|${jobs.join(';')}|${[...this.#highestStarted]}|${gaps}|${[...this.#live.values()]}`;
  }

  get runs(): number {
    return this.#runs;
  }

  /** How many jobs were to be added. */
  get jobs(): number {
    return this.#jobs.size;
  }

  get accepted(): Payload[] {
    return [...this.#jobs.values()].filter(({ fate }) => fate === 'accepted').map(({ payload }) => payload);
  }

  isAccepted(payload: Payload): boolean {
    return this.#jobs.get(payload)?.fate === 'accepted';
  }

  /** Somebody is adding it, and does not know yet what comes of it. */
  isBeingAdded(payload: Payload): boolean {
    return this.#jobs.get(payload)?.fate === 'adding';
  }

  /** How many runs are alive. */
  get alive(): number {
    return this.#live.size;
  }

  addBegins(payload: Payload, lane: string | undefined, survivesPower = true, isVain = false): void {
    let behind = -1n;
    for (const job of this.#jobs.values()) {
      if (job.fate !== 'accepted' || job.lane !== lane || job.place === undefined) continue;
      if (job.place > behind) behind = job.place;
    }
    this.#put({
      payload,
      lane,
      fate: 'adding',
      place: undefined,
      behind,
      survivesPower,
      isVain,
      done: false,
      over: false,
    });
  }

  addReturned(payload: Payload, place: bigint): void {
    const job = this.#job(payload);
    for (const other of this.#jobs.values()) {
      const known = other !== job && other.fate === 'accepted' && other.lane === job.lane;
      if (known && other.place === place && job.lane !== undefined) {
        this.#violated('places', `${payload} and ${other.payload} were both given the place ${place}`);
      }
    }
    if (place <= job.behind && job.lane !== undefined) {
      this.#violated('places', `${payload} got place ${place}, but ${job.behind} was given before it began`);
    }
    this.#put({ ...job, fate: 'accepted', place });
  }

  addFailed(payload: Payload, how: 'rejected' | 'doubtful'): void {
    this.#put({ ...this.#job(payload), fate: how });
  }

  /** The only actor has died, in the middle of whatever it did. */
  actorDied(): void {
    for (const payload of this.#jobs.keys()) this.addBroken(payload);
    this.#live.clear();
    this.version += 1;
  }

  /** Whoever adds it has died: nothing is known of an add that had not ended. */
  addBroken(payload: Payload): void {
    const job = this.#jobs.get(payload);
    if (job?.fate === 'adding') this.#put({ ...job, fate: 'doubtful' });
  }

  runStarted(place: bigint, bytes: Uint8Array): number {
    this.#runs += 1;
    const run = this.#runs;
    const payload = Buffer.from(bytes).toString('latin1');
    const job = this.#jobs.get(payload);
    if (job === undefined) {
      this.#violated('whole', `a run at place ${place} read ${JSON.stringify(payload)}, which nobody added`);
      return run;
    }
    const { lane } = job;
    if (job.fate === 'rejected') this.#violated('whole', `${payload} runs, but its add was refused`, lane);
    if (job.isVain) this.#violated('terms', `${payload} runs, though it has expired`);
    if (job.over) {
      this.#violated('late', `${payload} runs again after the queue had said that it is over`, lane);
    }
    if (job.fate === 'accepted' && job.place !== place) {
      this.#violated('places', `${payload} was accepted at ${job.place} and runs at ${place}`, lane);
    }
    for (const other of this.#live.values()) {
      const isApart = lane === undefined || this.#jobs.get(other)?.lane !== lane;
      if (other === payload || !isApart) {
        this.#violated('single', `${payload} starts while a run of ${other} is alive`);
      }
    }
    if (lane !== undefined) this.#checkOrder(job, lane, place);
    this.#put({ ...job, place });
    this.#live.set(run, payload);
    return run;
  }

  #checkOrder({ payload }: Job, lane: string, place: bigint): void {
    const highest = this.#highestStarted.get(lane) ?? -1n;
    if (place < highest) {
      this.#violated('order', `${payload} at ${place} runs after ${highest} has started`, lane);
    }
    for (const other of this.#jobs.values()) {
      if (other.fate !== 'accepted' || other.lane !== lane || other.done) continue;
      if (other.place !== undefined && other.place < place) {
        this.#violated('order', `${payload} at ${place} starts before ${other.payload} is done`, lane);
      }
    }
    if (place > highest) this.#highestStarted.set(lane, place);
  }

  runEnded(run: number, done: boolean): void {
    const payload = this.#live.get(run);
    if (payload === undefined) return;
    this.#live.delete(run);
    if (done) this.#put({ ...this.#job(payload), done: true });
    this.version += 1;
  }

  claimed(which: Which, since: number): void {
    for (const { payload, lane, over, overSince = -1 } of this.#which(which)) {
      if (over && overSince < since) {
        this.#violated('once', `${payload} was given out after the queue had said that it is over`, lane);
      }
    }
  }

  givenUp(which: Which): void {
    for (const job of this.#which(which)) this.#put({ ...job, done: true });
  }

  finished(which: Which): void {
    for (const job of this.#which(which)) {
      if (!job.over) this.#put({ ...job, over: true, overSince: this.version });
    }
  }

  #which(which: Which): Job[] {
    const is = (job: Job) =>
      'payload' in which
        ? job.payload === which.payload
        : job.lane === which.lane && job.place === which.place;
    return [...this.#jobs.values()].filter(is);
  }

  creationReturned(): void {
    this.created = true;
    this.version += 1;
  }

  /** The queue says that a lane waits for this place. */
  waitsFor(lane: string, missing: bigint): void {
    const ofLane = Array.from(this.#jobs.values()).filter((job) => job.lane === lane);
    const brokenOff = ofLane.filter((job) => job.fate !== 'accepted' && !job.over);
    for (const job of ofLane) {
      if (job.place === missing && (job.over || job.fate === 'accepted')) {
        this.#violated('gaps', `the queue waits for place ${missing}, which is ${job.payload}'s`, lane);
        return;
      }
    }
    this.version += 1;
    const gaps = this.#gaps.get(lane) ?? new Set();
    this.#gaps.set(lane, gaps.add(missing));
    if (gaps.size > brokenOff.length) {
      this.#violated(
        'gaps',
        `the queue waits for place ${missing}, though no add broke off to explain it`,
        lane,
      );
    }
  }

  /** What the queue keeps of jobs that are over without success; `givesUp`: it may be right to have put any of them away. */
  foundPutAway(payloads: readonly Payload[], givesUp: boolean): void {
    for (const payload of payloads) {
      const job = this.#jobs.get(payload);
      if (job !== undefined && (job.isVain || givesUp)) this.#put({ ...job, done: true });
    }
  }

  drained(): void {
    for (const job of this.#jobs.values()) {
      if (job.fate === 'accepted' && !job.done) {
        this.#violated('kept', `${job.payload} was accepted at ${job.place} and is lost`);
      }
    }
  }

  broken(promise: string, message: string): void {
    this.#violated(promise, message);
  }

  #job(payload: Payload): Job {
    const job = this.#jobs.get(payload);
    if (job === undefined) throw new Error(`${payload} was never added`);
    return job;
  }

  #put(job: Job): void {
    this.version += 1;
    this.#jobs.set(job.payload, job);
  }

  #violated(promise: string, message: string, lane?: string): void {
    if (this.#notMade.has(promise) && (lane !== undefined || !ABOUT_LANES.has(promise))) return;
    this.version += 1;
    this.violations.push({ promise, message });
  }
}
