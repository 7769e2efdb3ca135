/**
 * A queue's log, read from its beginning and on as it grows, and changed:
 *
 *   open      the picture is that of the last message that was read; what is added waits until it has been read back,
 *             so that it is known what was there before it
 *   broken    the servers cannot be reached for good: whoever waits is told
 *   closed    the picture stays as it is
 *
 * | step of a change                       | what a crash there leaves                                                |
 * |----------------------------------------|--------------------------------------------------------------------------|
 * | the next change is added               | the job in its new state, and changes that are of no use to anybody      |
 * | it has come back, and is believed      | the same                                                                 |
 * | the changes before it are removed      | the job in its new state                                                 |
 *
 * | step of removing a job                 | what a crash there leaves                                                |
 * |----------------------------------------|--------------------------------------------------------------------------|
 * | a change: it is over                   | a job that nobody starts; the next worker or `repair` removes the rest   |
 * | its payload is removed; of a job with  | the same                                                                 |
 * | a name a message is added that keeps   |                                                                          |
 * | the name                               |                                                                          |
 * | its message is removed, and the        | the same, and the name                                                   |
 * | changes before                         |                                                                          |
 * | that change is removed                 | nothing                                                                  |
 */

import type { Machine } from '../os/ports.ts';
import { sleep } from '../os/sleep.ts';
import { isQueueError, QueueError } from '../queue/errors.ts';
import type { Connection } from './client.ts';
import type { Link } from './link.ts';
import { notReachable } from './patience.ts';
import { type Entry, Picture, type Receipt } from './picture.ts';
import { type JobState, type ReceiptRecord, Subjects } from './subjects.ts';
import type { Follower, Message, Wire } from './wire.ts';

export type Change = Partial<Omit<JobState, 'nonce'>>;

/** How long a message that we have added may take to come back; then we read another copy of the log. */
const BACK_MS = 5000;
/** Between two tries, when nobody has answered for long. */
const INSIST_MS = 1000;
/** One that is behind for good has to be asked for by chance again and again. */
const MOST_COPIES = 8;

export class Log {
  readonly picture = new Picture();
  readonly subjects: Subjects;
  readonly wire: Wire;
  /** Told of each message, before it has changed the picture; what it returns is told after that. */
  onMessage: ((message: Message) => ((entry: Entry | undefined) => void) | undefined) | undefined;
  readonly #machine: Machine;
  readonly #link: Link;
  readonly #waiting = new Set<{ readonly seq: number; readonly resolve: () => void }>();
  readonly #removing = new Set<Promise<void>>();
  #follower: Follower | undefined;
  /** Another copy is being turned to. */
  #another: Promise<void> | undefined;
  #seq = 0;
  #closed = false;

  constructor(machine: Machine, link: Link, { wire }: Connection) {
    this.#machine = machine;
    this.#link = link;
    this.wire = wire;
    this.subjects = new Subjects(link.location.name);
  }

  /** Reads all that is there. */
  static async open(machine: Machine, link: Link): Promise<Log> {
    const log = new Log(machine, link, await link.take());
    try {
      log.#follower = await log.wire.follow((message) => log.#read(message));
      await log.#follower.caughtUp;
      return log;
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  /** The queue as it is now, for one look. */
  static async look<T>(machine: Machine, link: Link, see: (log: Log) => T | Promise<T>): Promise<T> {
    const log = await Log.open(machine, link);
    try {
      return await see(log);
    } finally {
      await log.close();
    }
  }

  get place(): string {
    return this.#link.location.text;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#follower?.close();
    this.#link.giveBack();
  }

  /**
   * Resolves when the message of that number has been read. Throws `not-reachable`. A server that was cut off may have a
   * copy that stays behind, and says nothing of it.
   */
  async #reached(seq: number): Promise<void> {
    for (let copies = 1; !(await this.#comes(seq)); copies++) {
      if (this.#closed || copies === MOST_COPIES) {
        throw notReachable(this.place, new Error('what was added does not come back'));
      }
      this.#another ??= this.#readAnother().finally(() => {
        this.#another = undefined;
      });
      await this.#another;
    }
  }

