/**
 * Being known to be alive, and noticing who is not.
 *
 *   alive    our room's file is touched again and again
 *   fenced   our room is gone, or nobody has heard of us for the lease: our jobs are run by others
 *   ended    nothing is touched any more
 */

import type { Machine } from '../../os/ports.ts';
import { POLL_MS } from '../../queue/changes.ts';
import { bringBackTheDead, type Recoverer } from './recovery.ts';
import { fencedError, type WorkerRoom } from './worker-room.ts';

export class Life {
  readonly #machine: Machine;
  readonly #queue: string;
  readonly #room: WorkerRoom;
  readonly #fence = new AbortController();
  #stopBeating: () => void = () => {};
  #recoveredAtMs = Number.NEGATIVE_INFINITY;
  #ended = false;

  constructor(machine: Machine, queue: string, room: WorkerRoom) {
    this.#machine = machine;
    this.#queue = queue;
    this.#room = room;
  }

  get fenced(): AbortSignal {
    return this.#fence.signal;
  }

  begin(): void {
    this.#stopBeating = this.#machine.clock.after(this.#room.beatEveryMs, () => {
      void this.#beat();
    });
  }

  end(): void {
    this.#ended = true;
    this.#stopBeating();
  }

  requireAlive(): void {
    if (this.#fence.signal.aborted) throw fencedError(this.#room.path);
  }

  /** Throws `fenced` when our room is gone, and remembers it. */
  async requireRoom(): Promise<void> {
    if (!(await this.#room.exists())) this.#fence.abort();
    this.requireAlive();
  }

  /** Returns how many jobs came back; 0 when it was asked for a moment ago. */
  async recoverNowAndThen(recoverer: Omit<Recoverer, 'own'>): Promise<number> {
    const nowMs = this.#machine.clock.monotonicMs();
    if (nowMs - this.#recoveredAtMs < POLL_MS) return 0;
    this.#recoveredAtMs = nowMs;
    return bringBackTheDead(this.#machine, this.#queue, { ...recoverer, own: this.#room });
  }

  async #beat(): Promise<void> {
    if (this.#ended) return;
    let alive: boolean | 'unknown';
    try {
      alive = await this.#room.beat();
    } catch {
      alive = 'unknown';
    }
    // Nobody answers: by now others may think that we are dead.
    if (alive === false || !this.#room.isSurelyOurs) this.#fence.abort();
    else if (!this.#ended) this.begin();
  }
}
