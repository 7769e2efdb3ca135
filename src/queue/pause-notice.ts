import type { Clock } from '../os/ports.ts';

/** How soon a pause or its end is noticed. */
const NOTICED_MS = 50;

/**
 * Whether a queue is paused. Asked anew now and then only: for each of many short jobs it would cost as much as the rest
 * of the claim.
 */
export class PauseNotice {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #ask: () => Promise<boolean>;
  #askedMs = Number.NEGATIVE_INFINITY;
  #isPaused = false;

  constructor({ clock }: { readonly clock: Pick<Clock, 'monotonicMs'> }, ask: () => Promise<boolean>) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** As it was when it was last asked for. */
  get wasPaused(): boolean {
    return this.#isPaused;
  }

  async isPaused(): Promise<boolean> {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#askedMs >= NOTICED_MS) {
      this.#isPaused = await this.#ask();
      this.#askedMs = nowMs;
    }
    return this.#isPaused;
  }
}
