/**
 * The names of jobs that have been listed and not looked at yet. A worker that comes to a million waiting jobs takes out
 * the best few and runs them; what the other names say it finds out when it gets there.
 *
 * Names that say all begin with what decides the order of service: `fspl-PP.MMMMMMMMMMMMM.`, priority and time. So there is a
 * bound: what is at or before it was taken out, what is left here comes after it. A job known from elsewhere that is beyond
 * the bound has to wait until more was taken out: see `isAllAfter`. While something is left the bound never falls, not
 * even when better jobs come in later.
 */

import { JOB_PREFIX, JOB_SUFFIX } from '../../layout.ts';
import { formatJobName } from '../job-name.ts';
import type { Waiting } from '../waiting-job.ts';

/** So many names cost no more than a claim or two. */
const FIRST_BATCH = 2000;

/** Names that are looked at to find out where the best ones end. */
const SAMPLES = 1024;

const IN_ORDER = /^fspl-\d\d\.\d{13}\./;
const PREFIX_LENGTH = `${JOB_PREFIX}00.0000000000000.`.length;

export class Backlog {
  readonly #firstBatch: number;
  #names: readonly string[] = [];
  /** What was taken out last began with this, or with less. */
  #bound = '';
  #batch: number;

  constructor(firstBatch = FIRST_BATCH) {
    this.#firstBatch = firstBatch;
    this.#batch = firstBatch;
  }

  get size(): number {
    return this.#names.length;
  }

  /** Whether whatever is left here comes after that job. */
  isAllAfter(job: Waiting): boolean {
    return this.#names.length === 0 || formatJobName(job).slice(0, PREFIX_LENGTH) <= this.#bound;
  }

  /** Whether a job of that name can wait in here: its place in the order is the beginning of its name. */
  static canHold(name: string): boolean {
    return IN_ORDER.test(name) && name.endsWith(JOB_SUFFIX);
  }

  /** Forgets what it had, and takes these instead; returns those to be looked at now, about as many as a batch. */
  refill(names: readonly string[]): readonly string[] {
    if (this.#names.length === 0) this.#bound = '';
    this.#names = names;
    this.#batch = this.#firstBatch;
    return this.takeBest();
  }

  /** Takes the best names out, more each time; in no order. */
  takeBest(): readonly string[] {
    const names = this.#names;
    const batch = this.#batch;
    this.#batch *= 2;
    // A batch that leaves nearly nothing here would cost one more pass for that.
    const end = names.length <= 2 * batch ? undefined : this.#endOfBest(batch);
    if (end === undefined) {
      this.#names = [];
      return names;
    }
    if (end > this.#bound) this.#bound = end;
    const last = `${this.#bound}\uffff`;
    const best: string[] = [];
    const rest: string[] = [];
    for (const name of names) (name < last ? best : rest).push(name);
    this.#names = rest;
    return best;
  }

  /** What the last of about so many of the best names begins with. */
  #endOfBest(count: number): string | undefined {
    const every = Math.max(1, Math.floor(this.#names.length / SAMPLES));
    const samples: string[] = [];
    for (let at = 0; at < this.#names.length; at += every) samples.push(this.#names[at] as string);
    samples.sort();
    return samples[Math.ceil(count / every)]?.slice(0, PREFIX_LENGTH);
  }
}
