/**
 * Which job is tried next, and why there is none.
 *
 *     what we know of the queue --is old--> look again --> the best that is free, or why there is nothing
 *
 * We know what a listing said a while ago. Where several workers go through one list, each finds at its head what the others
 * have done since, or have in hand. To lock such a job in vain costs as much as to run one, so after a miss we look before
 * we lock, as long as there may be others.
 */

import { toMs } from '../os/calendar.ts';
import type { Machine } from '../os/ports.ts';
import { type Changes, POLL_MS } from '../queue/changes.ts';
import type { SharedIdle } from '../queue/contract.ts';
import { PauseNotice } from '../queue/pause-notice.ts';
import { entriesOf, isPaused, isThere, lockPath, ownRoom } from './layout.ts';
import type { Look } from './look.ts';
import type { WaitingJob, WaitingJobs } from './waiting.ts';

/** So many jobs that others had or have before us: then what we know of the queue is old. A look costs as much as many. */
const MISSES = 64;

/** After so many jobs in a row that were ours at once there are no others. */
const ALONE_AFTER = 100;

export type ChooserParts<Claim> = {
  readonly machine: Machine;
  readonly queue: string;
  readonly waiting: WaitingJobs;
  readonly look: Look;
  readonly changes: Changes;
  /** Undefined: somebody else has it, or it is over, or refused. */
  readonly take: (job: WaitingJob) => Promise<Claim | undefined>;
};

export class Chooser<Claim> {
  readonly #parts: ChooserParts<Claim>;
  readonly #paused: PauseNotice;
  /** So many jobs are looked at yet before they are locked. */
  #wary = 0;

  constructor(parts: ChooserParts<Claim>) {
    this.#parts = parts;
    const { machine, queue } = parts;
    this.#paused = new PauseNotice(machine, () => isPaused(machine, queue));
  }

  /** As it was when it was last asked for. */
  get wasPaused(): boolean {
    return this.#paused.wasPaused;
  }

  async next(): Promise<Claim | SharedIdle> {
    const { look, changes } = this.#parts;
    const isDue = changes.isStale || look.ageMs > changes.pollMs || this.#isTimeForDelayed();
    if (isDue && look.restMs <= 0) await this.#lookAgain();
    if (await this.#paused.isPaused()) return this.#idle('paused');
    const claim = (await this.#takeReady()) ?? (await this.#takeAfterLook());
    if (claim !== undefined) return claim;
    const untilMs = look.nextStartMs;
    const waiting = this.#waitingCount();
    if (untilMs !== undefined) return { kind: 'idle', reason: 'delayed', untilMs, waiting };
    const held = await this.#countHeld();
    return held === 0
      ? this.#idle('empty')
      : { kind: 'idle', reason: 'held', jobs: held, waiting: waiting + held };
  }

  async #countHeld(): Promise<number> {
    const { machine, queue } = this.#parts;
    return (await entriesOf(machine, ownRoom(queue, 'held'))).length;
  }

  #idle(reason: 'paused' | 'empty'): SharedIdle {
    return { kind: 'idle', reason, waiting: this.#waitingCount() };
  }

  #waitingCount(): number {
    return this.#parts.waiting.size + this.#parts.look.delayed;
  }

  #isTimeForDelayed(): boolean {
    const { look, machine } = this.#parts;
    return (look.nextStartMs ?? Number.POSITIVE_INFINITY) <= toMs(machine.clock.now());
  }

  /** Nothing that we know of may run now. Unless we have just looked, and were told of no change since, look again. */
  async #takeAfterLook(): Promise<Claim | undefined> {
    const { changes, look } = this.#parts;
    if (changes.areTold && !changes.isStale && look.ageMs < POLL_MS / 2) return undefined;
    await this.#lookAgain();
    return this.#takeReady();
  }

  async #takeReady(): Promise<Claim | undefined> {
    const { waiting, look } = this.#parts;
    let misses = 0;
    for (;;) {
      const job = waiting.take();
      if (job === undefined) return undefined;
      const claim = (await this.#mayBeFree(job)) ? await this.#parts.take(job) : undefined;
      if (claim !== undefined) {
        this.#wary = Math.max(0, this.#wary - 1);
        return claim;
      }
      this.#wary = ALONE_AFTER;
      misses += 1;
      // Once: where a host sees old names, a look could find the same ones for ever.
      if (misses === MISSES && look.restMs <= 0) await this.#lookAgain();
    }
  }

  async #mayBeFree({ id, path }: WaitingJob): Promise<boolean> {
    const { machine, queue } = this.#parts;
    if (this.#wary === 0) return true;
    return (await isThere(machine, path)) && !(await isThere(machine, lockPath(queue, id)));
  }

  async #lookAgain(): Promise<void> {
    this.#parts.changes.beginLook();
    await this.#parts.look.look();
  }
}
