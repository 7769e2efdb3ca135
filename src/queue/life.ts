/**
 * Being known to be alive, and noticing who is not. A worker has a sign of its own in the queue, a file perhaps:
 *
 *   alive    our sign is touched again and again
 *   fenced   our sign is gone, or nobody has heard of us for the lease: our jobs are run by others
 *   ended    nothing is touched any more
 */

import type { Clock } from '../os/ports.ts';
import { POLL_MS } from './changes.ts';
import { QueueError } from './errors.ts';

/** What others know a worker by. */
export type Sign = {
  readonly path: string;
  readonly beatEveryMs: number;
  /** Whether nobody can have taken us for dead up to now: our lease is not over. */
  readonly isSurelyOurs: boolean;
  /** Says that we are alive. False when we were taken for dead. */
  beat(): Promise<boolean>;
  /** Asked of the server, where there is one. */
  exists(): Promise<boolean>;
};

export class Life {
  readonly #clock: Clock;
  readonly #sign: Sign;
  readonly #fence = new AbortController();
  #stopBeating: () => void = () => {};
  #recoveredAtMs = Number.NEGATIVE_INFINITY;
  #ended = false;

  constructor({ clock }: { readonly clock: Clock }, sign: Sign) {
    this.#clock = clock;
    this.#sign = sign;
  }

  get fenced(): AbortSignal {
    return this.#fence.signal;
  }

  begin(): void {
    this.#stopBeating = this.#clock.after(this.#sign.beatEveryMs, () => {
      void this.#beat();
    });
  }

  end(): void {
    this.#ended = true;
    this.#stopBeating();
  }

  requireAlive(): void {
    if (!this.#fence.signal.aborted) return;
    const why = 'this worker was silent for too long and was taken for dead';
    throw new QueueError('fenced', `${this.#sign.path}: ${why}`);
  }

  /** Throws `fenced` when our sign is gone, and remembers it. */
  async requireSign(): Promise<void> {
    if (!(await this.#sign.exists())) this.#fence.abort();
    this.requireAlive();
  }

  /** Calls what brings back the jobs of the dead and returns how many; 0 when it was asked for a moment ago. */
  async recoverNowAndThen(bringBack: () => Promise<number>): Promise<number> {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#recoveredAtMs < POLL_MS) return 0;
    this.#recoveredAtMs = nowMs;
    return bringBack();
  }

  async #beat(): Promise<void> {
    if (this.#ended) return;
    let alive: boolean | 'unknown';
    try {
      alive = await this.#sign.beat();
    } catch {
      alive = 'unknown';
    }
    // Nobody answers: by now others may think that we are dead.
    if (alive === false || !this.#sign.isSurelyOurs) this.#fence.abort();
    else if (!this.#ended) this.begin();
  }
}
