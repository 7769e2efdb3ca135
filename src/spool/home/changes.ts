/**
 * Noticing that the waiting jobs have changed: told by file events, known by ourselves, or found by looking now and then.
 *
 *   fresh    nobody has said anything since the last look began
 *   stale    somebody has: it is worth looking again
 *
 *     fresh --an event, a dead worker's jobs came back--> stale --a look begins--> fresh
 *
 * Whoever waits is woken by what makes it stale, and when a claim is settled. Else it looks by itself, each second.
 */

import { type Clock, hasErrno, type Watches } from '../../os/ports.ts';

/** How often a worker that waits looks by itself, whatever it was told. */
export const POLL_MS = 1000;

export class Changes {
  readonly #watches: Watches;
  readonly #clock: Clock;
  readonly #waiters = new Set<() => void>();
  #isStale = true;
  #stopWatching: (() => void) | undefined;

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
    return this.#stopWatching !== undefined;
  }

  async watch(directory: string): Promise<void> {
    try {
      this.#stopWatching = await this.#watches.watch(directory, {
        onChange: () => this.tell(),
        onLost: () => this.tell(),
      });
    } catch (error) {
      if (!hasErrno(error, 'ENOSPC', 'EMFILE', 'ENOSYS', 'ENOTSUP')) throw error;
      // Then we look by ourselves.
    }
  }

  end(): void {
    this.#stopWatching?.();
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

  /** Resolves when woken, after `ms`, or when `signal` is aborted. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const stop = () => {
        cancel();
        signal.removeEventListener('abort', stop);
        this.#waiters.delete(stop);
        resolve();
      };
      const cancel = this.#clock.after(Math.max(0, Math.ceil(ms)), stop);
      signal.addEventListener('abort', stop);
      this.#waiters.add(stop);
    });
  }
}
