/** The line that says how far a worker is: counts, rate, what is left. */

import type { NamedQueues } from '../../open/find.ts';
import type { Clock, Machine } from '../../os/ports.ts';
import { formatSpan } from '../../os/span.ts';
import type { Ran } from '../../worker/pool.ts';
import type { Progress } from '../terminal.ts';

const SHOW_MS = 200;
/** The rate is that of the last so many milliseconds. */
const WINDOW_MS = 10_000;
/** Below this there is no rate to speak of. */
const LEAST_WINDOW_MS = 1000;
/** Counting what waits takes at most this part of the time. */
const SHARE_OF_TIME = 0.05;

export class Tally {
  running = 0;
  waiting: number | undefined;
  readonly counts: Record<Ran, number> = { succeeded: 0, failed: 0, again: 0, 'given-back': 0, lost: 0 };
  readonly #clock: Clock;
  readonly #startedMs: number;
  /** When how many were over, oldest first. */
  readonly #samples: { readonly atMs: number; readonly over: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
  }

  count(ran: Ran): void {
    this.counts[ran] += 1;
  }

  get elapsedMs(): number {
    return this.#clock.monotonicMs() - this.#startedMs;
  }

  /** Jobs a second, lately; undefined when that says nothing yet. */
  rate(): number | undefined {
    const now = { atMs: this.#clock.monotonicMs(), over: this.counts.succeeded + this.counts.failed };
    this.#samples.push(now);
    while (now.atMs - (this.#samples[0]?.atMs ?? 0) > WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0] ?? now;
    const spanMs = now.atMs - first.atMs;
    if (spanMs < LEAST_WINDOW_MS || now.over === first.over) return undefined;
    return ((now.over - first.over) / spanMs) * 1000;
  }

  line(): string {
    const { succeeded, failed, again } = this.counts;
    const parts = [`${succeeded} done`];
    if (failed > 0) parts.push(`${failed} failed`);
    if (again > 0) parts.push(`${again} to be tried again`);
    parts.push(`${this.running} running`);
    if (this.waiting !== undefined) parts.push(`${this.waiting} waiting`);
    const rate = this.rate();
    if (rate !== undefined) {
      parts.push(
        rate >= 1 ? `${rate.toFixed(rate < 10 ? 1 : 0)} a second` : `${(rate * 60).toFixed(1)} a minute`,
      );
      const left = (this.waiting ?? 0) + this.running;
      if (left > 0) parts.push(`about ${formatSpan(Math.max(1000, (left / rate) * 1000))} left`);
    }
    return parts.join(', ');
  }
}

/** Returns how to end it. */
export function showProgress(
  machine: Machine,
  progress: Progress,
  tally: Tally,
  queues: NamedQueues,
): () => Promise<void> {
  const { clock } = machine;
  let countAgainMs = 0;
  let ended = false;
  let cancel = () => {};
  let shown: Promise<void> = Promise.resolve();
  const show = async () => {
    if (clock.monotonicMs() >= countAgainMs) {
      const begunMs = clock.monotonicMs();
      tally.waiting = await countWaiting(queues).catch(() => undefined);
      const tookMs = clock.monotonicMs() - begunMs;
      countAgainMs = clock.monotonicMs() + Math.max(SHOW_MS, tookMs / SHARE_OF_TIME);
    }
    if (ended) return;
    await progress.say(tally.line());
    cancel = clock.after(SHOW_MS, () => {
      shown = show();
      shown.catch(() => {}); // told when it is ended
    });
  };
  cancel = clock.after(SHOW_MS, () => {
    shown = show();
    shown.catch(() => {});
  });
  return async () => {
    ended = true;
    cancel();
    await shown;
    cancel();
    await progress.clear();
  };
}

/** Undefined where one of them cannot tell at little cost. */
async function countWaiting(queues: NamedQueues): Promise<number | undefined> {
  let count = 0;
  for (const queue of await queues.find()) {
    const waiting = await queue.countWaiting?.();
    if (waiting === undefined) return undefined;
    count += waiting;
  }
  return count;
}
