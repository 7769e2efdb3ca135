/** Waiting for something that is in trouble: longer each time, until it goes well again. */

import type { Clock } from '../os/ports.ts';

const FIRST_MS = 500;
const FACTOR = 2;
const LONGEST_MS = 60_000;

export class Patience {
  readonly #clock: Clock;
  #nextMs = FIRST_MS;
  #untilMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** It went wrong. Of several who find out at once the first counts. Returns how long to wait. */
  lose(): number {
    const nowMs = this.#clock.monotonicMs();
    if (this.#untilMs > nowMs) return this.#untilMs - nowMs;
    const waitMs = this.#nextMs;
    this.#untilMs = nowMs + waitMs;
    this.#nextMs = Math.min(waitMs * FACTOR, LONGEST_MS);
    return waitMs;
  }

  regain(): void {
    this.#nextMs = FIRST_MS;
    this.#untilMs = Number.NEGATIVE_INFINITY;
  }

  /** Resolves when it is time to try again, or `stop` is aborted. */
  async wait(stop: AbortSignal): Promise<void> {
    await pause(this.#clock, this.#untilMs - this.#clock.monotonicMs(), stop);
  }
}

/** Resolves after `ms`, or when `stop` is aborted. */
export async function pause(clock: Clock, ms: number, stop: AbortSignal): Promise<void> {
  if (ms <= 0 || stop.aborted) return;
  await new Promise<void>((resolve) => {
    const end = () => {
      cancel();
      stop.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(ms, end);
    stop.addEventListener('abort', end);
  });
}
