/**
 * What is in `jobs/`, kept from one look to the next, so that of 100,000 names only those are read that are new:
 *
 *     a name comes --> known, in its place in the order of service --> forgotten: a listing does not have it any more
 *
 * A name that is known is believed. One of ours says all about its job, for a change of the job is a change of its name;
 * behind another one is a file whose header was read, and the format knows no change to a file that is there. What could
 * not be read as a job is read again at each look.
 */

import type { DirectoryEntry, Machine } from '../../../os/ports.ts';
import type { Unreadable } from '../../../queue/contract.ts';
import type { Litter } from '../../../queue/snapshot.ts';
import { isJobName, jobsDirectory, join } from '../../layout.ts';
import { lookAt, type ReadHeader } from '../../queue-files.ts';
import type { Order } from '../rooms.ts';
import { byService, type Waiting, waitingByHeader, waitingByName } from '../waiting-job.ts';
import { isTemporary } from './snapshot-parts.ts';
import { StillDirectory } from './still-directory.ts';

export type JobsSeen = {
  /** In the order of service, whatever their lanes. */
  readonly jobs: readonly Waiting[];
  readonly unreadable: readonly Unreadable[];
  readonly litter: readonly Litter[];
};

type Known = {
  readonly job: Waiting;
  /** The last one that had it. */
  listing: number;
  /** Its place in that. */
  at: number;
};

const NOTHING_SEEN: JobsSeen = { jobs: [], unreadable: [], litter: [] };

export class JobsRoom {
  readonly #machine: Machine;
  readonly #path: string;
  readonly #read: ReadHeader;
  readonly #still: StillDirectory;
  readonly #known = new Map<string, Known>();
  /** The same as the last listing had them, and in the order of service. */
  #listed: readonly Known[] = [];
  #inOrder: readonly Known[] = [];
  #listing = 0;
  #order: Order = 'sequence';
  #seen = NOTHING_SEEN;

  constructor(machine: Machine, queue: string, read: ReadHeader) {
    this.#machine = machine;
    this.#path = jobsDirectory(queue);
    this.#read = read;
    this.#still = new StillDirectory(machine, this.#path);
  }

  async look(order: Order): Promise<JobsSeen> {
    const isSame = await this.#still.isAsListed();
    if (order !== this.#order) {
      // In which lane a job is hangs on it.
      this.#known.clear();
      this.#listed = [];
      this.#inOrder = [];
      this.#order = order;
    } else if (isSame && this.#seen.unreadable.length === 0) return this.#seen;
    this.#seen = await this.#list();
    return this.#seen;
  }

  async #list(): Promise<JobsSeen> {
    this.#listing += 1;
    const unreadable: Unreadable[] = [];
    const litter: Litter[] = [];
    const added: Known[] = [];
    const listed: Known[] = [];
    let at = 0;
    for (const { name, kind } of await this.#machine.files.readdir(this.#path)) {
      // Where little has changed a listing has its names in the order of the one before, and none need be looked up.
      const same = this.#listed[at];
      let known = same?.job.name === name ? same : this.#known.get(name);
      if (known !== undefined && kind === 'file') at = known.at + 1;
      else if (isJobName(name)) {
        known = await this.#learn({ name, kind }, unreadable);
        if (known === undefined) continue;
        added.push(known);
      } else {
        litter.push({ path: join(this.#path, name), kind: isTemporary(name) ? 'temporary' : 'other' });
        continue;
      }
      known.at = listed.push(known) - 1;
      known.listing = this.#listing;
    }
    this.#listed = listed;
    const stayed: Known[] = [];
    for (const known of this.#inOrder) {
      if (known.listing === this.#listing) stayed.push(known);
      else if (this.#known.get(known.job.name) === known) this.#known.delete(known.job.name);
    }
    // Two sorted runs, which a merge sort takes as they are.
    this.#inOrder = added.length === 0 ? stayed : [...stayed, ...added.sort(inService)].sort(inService);
    return { jobs: this.#inOrder.map(({ job }) => job), unreadable, litter };
  }

  /** Undefined for what is no job, or not any more. */
  async #learn(entry: DirectoryEntry, unreadable: Unreadable[]): Promise<Known | undefined> {
    const named = entry.kind === 'file' ? waitingByName(this.#order, entry.name) : undefined;
    const job = named ?? (await this.#readJob(entry, unreadable));
    if (job === undefined) return undefined;
    const known = { job, listing: 0, at: 0 };
    this.#known.set(entry.name, known);
    return known;
  }

  async #readJob({ name, kind }: DirectoryEntry, unreadable: Unreadable[]): Promise<Waiting | undefined> {
    const path = join(this.#path, name);
    const look = await lookAt(this.#machine, path, kind, this.#read);
    if (look.kind === 'unreadable') unreadable.push({ path, message: look.file.message });
    return look.kind === 'job' ? waitingByHeader(this.#order, name, look.header) : undefined;
  }
}

function inService(a: Known, b: Known): number {
  return byService(a.job, b.job);
}
