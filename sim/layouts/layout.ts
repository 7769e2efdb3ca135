/** What the simulator has to know of a queue's layout on disk. One small file for each layout implements it. */

import type { Machine } from '../../src/os/ports.ts';
import type { Payload } from '../history.ts';

/** Told of what happens to a run as it happens. */
export type Observer = {
  /** The place is the job's in the queue's order. Returns the run. */
  started(place: bigint, payload: Uint8Array): number;
  /** `done`: it need not run again, having succeeded, or failed where the policy is to go on with the next. */
  ended(run: number, done: boolean): void;
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

/**
 * How a job is added: by the queue's own way; as by another sender, that the queue's own adders know nothing of; as
 * bytes that somebody else has made; or at the level that survives the death of processes, not of the power.
 */
export type AddWay = 'own' | 'elsewhere' | 'bytes' | 'crash-safe';

export interface Layout {
  readonly name: string;
  /** It is worked by other things than numbers, and does not care whether two jobs have the same. */
  readonly ignoresNumbers: boolean;
  create(machine: Machine): Promise<void>;
  /** A queue that is only added to; what comes to be in its `arrivals` is carried to the real one by others. */
  createSender(machine: Machine): Promise<void>;
  /** Whether there is a queue. Rejects when nobody can tell. */
  exists(machine: Machine): Promise<boolean>;
  /** Resolves, with the job's place in the order, when the queue has accepted it. */
  add(machine: Machine, payload: Payload, way: AddWay): Promise<bigint>;
  /** Whether an add that was rejected with this may have added the job all the same. */
  mayHaveAdded(error: unknown): boolean;
  /** Works until there is nothing to do. Rejects when the queue cannot be worked. */
  work(machine: Machine, runner: Runner): Promise<WorkEnd>;
  /** What the queue shows as jobs and cannot read. */
  unreadable(machine: Machine): Promise<readonly string[]>;
  /** What an operator does about a gap that was reported. */
  skipTo(machine: Machine, next: bigint): Promise<void>;
  /** The directory that job files arrive in. */
  readonly arrivals: string;
  /** Names that are not chosen anew for each job, which people and programs look at: hosts have beliefs about them. */
  readonly fixedNames: readonly string[];
}
