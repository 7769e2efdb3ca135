/**
 * Moving the jobs of one queue to another.
 *
 * The source is worked as any worker works it, beside others, so what holds for workers holds here: claims come back from
 * a relay that died, jobs of a lane are claimed one after the other. What it does with a job is to bring it to the target:
 *
 * | step                                           | a crash here leaves                                             |
 * |------------------------------------------------|-----------------------------------------------------------------|
 * | claimed at the source                          | the job at the source, one start more counted                   |
 * | the target is reached and has room             | the same                                                        |
 * | added at the target, under a name that lasts   | the same, or the job in both; brought again, it is known by its |
 * |                                                | name, where the target remembers names                          |
 * | settled at the source: it has succeeded        | the job at the target alone                                     |
 *
 * So a job is never in none of the two. A next job of its lane is claimed after the last step, so it cannot overtake.
 *
 * What becomes of a job that could not be brought:
 *
 *   refused     the target will never take it, or its payload cannot be read: it fails at the source, for a person to see
 *   trouble     the target is full, away, or in trouble: it is given back, and the relay waits, longer each time; a relay
 *               that is not to keep waiting ends
 *   stopped     we were told to: one that waits is given back at once, one that is on its way has the grace time
 */

import type { Machine } from '../os/ports.ts';
import { readPieces } from '../os/transfer.ts';
import type { Job, Queue, SharedClaim, Unreadable } from '../queue/contract.ts';
import { reasonOf } from '../queue/errors.ts';
import { type Place, type PoolReport, type Ran, runPool } from '../worker/pool.ts';
import { outcomeWithout } from '../worker/run-command.ts';
import { breather } from './breather.ts';
import { type CarryOptions, carriedFrom } from './carried.ts';
import { Patience } from './patience.ts';
import { type Delivered, isRefusal, type Target } from './target.ts';

export type RelayOptions = CarryOptions & {
  /** How many jobs at once. Default: 4. */
  readonly concurrency?: number | undefined;
  /** Do not end when no job is left, nor when the target is in trouble. */
  readonly keepWaiting: boolean;
  readonly maxJobs?: number | undefined;
  /** Aborted: begin no more. */
  readonly stop: AbortSignal;
  readonly graceMs: number;
  readonly leaseMs?: number | undefined;
  readonly listener: RelayListener;
};

/** Told what a relay does. */
export interface RelayListener {
  moved(job: Job, moved: Delivered & { readonly bytes: number }): void;
  /** So many bytes more of payload were read. */
  progressed(bytes: number): void;
  /** It failed at the source. */
  refused(job: Job, reason: string): void;
  /** The target cannot be reached or cannot take jobs; tried again after `againMs`, or undefined: never. */
  targetTrouble(error: unknown, againMs: number | undefined): void;
  sourceTrouble(queue: Queue, error: unknown): Promise<void>;
  unreadable(queue: Queue, files: readonly Unreadable[]): void;
}

/** `trouble`: what a relay that does not keep waiting has ended of. */
export type RelayReport = { readonly pool: PoolReport; readonly trouble?: unknown };

const DEFAULT_CONCURRENCY = 4;

export function relayJobs(
  machine: Machine,
  source: Queue,
  target: Target,
  options: RelayOptions,
): Promise<RelayReport> {
  return new Relay(machine, source, target, options).run();
}

type Outcome =
  | { readonly kind: 'moved'; readonly delivered: Delivered; readonly bytes: number }
  /** There was nothing to move. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'kept' };

/** The payload is wrong, not the target. */
class PayloadProblem extends Error {}

class Relay {
  readonly #machine: Machine;
  readonly #source: Queue;
  readonly #target: Target;
  readonly #options: RelayOptions;
  readonly #patience: Patience;
  /** Aborted: the target is in trouble, and we do not keep waiting. */
  readonly #giveUp = new AbortController();
  readonly #stop: AbortSignal;
  #trouble: unknown;

  constructor(machine: Machine, source: Queue, target: Target, options: RelayOptions) {
    this.#machine = machine;
    this.#source = source;
    this.#target = target;
    this.#options = options;
    this.#patience = new Patience(machine.clock);
    this.#stop = AbortSignal.any([options.stop, this.#giveUp.signal]);
  }

