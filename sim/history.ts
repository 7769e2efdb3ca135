/**
 * What has happened to the jobs of one queue, as somebody outside of the machine saw it, and the promises it is
 * checked against, whatever the layout.
 *
 * A job: adding -> accepted   the add returned: from now on it must run, and never be lost
 *               -> rejected   the add failed and nothing was queued: it must never run
 *               -> doubtful   the add died on the way, or said that it does not know: it may run or not
 *
 * A job that was accepted at level crash-safe is doubtful after a power cut.
 *
 * | promise  | checked when                                                                                 |
 * |----------|----------------------------------------------------------------------------------------------|
 * | whole    | a run starts: what it reads is exactly what some add was given                               |
 * | single   | a run starts: no other run of this queue is alive                                            |
 * | once     | a run starts: the queue has not said before that this job is over                            |
 * | order    | a run starts: all accepted before it are done, nothing behind it has started                 |
 * | places   | an add returns: its place is its own, and behind all that were accepted before it began      |
 * | kept     | the queue is drained: each accepted job has run to its end                                   |
 * | created  | all is over: a queue whose creation was reported is there                                    |
 * | gaps     | the queue waits for a place: it is not that of a job that was accepted or is over, and some add   |
 * |          | broke off, which explains it                                                                 |
 */

export type Payload = string;

export type Violation = { readonly promise: string; readonly message: string };

type Fate = 'adding' | 'accepted' | 'rejected' | 'doubtful';

type Job = {
  readonly payload: Payload;
  readonly fate: Fate;
  readonly place: bigint | undefined;
  /** The highest place that was accepted when this add began. */
  readonly behind: bigint;
  readonly survivesPower: boolean;
  /** A run of it has succeeded, or has failed where the queue's policy is to go on. */
  readonly done: boolean;
  /** The queue has said that it is over. */
  readonly over: boolean;
};

export class History {
  readonly violations: Violation[] = [];
  readonly #jobs = new Map<Payload, Job>();
  /** Runs that are alive, and their job. */
  readonly #live = new Map<number, Payload>();
  #highestStarted = -1n;
  /** Places that the queue waited for, with reason, and that were stepped over. */
  readonly #gaps = new Set<bigint>();
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

  /** As it stands when all processes die at once, and the power may go too. */
  afterCrash(powerCut = true): History {
    const copy = new History(this.#notMade);
    for (const [payload, job] of this.#jobs) {
      const lost = job.fate === 'adding' || (job.fate === 'accepted' && powerCut && !job.survivesPower);
      copy.#jobs.set(payload, lost ? { ...job, fate: 'doubtful' } : job);
    }
    copy.created = this.created;
    copy.violations.push(...this.violations);
    copy.#highestStarted = this.#highestStarted;
    for (const gap of this.#gaps) copy.#gaps.add(gap);
    return copy;
  }

  /** Equal for histories that demand the same of what comes. */
  get key(): string {
    const jobs = Array.from(this.#jobs.values(), (job) =>
      [job.payload, job.fate, job.place, job.behind, job.done, job.over].join(','),
    );
    return `${this.created}|${jobs.join(';')}|${this.#highestStarted}|${[...this.#gaps]}|${[...this.#live.values()]}`;
  }

  get runs(): number {
    return this.#runs;
  }

  /** How many jobs were to be added. */
  get jobs(): number {
    return this.#jobs.size;
  }

  /** How many runs are alive. */
  get alive(): number {
    return this.#live.size;
  }

  addBegins(payload: Payload, survivesPower = true): void {
    const places = Array.from(this.#jobs.values(), (job) =>
      job.fate === 'accepted' ? job.place : undefined,
    );
    const behind = places.reduce<bigint>(
      (high, place) => (place !== undefined && place > high ? place : high),
      -1n,
    );
    this.#put({
      payload,
      fate: 'adding',
      place: undefined,
      behind,
      survivesPower,
      done: false,
      over: false,
    });
  }

  addReturned(payload: Payload, place: bigint): void {
    const job = this.#job(payload);
    for (const other of this.#jobs.values()) {
      if (other !== job && other.fate === 'accepted' && other.place === place) {
        this.#violated('places', `${payload} and ${other.payload} were both given the place ${place}`);
      }
    }
    if (place <= job.behind) {
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
    const job = this.#job(payload);
    if (job.fate === 'adding') this.#put({ ...job, fate: 'doubtful' });
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
    if (job.fate === 'rejected') this.#violated('whole', `${payload} runs, but its add was refused`);
    if (job.over) this.#violated('once', `${payload} runs again after the queue had said that it is over`);
    if (job.fate === 'accepted' && job.place !== place) {
      this.#violated('places', `${payload} was accepted at ${job.place} and runs at ${place}`);
    }
    for (const other of this.#live.values()) {
      this.#violated('single', `${payload} starts while a run of ${other} is alive`);
    }
    if (place < this.#highestStarted) {
      this.#violated('order', `${payload} at ${place} runs after ${this.#highestStarted} has started`);
    }
    for (const other of this.#jobs.values()) {
      if (other.fate === 'accepted' && other.place !== undefined && other.place < place && !other.done) {
        this.#violated('order', `${payload} at ${place} starts before ${other.payload} is done`);
      }
    }
    if (place > this.#highestStarted) this.#highestStarted = place;
    this.#put({ ...job, place });
    this.#live.set(run, payload);
    return run;
  }

  runEnded(run: number, done: boolean): void {
    const payload = this.#live.get(run);
    if (payload === undefined) return;
    this.#live.delete(run);
    if (done) this.#put({ ...this.#job(payload), done: true });
    this.version += 1;
  }

  finished(place: bigint): void {
    for (const job of this.#jobs.values()) if (job.place === place) this.#put({ ...job, over: true });
  }

  creationReturned(): void {
    this.created = true;
    this.version += 1;
  }

  /** The queue says that it waits for this place. */
  waitsFor(missing: bigint): void {
    const brokenOff = Array.from(this.#jobs.values()).filter((job) => job.fate !== 'accepted' && !job.over);
    for (const job of this.#jobs.values()) {
      if (job.place === missing && (job.over || job.fate === 'accepted')) {
        this.#violated('gaps', `the queue waits for place ${missing}, which is ${job.payload}'s`);
        return;
      }
    }
    this.version += 1;
    this.#gaps.add(missing);
    if (this.#gaps.size > brokenOff.length) {
      this.#violated('gaps', `the queue waits for place ${missing}, though no add broke off to explain it`);
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

  #violated(promise: string, message: string): void {
    if (this.#notMade.has(promise)) return;
    this.version += 1;
    this.violations.push({ promise, message });
  }
}