  async #readAnother(): Promise<void> {
    const before = this.#follower;
    this.#follower = await this.wire.follow((message) => this.#read(message), this.#seq + 1);
    await before?.close();
  }

  /** Whether it is read soon. */
  async #comes(seq: number): Promise<boolean> {
    if (this.#seq >= seq) return true;
    return new Promise<boolean>((resolve) => {
      const callOff = this.#machine.clock.after(BACK_MS, () => {
        this.#waiting.delete(waiter);
        resolve(false);
      });
      const waiter = {
        seq,
        resolve: () => {
          callOff();
          resolve(true);
        },
      };
      this.#waiting.add(waiter);
    });
  }

  /**
   * Changes a job whose last change we believe to be `generation`. False when somebody has changed it since: then nothing
   * has come of it. As long as `insists` says so it is asked for again when nobody answers.
   */
  async change(
    entry: Entry,
    generation: number,
    state: JobState,
    next: Change,
    insists = () => false,
  ): Promise<boolean> {
    const nonce = this.#machine.random.uuid();
    const { worker: _, sinceMs: __, ...before } = state;
    const after: JobState = { ...before, ...next, nonce };
    const overtaken = [...entry.changes];
    const subject = this.subjects.run(entry.id, generation + 1, nonce);
    const seq = await this.send(() => this.wire.append(subject, JSON.stringify(after), nonce), insists);
    if (entry.state.nonce !== nonce) {
      await this.wire.remove([seq]);
      return false;
    }
    if (after.place !== 'over') this.#removeAside(entry, overtaken);
    return true;
  }

  /** Adds a message, and resolves when it has been read. Throws `not-a-queue` when the log is another one by now. */
  async send(add: () => Promise<number>, insists = () => false): Promise<number> {
    const before = this.#seq;
    const seq = await this.#ask(insists, add);
    if (seq <= before) {
      const hint = 'Who works it begins again by himself.';
      throw new QueueError('not-a-queue', `${this.place}: its servers have begun a new log`, { hint });
    }
    await this.#ask(insists, () => this.#reached(seq));
    return seq;
  }

  async #ask<T>(insists: () => boolean, ask: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (!isQueueError(error, 'not-reachable') || !insists()) throw error;
      }
      await sleep(this.#machine.clock, INSIST_MS);
    }
  }

  /** Removes what is left of a job that is over. */
  async bury({ id, seq, job, changes, said, rivals }: Entry): Promise<void> {
    const last = changes.at(-1);
    const before = [...changes.slice(0, -1), ...said.map((one) => one.seq), ...rivals];
    if (job.payload !== undefined) await this.wire.removePayload(job.payload.name);
    if (job.name !== undefined) await this.#sign(id, { over: seq });
    await this.wire.remove([seq, ...before]);
    if (last !== undefined) await this.wire.remove([last]);
    this.picture.forget(id);
  }

  /** A job of that name may be added again. */
  async freeName(id: string, { seq, over }: Receipt): Promise<void> {
    // Those who follow the log do not see that something is removed from it.
    const freed = await this.#sign(id, { over, free: true });
    await this.wire.remove([seq, freed]);
  }

  #sign(id: string, receipt: ReceiptRecord): Promise<number> {
    return this.wire.put(this.subjects.receipt(id), JSON.stringify(receipt));
  }

  /** Resolves when all has been removed that was of no use any more. */
  async tidied(): Promise<void> {
    await Promise.all(this.#removing);
  }

  #removeAside(entry: Entry, seqs: readonly number[]): void {
    if (seqs.length === 0) return;
    entry.changes = entry.changes.filter((seq) => !seqs.includes(seq));
    this.aside(this.wire.remove(seqs));
  }

  /** Work that nobody waits for but whoever closes the log. That it fails is no harm: others do it then. */
  aside(work: Promise<void>): void {
    const done = work
      .catch(() => {})
      .finally(() => {
        this.#removing.delete(done);
      });
    this.#removing.add(done);
  }

  get untidied(): number {
    return this.#removing.size;
  }

  #read(message: Message): void {
    if (this.#closed || message.seq <= this.#seq) return;
    const then = this.onMessage?.(message);
    const entry = this.picture.apply(message);
    this.#seq = message.seq;
    then?.(entry);
    for (const waiter of this.#waiting) {
      if (waiter.seq > message.seq) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }
}
