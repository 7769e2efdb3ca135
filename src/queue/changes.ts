/**
 * Noticing that the waiting jobs have changed: told by file events, known by ourselves, or found by looking now and then.
 *
 *   fresh    nobody has said anything since the last look began
 *   stale    somebody has: it is worth looking again
 *
 *     fresh --an event, a dead worker's jobs came back--> stale --a look begins--> fresh
 *
 * Whoever waits is woken by what makes it stale, and when a claim is settled. Else it looks by itself now and then.
 *
 * Whether events are to be believed shows by itself where each claim renames a file out of the directory that is watched:
 *
 *   untried   no event has come, nor need one have
 *   heard     one has come
 *   deaf      we have renamed a file there, waited twice as long as nobody needs to tell us, and were told nothing; or
 *             there are no events to be had
 *
 *     untried --an event--> heard --our own change is not told--> deaf --an event--> heard
 *
 * A deaf one looks more often. (That what another host does is never told on a network file system, this cannot show.)
 */

import { toMs } from '../os/calendar.ts';
import type { Clock, Watches } from '../os/ports.ts';
import { areNoEventsLeft } from './watch-directories.ts';

/** How often a worker that waits looks by itself, whatever it was told. */
export const POLL_MS = 1000;
/** And how often when it is told nothing. */
const DEAF_POLL_MS = 200;
/** So many polls without an event that was due, for the first may end before the event is handed over. */
const DEAF_AFTER_POLLS = 2;

/** What decides how long a worker that has found nothing to do waits. */
export type Rest = {
  readonly isPaused: boolean;
  /** Until the next look is affordable, milliseconds. */
  readonly restMs: number;
  /** When the first of the jobs that may not start yet may, milliseconds since 1970. */
  readonly nextStartMs: number | undefined;
};

export class Changes {
  readonly #watches: Watches;
  readonly #clock: Clock;
  readonly #waiters = new Set<() => void>();
  #isStale = true;
  readonly #ends: (() => void)[] = [];
  #hearing: 'untried' | 'heard' | 'deaf' = 'untried';
  /** We have changed something that we were not told of yet. */
  #isEventDue = false;
  #silentPolls = 0;

  constructor({ watches, clock }: { readonly watches: Watches; readonly clock: Clock }) {
    this.#watches = watches;
    this.#clock = clock;
  }

  /** Something has changed since the last look, as far as anybody said. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** What is not told has not happened. */
  get areTold(): boolean {
    return this.#ends.length > 0 && this.#hearing !== 'deaf';
  }

  /** Whether events come; undefined as long as that has not shown. */
  get eventsArrive(): boolean | undefined {
    return this.#hearing === 'untried' ? undefined : this.#hearing === 'heard';
  }

  get pollMs(): number {
    return this.#hearing === 'deaf' ? DEAF_POLL_MS : POLL_MS;
  }

  async watch(...directories: readonly string[]): Promise<void> {
    try {
      for (const directory of directories) await this.#watch(directory);
    } catch (error) {
      if (!areNoEventsLeft(error)) throw error;
      this.#hearing = 'deaf';
    }
  }

  async #watch(directory: string): Promise<void> {
    this.#ends.push(
      await this.#watches.watch(directory, {
        onChange: () => {
          this.#hearing = 'heard';
          this.#isEventDue = false;
          this.#silentPolls = 0;
          this.tell();
        },
        onLost: () => {
          this.#hearing = 'deaf';
          this.tell();
        },
      }),
    );
  }

  /** We have renamed a file out of the directory. */
  madeOne(): void {
    this.#isEventDue = this.#ends.length > 0;
  }

  end(): void {
    for (const end of this.#ends) end();
    this.wake();
  }

  tell(): void {
    this.#isStale = true;
    this.wake();
  }

  /** To be called when a look begins: what comes after that it may not see. */
  beginLook(): void {
    this.#isStale = false;
  }

  /** Those who wait may ask again: there may be something for each of them. */
  wake(): void {
    for (const wake of [...this.#waiters]) wake();
  }

  /** Resolves when it is worth looking again: at the latest after `atMostMs`, or when `signal` is aborted. */
  async untilWorthALook(atMostMs: number, signal: AbortSignal, rest: Rest): Promise<void> {
    const { isPaused, restMs, nextStartMs = Number.POSITIVE_INFINITY } = rest;
    // While the queue is paused nobody looks, so there is nothing to be told.
    const told = this.areTold && this.#isStale && !isPaused;
    if (signal.aborted || (told && restMs <= 0)) return;
    const startsInMs = nextStartMs - toMs(this.#clock.now());
    await this.wait(Math.min(atMostMs, told ? restMs : this.pollMs, startsInMs), signal);
  }

  /** Resolves when woken, after `ms`, or when `signal` is aborted. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const stop = () => {
        cancel();
        signal.removeEventListener('abort', stop);
        this.#waiters.delete(stop);
        resolve();
      };
      const cancel = this.#clock.after(Math.max(0, Math.ceil(ms)), () => {
        if (ms >= POLL_MS) this.#heardNothing();
        stop();
      });
      signal.addEventListener('abort', stop);
      this.#waiters.add(stop);
    });
  }

  #heardNothing(): void {
    if (!this.#isEventDue) return;
    this.#silentPolls += 1;
    if (this.#silentPolls >= DEAF_AFTER_POLLS) this.#hearing = 'deaf';
  }
}
