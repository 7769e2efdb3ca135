/** Back-pressure: a target is given no more jobs than it has room for. */

import type { Clock } from '../os/ports.ts';
import type { Queue } from '../queue/contract.ts';
import { pause } from './patience.ts';

/** How often a full queue is counted again. */
const COUNT_AGAIN_MS = 500;

export class Room {
  readonly #clock: Clock;
  readonly #queue: Queue;
  readonly #maxWaiting: number;
  /** So many more may come before it is to be counted again: what waits there may only have become less. */
  #left = 0;
  /** Places that are taken, by jobs that may not be there yet. */
  #taken = 0;
  #counting: Promise<void> | undefined;

  constructor(clock: Clock, queue: Queue, maxWaiting = Number.POSITIVE_INFINITY) {
    this.#clock = clock;
    this.#queue = queue;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Takes a place when there is one, and returns how to give it back once the job is there, or not to come. Rejects when
   * the queue cannot be counted, or `stop` is aborted.
   */
  async take(stop: AbortSignal, onFull: () => void = () => {}): Promise<() => void> {
    if (this.#maxWaiting === Number.POSITIVE_INFINITY) return () => {};
    for (let told = false; !(await this.#takeOne()); told = true) {
      stop.throwIfAborted();
      if (!told) onFull();
      await pause(this.#clock, COUNT_AGAIN_MS, stop);
    }
    return () => {
      this.#taken -= 1;
    };
  }

  async #takeOne(): Promise<boolean> {
    if (this.#left <= 0) {
      this.#counting ??= this.#count().finally(() => {
        this.#counting = undefined;
      });
      await this.#counting;
    }
    if (this.#left <= 0) return false;
    this.#left -= 1;
    this.#taken += 1;
    return true;
  }

  async #count(): Promise<void> {
    const waiting = (await this.#queue.countWaiting?.()) ?? (await this.#queue.jobs()).jobs.length;
    this.#left = this.#maxWaiting - waiting - this.#taken;
  }
}
