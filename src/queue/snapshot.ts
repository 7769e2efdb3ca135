/**
 * Everything about a queue at one moment, whatever its layout: what people and programs see who look and do not touch.
 *
 *     waiting --> running --> (gone)        a job that has succeeded, unless such jobs are kept: then `done`
 *        ^           |
 *        |           +------> failed        over without success, until a person retries or removes it
 *        +-----------+                      to be tried again, given back, or its worker has died
 *
 * | standing    | the waiting job                                                                      |
 * |-------------|--------------------------------------------------------------------------------------|
 * | `ready`     | may start now                                                                        |
 * | `delayed`   | may start at its time                                                                |
 * | `held`      | waits for a person: it was held, or it has failed and its lane must not go on without |
 * | `behind`    | waits for the job at which its lane is                                               |
 * | `gap`       | waits for a number that is not there                                                 |
 * | `duplicate` | has the number of a job before it in its lane                                        |
 * | `past`      | has a number that its lane is done with: it does not start any more                  |
 * | `stuck`     | nobody can tell what it waits for: a file of the queue is damaged                    |
 */

import type { LockHolder } from '../os/lock-holders.ts';
import type { Sequence } from '../packet/header.ts';
import type { RunFacts, Unreadable } from './contract.ts';
import type { Durability } from './publish.ts';

export type LayoutName = 'filespooler' | 'dirqueue' | 'fsq' | 'uow' | 'jetstream';

/** What is known of a job without opening its file. */
export type SeenJob = {
  /** What it is called for as long as it exists, wherever its file is. */
  readonly id: string;
  /** Of its file. */
  readonly name: string;
  readonly path: string;
  /** The lane whose order it keeps; `''` is the queue's own. */
  readonly lane: string | undefined;
  /** Its number in the order of its lane. */
  readonly seq: Sequence | undefined;
  readonly priority: number | undefined;
  /** Milliseconds since 1970, as are all times here. */
  readonly addedMs: number | undefined;
  /** 0: from the beginning. */
  readonly notBeforeMs: number;
  /** How often it was started, as far as the layout counts. */
  readonly attempts: number;
  readonly held: boolean;
};

export type Standing =
  | { readonly kind: 'ready' }
  | { readonly kind: 'delayed'; readonly untilMs: number }
  /** With the run that failed, where that is why. */
  | { readonly kind: 'held'; readonly failed?: RunRecord }
  /** `seq` is the number of the job that its lane is at. */
  | { readonly kind: 'behind'; readonly seq: Sequence; readonly running: boolean }
  | { readonly kind: 'gap'; readonly missing: Sequence }
  | { readonly kind: 'duplicate'; readonly seq: Sequence }
  | { readonly kind: 'past'; readonly next: Sequence }
  | { readonly kind: 'stuck' };

export type WaitingJob = SeenJob & { readonly place: 'waiting'; readonly standing: Standing };

export type RunningJob = SeenJob & {
  readonly place: 'running';
  readonly worker: SeenWorker;
  /** Since when it is in that worker's hands; undefined when nobody can tell. */
  readonly sinceMs: number | undefined;
};

export type StoredJob = SeenJob & { readonly place: 'failed' | 'done' };

export type FoundJob =
  | WaitingJob
  | RunningJob
  | StoredJob
  | (SeenJob & { readonly place: 'unreadable'; readonly message: string });

/** `silent`: on another machine, and quiet for longer than its lease. `unknown`: it has not said who it is. */
export type Life = 'alive' | 'dead' | 'silent' | 'unknown';

export type SeenWorker = {
  readonly name: string;
  readonly life: Life;
  readonly host: string | undefined;
  readonly pid: number | undefined;
  readonly startedMs: number | undefined;
  /** When it was last heard of. */
  readonly beatMs: number | undefined;
  /** How long it may be silent until its jobs are given to others; undefined: for ever. */
  readonly leaseMs: number | undefined;
  /** How many jobs it has in hand. */
  readonly jobs: number;
};

export type LaneSnapshot = {
  /** `''` is the queue's own: of jobs without a lane in an ordered queue. */
  readonly lane: string;
  /** The number it waits for; undefined when that file is damaged. */
  readonly next: Sequence | undefined;
  readonly waiting: number;
  readonly running: number;
  readonly missing: Sequence | undefined;
};

/** A name among the jobs that is none. */
export type Litter = { readonly path: string; readonly kind: 'temporary' | 'other' };

export type Counts = Readonly<
  Record<Standing['kind'] | 'waiting' | 'running' | 'failed' | 'done' | 'unreadable' | 'lanesFailed', number>
>;

export type QueueSnapshot = {
  /** The location. */
  readonly queue: string;
  readonly layout: LayoutName;
  /** What sort of queue of its layout: a word for people. */
  readonly kind: string;
  readonly takenMs: number;
  /** `free`: many at once; jobs of one lane one after the other. `sequence`: those without a lane too. */
  readonly order: 'free' | 'sequence';
  readonly paused: boolean;
  /** In the order in which they would be started, those that cannot be last. */
  readonly waiting: readonly WaitingJob[];
  readonly running: readonly RunningJob[];
  readonly failed: readonly StoredJob[];
  readonly unreadable: readonly Unreadable[];
  readonly lanes: readonly LaneSnapshot[];
  readonly workers: readonly SeenWorker[];
  /** Who works it alone; undefined when nobody does or nobody can tell. */
  readonly alone: LockHolder | undefined;
  readonly litter: readonly Litter[];
  /** Files of the queue itself that are damaged, as sentences. */
  readonly damage: readonly string[];
  readonly counts: Counts;
  /** False when each look saw another state of the lanes, so that gaps may only seem so. */
  readonly settled: boolean;
  /** When the oldest waiting job was added. */
  readonly oldestMs: number | undefined;
  /** How safe accepted jobs are; left out where they are as safe as was asked for when they were added. */
  readonly safety?: { readonly level: Durability; readonly sentence: string };
};

/** What became of one start of a job. Times are RFC 3339. */
export type RunRecord = RunFacts & {
  readonly reason?: string;
  readonly attempt: number;
  /** `lost`: others had taken the job over. `died`: its worker was found dead, and the job came back. */
  readonly outcome: 'succeeded' | 'failed' | 'retry' | 'released' | 'lost' | 'died';
  readonly worker: string;
  readonly started?: string;
  readonly ended: string;
};
