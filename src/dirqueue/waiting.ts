/**
 * The jobs that wait, best first, kept from one look to the next: taking one of 100,000 does not list 100,000 again.
 *
 *     seen ----> ready, in the order of service ----> taken
 *                (or gone by the next look)
 *
 * The index knows names only. Whether a job is still there, and nobody else's, its lock says.
 */

import TinyQueue from 'tinyqueue';
import { byService } from './job-id.ts';

export type WaitingJob = {
  readonly id: string;
  /** Of its control file. */
  readonly path: string;
};

export class WaitingJobs {
  readonly #known = new Map<string, WaitingJob>();
  #ready = new TinyQueue<WaitingJob>([], byId);
  /** Jobs that were added or taken since the listing that is under way was begun, which may be wrong about them. */
  #sinceListing: Set<string> | undefined;

  get size(): number {
    return this.#known.size;
  }

  beginListing(): void {
    this.#sinceListing = new Set();
  }

  /** These were all that were there, and free. */
  endListing(jobs: ReadonlyMap<string, WaitingJob>): void {
    const since = this.#sinceListing ?? new Set();
    this.#sinceListing = undefined;
    for (const id of [...this.#known.keys()]) {
      if (!jobs.has(id) && !since.has(id)) this.#known.delete(id);
    }
    const added: WaitingJob[] = [];
    for (const job of jobs.values()) {
      if (this.#known.has(job.id) || since.has(job.id)) continue;
      this.#known.set(job.id, job);
      added.push(job);
    }
    if (added.length > this.#ready.length) this.#ready = new TinyQueue([...this.#ready.data, ...added], byId);
    else for (const job of added) this.#ready.push(job);
  }

  /** It came back. */
  add(job: WaitingJob): void {
    this.#sinceListing?.add(job.id);
    if (this.#known.has(job.id)) return;
    this.#known.set(job.id, job);
    this.#ready.push(job);
  }

  /** Takes the best job out. */
  take(): WaitingJob | undefined {
    for (;;) {
      const job = this.#ready.pop();
      if (job === undefined) return undefined;
      if (this.#known.get(job.id) !== job) continue; // gone meanwhile
      this.#sinceListing?.add(job.id);
      this.#known.delete(job.id);
      return job;
    }
  }
}

function byId(a: WaitingJob, b: WaitingJob): number {
  return byService(a.id, b.id);
}
