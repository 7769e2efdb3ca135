/**
 * Working a queue beside others. Each worker reads the whole log, so all know the same, and who is first in it has a job.
 *
 *   open      `claim` takes the best job that can start, in the picture that we have; what the log has that we have not
 *             read yet shows when our claim comes back
 *   fenced    we have not been heard of for our lease: our jobs are run by others
 *   closed    claims that are not settled are given back
 *
 * A claim, with somebody who pauses the queue, or claims a job before it in its lane:
 *
 *     we                                      the log            somebody else
 *     --------------------------------------  -----------------  --------------------
 *     read up to 40: J can start
 *                                             41: paused         pauses the queue
 *     J is ours, its first change             42: J is ours
 *     read 41
 *     read 42: when it came J could not       43: J waits again
 *     start: we take it back
 *
 * To know that nothing is left to claim we say that we are alive, and wait until we have read that.
 *
 * Who is dead is told by the servers' clock alone: the time of its last sign of life, and that of ours. It has to be the
 * same for all servers, give or take much less than a lease.
 */

import { toMs } from '../os/calendar.ts';
import type { Machine } from '../os/ports.ts';
import { Changes } from '../queue/changes.ts';
import type { JoinOptions, SharedClaim, SharedIdle, SharedSession, Unreadable } from '../queue/contract.ts';
import { Life } from '../queue/life.ts';
import { Turns } from '../queue/turns.ts';
import { Agenda } from './agenda.ts';
import type { ClaimParts } from './claim.ts';
import { passStoppedLanes } from './give-up.ts';
import type { Link } from './link.ts';
import { Log } from './log.ts';
import type { Entry } from './picture.ts';
import { bringBack, buryOld, isSilent, putBackStrays } from './recovery.ts';
import { whyIdle } from './standing.ts';
import { Taking } from './take.ts';
import { joinAs, type Worker } from './worker.ts';

/** What `joinQueue` needs beside the queue. */
export type JetStreamJoinOptions = JoinOptions & Pick<ClaimParts, 'onSaid'>;

export async function joinQueue(
  machine: Machine,
  link: Link,
  options: JetStreamJoinOptions,
): Promise<SharedSession> {
  const log = await Log.open(machine, link);
  try {
    const session = new JetStreamSession(machine, log, options, await joinAs(machine, log, options.leaseMs));
    await session.begin();
    return session;
  } catch (error) {
    await log.close();
    throw error;
  }
}

export class JetStreamSession implements SharedSession {
  readonly #machine: Machine;
  readonly #log: Log;
  readonly #worker: Worker;
  readonly #agenda: Agenda;
  readonly #changes: Changes;
  readonly #life: Life;
  readonly #parts: ClaimParts;
  readonly #taking: Taking;
  readonly #inHand = new Map<string, SharedClaim>();
  /** One call of `claim` after the other. */
  readonly #turns = new Turns();
  #closed = false;

