/** Looking into `jobs/`, again and again, at the cost of what is new there, or is about to be needed. */

import { toMs } from '../../../os/calendar.ts';
import type { FileKind, Machine } from '../../../os/ports.ts';
import type { PacketHeader } from '../../../packet/header.ts';
import type { Unreadable } from '../../../queue/contract.ts';
import { isJobName, jobsDirectory, join } from '../../layout.ts';
import type { Decoder } from '../../open-packet.ts';
import { headerReader, lookAt, type ReadHeader } from '../../queue-files.ts';
import { nextNumber } from '../lane-numbers.ts';
import type { Order } from '../rooms.ts';
import { type Waiting, waitingByHeader, waitingByName, whatIs } from '../waiting-job.ts';
import { Backlog } from './backlog.ts';
import type { WaitingJobs } from './waiting.ts';

/** A look may take this part of a worker's time: so often and no more, however large the queue. */
const SHARE_OF_TIME = 0.1;

const NOTHING: ReadonlySet<string> = new Set();

export class Look {
  readonly #machine: Machine;
  readonly #queue: string;
  readonly #order: Order;
  readonly #waiting: WaitingJobs;
  readonly #read: ReadHeader;
  readonly #unreadable = new Map<string, Unreadable>();
  readonly #backlog: Backlog;
  #costMs = 0;
  #endedMs = Number.NEGATIVE_INFINITY;

  constructor(
    machine: Machine,
    queue: string,
    options: { readonly order: Order; readonly decoder: Decoder | undefined },
    waiting: WaitingJobs,
    backlog = new Backlog(),
  ) {
    this.#machine = machine;
    this.#queue = queue;
    this.#order = options.order;
    this.#waiting = waiting;
    this.#read = headerReader(machine, options.decoder);
    this.#backlog = backlog;
  }

  get unreadable(): readonly Unreadable[] {
    return [...this.#unreadable.values()];
  }

  /** Milliseconds since the last look ended, and until the next one is affordable. */
  get ageMs(): number {
    return this.#machine.clock.monotonicMs() - this.#endedMs;
  }

  get restMs(): number {
    return this.#costMs / SHARE_OF_TIME - this.ageMs;
  }

  /** Jobs that were seen when it was last looked. */
  get waiting(): number {
    return this.#waiting.size + this.#backlog.size;
  }

  /**
   * Brings the index up to date with the directory and with the numbers of the lanes: with all that may be run next. The
   * rest is looked at by `take`.
   */
  async look(): Promise<void> {
    const { clock, files } = this.#machine;
    const begun = clock.monotonicMs();
    this.#waiting.beginListing();
    const entries = await files.readdir(jobsDirectory(this.#queue));
    // The first of a million names is found faster without a set of them.
    const known = this.#waiting.size > 0;
    this.#waiting.endListing(known ? new Set(entries.map(({ name }) => name)) : NOTHING);
    this.#unreadable.clear();
    const found: Waiting[] = [];
    const inOrder: string[] = [];
    for (const { name, kind } of entries) {
      if (!isJobName(name) || (known && this.#waiting.has(name))) continue;
      if (kind === 'file' && Backlog.canHold(name)) inOrder.push(name);
      else await this.#lookAt(name, kind, found);
    }
    for (const name of this.#backlog.refill(inOrder)) await this.#lookAt(name, 'file', found);
    await this.#add(found);
    for (const lane of this.#waiting.lanesInDoubt()) await this.refreshLane(lane);
    this.#endedMs = clock.monotonicMs();
    this.#costMs = this.#endedMs - begun;
  }

  /** Takes the best job that may run now, having looked as far as that takes. */
  async take(): Promise<Waiting | undefined> {
    for (;;) {
      this.#waiting.offer(toMs(this.#machine.clock.now()));
      const best = this.#waiting.best();
      const isBest = best !== undefined && this.#backlog.isAllAfter(best);
      if (isBest || this.#backlog.size === 0) return this.#waiting.take();
      await this.#lookFurther();
    }
  }

  async #lookFurther(): Promise<void> {
    const found: Waiting[] = [];
    for (const name of this.#backlog.takeBest()) await this.#lookAt(name, 'file', found);
    await this.#add(found);
  }

  async #add(found: readonly Waiting[]): Promise<void> {
    await this.openLanes(found);
    this.#waiting.add(found, toMs(this.#machine.clock.now()));
  }

  async #lookAt(name: string, kind: FileKind, found: Waiting[]): Promise<void> {
    const job = (kind === 'file' ? this.named(name) : undefined) ?? (await this.#lookInside(name, kind));
    if (job !== undefined) found.push(job);
  }

  /** Reads the numbers of lanes that the index does not know yet. */
  async openLanes(jobs: readonly Waiting[]): Promise<void> {
    for (const { lane } of jobs) {
      if (lane !== undefined && !this.#waiting.hasLane(lane)) await this.refreshLane(lane);
    }
  }

  async refreshLane(lane: string): Promise<void> {
    this.#waiting.setNext(lane, await nextNumber(this.#machine, this.#queue, lane));
  }

  async #lookInside(name: string, kind: FileKind): Promise<Waiting | undefined> {
    const path = join(jobsDirectory(this.#queue), name);
    const look = await lookAt(this.#machine, path, kind, this.#read);
    if (look.kind === 'job') return this.waitingOf(name, look.header);
    if (look.kind === 'unreadable') {
      this.#unreadable.set(name, { path, message: look.file.message });
    }
    return undefined;
  }

  named(name: string): Waiting | undefined {
    return waitingByName(this.#order, name);
  }

  whatIs(directory: string, name: string): Promise<Waiting | undefined> {
    return whatIs(this.#machine, this.#order, this.#read, join(directory, name));
  }

  waitingOf(name: string, header: PacketHeader): Waiting {
    return waitingByHeader(this.#order, name, header);
  }
}
