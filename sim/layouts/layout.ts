/** What the simulator has to know of a queue's layout on disk. One small file for each layout implements it. */

import type { Machine } from '../../src/os/ports.ts';
import type { Payload } from '../history.ts';

/** A job, by what its layout knows of it: its place in the order of its lane, or what it was added with. */
export type Which = { readonly lane: string; readonly place: bigint } | { readonly payload: Payload };

/** Told of what happens to a run as it happens. */
export type Observer = {
  /** A point in time, for `claimed`. */
  now(): number;
  /** A worker has it now, having asked since then. */
  claimed(job: Which, since: number): void;
  /** The place is the job's in the order of its lane. Returns the run. */
  started(place: bigint, payload: Uint8Array): number;
  /** `done`: it need not run again, having succeeded, or failed where the policy is to go on with the next. */
  ended(run: number, done: boolean): void;
  /** It has failed too often, and is about to be put away. */
  givenUp(job: Which): void;
  /** The queue has said that the job is over for good. */
  finished(job: Which): void;
  /** Something that was promised is not so. */
  broken(promise: string, message: string): void;
};

/** How jobs are run: by a function within the worker, or by the simulated command of this name. */
export type Runner = { readonly observer: Observer; readonly manner?: Manner } & (
  | { readonly kind: 'function' }
  | { readonly kind: 'command'; readonly program: string }
);

/** How workers that share a queue go about it. */
export type Manner = {
  readonly concurrency: number;
  /** How long one on another host may be silent. */
  readonly leaseMs: number;
  /** Waits for more when there is nothing to do. */
  readonly keepsWaiting: boolean;
  /** Goes on until what dead workers left is done too, however long their leases take. */
  readonly isPatient: boolean;
};

export type WorkEnd =
  | { readonly kind: 'empty' }
  /** A place that a lane waits for, and the first after it that is there. */
  | { readonly kind: 'gap'; readonly lane: string; readonly missing: bigint; readonly next: bigint }
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
  /** It is worked by several at once, each in its `Manner`. */
  readonly isShared?: boolean;
  /** Claims are locks and nothing else: hosts that see their own locks only cannot share it. */
  readonly claimsByLock?: boolean;
  create(machine: Machine): Promise<void>;
  /** A queue that is only added to; what comes to be in its `arrivals` is carried to the real one by others. */
  createSender(machine: Machine): Promise<void>;
  /** Whether there is a queue. Rejects when nobody can tell. */
  exists(machine: Machine): Promise<boolean>;
  /** The lane whose order a job keeps; undefined: none. A queue that is one line is one lane, ''. */
  laneOf(payload: Payload): string | undefined;
  /** Resolves, with the job's place in the order, when the queue has accepted it. */
  add(machine: Machine, payload: Payload, way: AddWay): Promise<bigint>;
  /** Many at once, where the layout can. Resolves with their places. */
  addAll?(machine: Machine, payloads: readonly Payload[]): Promise<readonly bigint[]>;
  /** Makes the queue wait, and lets it go on. */
  pause?(machine: Machine): Promise<void>;
  resume?(machine: Machine): Promise<void>;
  /** Whether it is added under a name that lasts. */
  isNamed?(payload: Payload): boolean;
  /** Whether it must not run: it has expired when it is added. */
  isVain?(payload: Payload): boolean;
  /** What it keeps of the jobs that are over without success. */
  putAway?(machine: Machine): Promise<readonly Payload[]>;
  /** It may put jobs away whose worker was killed. */
  readonly givesUp?: boolean;
  /** Whether an add that was rejected with this may have added the job all the same. */
  mayHaveAdded(error: unknown): boolean;
  /** Works until there is nothing to do. Rejects when the queue cannot be worked. */
  work(machine: Machine, runner: Runner): Promise<WorkEnd>;
  /** What the queue shows as jobs and cannot read. */
  unreadable(machine: Machine): Promise<readonly string[]>;
  /** What an operator does about a gap that was reported. */
  skipTo(machine: Machine, lane: string, next: bigint): Promise<void>;
  /** The directory that job files arrive in. */
  readonly arrivals: string;
  /** Directories that people and programs list. */
  readonly listed?: readonly string[];
  /** Names of directories of which a power cut may leave anything: no promise hangs on what is there. */
  readonly notes?: readonly string[];
  /** Names that are not chosen anew for each job, which people and programs look at: hosts have beliefs about them. */
  readonly fixedNames: readonly string[];
}

/** The number of a job in a layout that gives each one. */
export function numberOf({ seq }: { readonly seq: bigint | undefined }): bigint {
  if (seq === undefined) throw new TypeError('Expected a job with a number');
  return seq;
}