  constructor(machine: Machine, log: Log, options: JetStreamJoinOptions, worker: Worker) {
    this.#machine = machine;
    this.#log = log;
    this.#worker = worker;
    this.#agenda = new Agenda(log.picture);
    this.#changes = new Changes(machine);
    this.#life = new Life(machine, worker);
    this.#parts = {
      machine,
      log,
      worker: worker.name,
      blocked: options.blocked ?? { action: 'hold' },
      keepSucceeded: options.keepSucceeded ?? false,
      onSaid: options.onSaid,
      insists: () => !this.#closed && !this.#life.fenced.aborted,
      onSettled: (entry) => {
        this.#inHand.delete(entry.id);
        this.#changes.tell();
      },
    };
    this.#taking = new Taking(machine, log, options, this.#parts);
  }

  get unreadable(): readonly Unreadable[] {
    return [...this.#log.picture.strangers.values()].map(({ subject, message }) => ({
      path: `${this.#log.place}/${subject}`,
      message,
    }));
  }

  get fenced(): AbortSignal {
    return this.#life.fenced;
  }

  async begin(): Promise<void> {
    const { picture } = this.#log;
    this.#life.begin();
    for (const entry of picture.entries.values()) this.#agenda.note(entry, this.#nowMs());
    this.#log.onMessage = ({ subject }) => {
      const thenTaking = this.#taking.reading(subject);
      return (entry) => {
        if (entry !== undefined) {
          thenTaking(entry);
          this.#agenda.note(entry, this.#nowMs());
          this.#seeWhetherTaken(entry);
        }
        // A sign of life brings nothing to do; ours comes of each look.
        if (!this.#log.subjects.isOfWorker(subject)) this.#changes.tell();
      };
    };
    this.#log.aside(buryOld(this.#log));
  }

  claim(): Promise<SharedClaim | SharedIdle> {
    return this.#turns.next(() => this.#claimNext());
  }

  async changed(atMostMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#closed || this.#changes.isStale) return;
    const untilDueMs = this.#agenda.nextDueMs - this.#nowMs();
    const untilServersMs = this.#nextServerMs() - this.#worker.serverMs();
    await this.#changes.wait(Math.min(atMostMs, untilDueMs, untilServersMs), signal);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#changes.end();
    await this.#turns.over();
    try {
      await Promise.all([...this.#inHand.values()].map((claim) => claim.release()));
      await this.#worker.leave();
      await this.#log.tidied();
    } finally {
      this.#life.end();
      await this.#log.close();
    }
  }

  async #claimNext(): Promise<SharedClaim | SharedIdle> {
    if (this.#closed) throw new Error(`${this.#log.place}: the session is closed`);
    const { picture } = this.#log;
    for (let isUpToDate = false; ; ) {
      this.#life.requireAlive();
      // After so long a silence nobody may know us any more, and take what we claim for left behind.
      if (!this.#worker.isSurelyOurs) await this.#worker.catchUp();
      const next = picture.paused ? undefined : this.#agenda.take(this.#nowMs());
      if (next !== undefined) {
        const claim = await this.#take(next);
        if (claim !== undefined) return claim;
      } else if (!isUpToDate) {
        isUpToDate = true;
        this.#changes.beginLook();
        await this.#worker.catchUp();
        await putBackStrays(this.#log, this.#worker, (id) => this.#inHand.has(id));
        if (await this.#bringBackTheDead()) continue;
        await passStoppedLanes(this.#parts, this.#worker.serverMs());
      } else return whyIdle(picture, this.#nowMs());
    }
  }

  async #bringBackTheDead(): Promise<boolean> {
    const count = await this.#life.recoverNowAndThen(() => bringBack(this.#log, this.#worker));
    return count > 0;
  }

  async #take(entry: Entry): Promise<SharedClaim | undefined> {
    try {
      const claim = await this.#taking.take(entry);
      if (claim !== undefined) this.#inHand.set(entry.id, claim);
      return claim;
    } catch (error) {
      this.#agenda.note(entry, this.#nowMs()); // it is to be asked for again
      throw error;
    }
  }

  /** Others have one of our jobs by now: they think that we are dead. */
  #seeWhetherTaken({ id, state }: Entry): void {
    const last = state.runs.at(-1);
    if (!this.#inHand.has(id) || last?.outcome !== 'died' || last.worker !== this.#worker.name) return;
    if (state.worker !== this.#worker.name) this.#worker.wasTakenForDead = true;
  }

  /** When somebody's lease is over, or a lane that is stopped may go on; by the servers' clock. */
  #nextServerMs(): number {
    let ms = Number.POSITIVE_INFINITY;
    const { action, afterMs } = this.#parts.blocked;
    if (action !== 'hold' && afterMs !== undefined) {
      for (const { jobs } of this.#log.picture.lanes.values()) {
        const [head] = jobs;
        if (head?.state.stopped === true) ms = Math.min(ms, head.changedMs + afterMs);
      }
    }
    for (const [name, beat] of this.#log.picture.workers) {
      const isOther = name !== this.#worker.name && !isSilent(beat, this.#worker.serverMs());
      if (isOther) ms = Math.min(ms, beat.beatMs + beat.leaseMs + 1);
    }
    return ms;
  }

  #nowMs(): number {
    return toMs(this.#machine.clock.now());
  }
}