  async run(): Promise<RelayReport> {
    const {
      concurrency = DEFAULT_CONCURRENCY,
      keepWaiting,
      maxJobs,
      graceMs,
      leaseMs,
      listener,
    } = this.#options;
    const pool = await runPool(this.#machine, {
      queues: [this.#source],
      concurrency,
      keepWaiting,
      maxJobs,
      graceMs,
      stop: this.#stop,
      // To be started and given back by a relay that is killed again and again says nothing of the job.
      join: { maxStarts: Number.POSITIVE_INFINITY, ...(leaseMs === undefined ? {} : { leaseMs }) },
      run: (claim, place) => this.#run(claim, place),
      onTrouble: (queue, error) => listener.sourceTrouble(queue, error),
      onUnreadable: (queue, files) => listener.unreadable(queue, files),
    });
    return { pool, ...(this.#giveUp.signal.aborted ? { trouble: this.#trouble } : {}) };
  }

  async #run(claim: SharedClaim, place: Place): Promise<() => Promise<Ran>> {
    const outcome = await this.#carry(claim, place);
    return () => this.#settleInTheEnd(claim, outcome);
  }

  async #carry(claim: SharedClaim, place: Place): Promise<Outcome> {
    const { job } = claim;
    if (job.work.kind !== 'command') {
      const nothing = outcomeWithout(job.work);
      return nothing.kind === 'failed' ? { kind: 'refused', reason: nothing.reason } : { kind: 'nothing' };
    }
    let bytes = 0;
    const count = (more: number) => {
      bytes += more;
      this.#options.listener.progressed(more);
    };
    try {
      if (!(await this.#reachTarget())) return { kind: 'kept' };
      const stops = { waiting: this.#stop, moving: place.stop };
      const payload = () => this.#payloadOf(claim, count);
      const delivered = await this.#target.deliver(carriedFrom(job, this.#options), payload, stops);
      this.#patience.regain();
      return { kind: 'moved', delivered, bytes };
    } catch (error) {
      if (error instanceof PayloadProblem) return { kind: 'refused', reason: error.message };
      if (this.#stop.aborted || place.stop.aborted) return { kind: 'kept' };
      if (isRefusal(error)) return { kind: 'refused', reason: reasonOf(error) };
      this.#lose(error);
      return { kind: 'kept' };
    }
  }

  /** False when we are to stop before. */
  async #reachTarget(): Promise<boolean> {
    for (;;) {
      await this.#patience.wait(this.#stop);
      if (this.#stop.aborted) return false;
      try {
        await this.#target.ready();
        return true;
      } catch (error) {
        this.#lose(error);
      }
    }
  }

  #lose(error: unknown): void {
    const { keepWaiting, listener } = this.#options;
    this.#trouble ??= error;
    listener.targetTrouble(error, keepWaiting ? this.#patience.lose() : undefined);
    if (!keepWaiting) this.#giveUp.abort();
  }

  async *#payloadOf(claim: SharedClaim, count: (bytes: number) => void): AsyncGenerator<Uint8Array> {
    const { files, clock } = this.#machine;
    const breathe = breather(clock);
    try {
      for await (const piece of readPieces(files, claim.payload)) {
        count(piece.length);
        yield piece;
        await breathe();
      }
    } catch (error) {
      throw new PayloadProblem(`its payload cannot be read: ${reasonOf(error)}`, { cause: error });
    }
    const problem = await claim.payloadProblem();
    if (problem !== undefined) throw new PayloadProblem(problem);
  }

  /** The source may be away for a while too: a claim that could not be settled is as it was. */
  async #settleInTheEnd(claim: SharedClaim, outcome: Outcome): Promise<Ran> {
    const { keepWaiting, stop, listener } = this.#options;
    const patience = new Patience(this.#machine.clock);
    for (;;) {
      try {
        return await this.#settle(claim, outcome);
      } catch (error) {
        if (!keepWaiting || stop.aborted) throw error;
        await listener.sourceTrouble(this.#source, error);
        patience.lose();
        await patience.wait(stop);
      }
    }
  }

  async #settle(claim: SharedClaim, outcome: Outcome): Promise<Ran> {
    const { listener } = this.#options;
    switch (outcome.kind) {
      case 'moved':
      case 'nothing': {
        if ((await claim.succeed()) === 'lost') return 'lost';
        if (outcome.kind === 'moved') {
          listener.moved(claim.job, { ...outcome.delivered, bytes: outcome.bytes });
        }
        return 'succeeded';
      }
      case 'refused': {
        const settled = await claim.fail(outcome.reason);
        listener.refused(claim.job, outcome.reason);
        return settled === 'lost' ? 'lost' : 'failed';
      }
      case 'kept':
        return (await claim.release()) === 'lost' ? 'lost' : 'given-back';
    }
  }
}
