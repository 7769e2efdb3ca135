/** What the simulator has to know of a queue's layout on disk. One small file for each layout implements it. */

import type { Machine } from '../../src/os/ports.ts';
import type { Payload } from '../history.ts';

/** Told of what happens to a run as it happens. */
export type Observer = {
  /** The place is the job's in the queue's order. Returns the run. */
  started(place: bigint, payload: Uint8Array): number;
  ended(run: number, succeeded: boolean): void;
  /** The queue has said that the job is over for good. */
  finished(place: bigint): void;
};

/** How jobs are run: by a function within the worker, or by the simulated command of this name. */
export type Runner =
  | { readonly kind: 'function'; readonly observer: Observer }
  | { readonly kind: 'command'; readonly program: string; readonly observer: Observer };

export type WorkEnd =
  | { readonly kind: 'empty' }
  /** A place that the queue waits for, and the first after it that is there. */
  | { readonly kind: 'gap'; readonly missing: bigint; readonly next: bigint }
  /** A job has failed and stays. */
  | { readonly kind: 'failed' };

export interface Layout {
  readonly name: string;
  create(machine: Machine): Promise<void>;
  /**
   * Resolves, with the job's place in the order, when the queue has accepted it. `fromElsewhere`: as another sender,
   * that the queue's own adders know nothing of.
   */
  add(machine: Machine, payload: Payload, fromElsewhere: boolean): Promise<bigint>;
  /** Whether an add that was rejected with this may have added the job all the same. */
  mayHaveAdded(error: unknown): boolean;
  /** Works until there is nothing to do. Rejects when the queue cannot be worked. */
  work(machine: Machine, runner: Runner): Promise<WorkEnd>;
  /** Whether a rejection of `work` only says that somebody else is at it. */
  isBusy(error: unknown): boolean;
  /** What the queue shows as jobs and cannot read. */
  unreadable(machine: Machine): Promise<readonly string[]>;
  /** What an operator does about a gap that was reported. */
  skipTo(machine: Machine, next: bigint): Promise<void>;
}
