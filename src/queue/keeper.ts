/**
 * What an operator can see of a queue and do to it, whatever its layout: the other half of the contract. Workers and
 * adders need `Queue` only; `intray ls`, `show`, `retry` and their like, the dashboard and the metrics need this.
 *
 * What a layout cannot do is a method that is not there, or a refusal `not-possible` with a sentence that says why for
 * this queue. Nothing here disturbs workers: each change is one that they expect from each other.
 */

import type { Descriptor } from '../os/ports.ts';
import type { Sequence, Work } from '../packet/header.ts';
import type { OutputFile } from './contract.ts';
import type { FoundJob, LayoutName, QueueSnapshot, RunRecord, Standing } from './snapshot.ts';

export interface Keeper {
  readonly location: string;
  readonly layout: LayoutName;
  /** Where its jobs are: directories that should be on the file system of the queue itself. */
  readonly jobDirectories: readonly string[];
  /** Throws `not-a-queue`. Takes no lock that anybody needs, changes nothing. */
  look(): Promise<QueueSnapshot>;
  /** All of a snapshot's jobs, and those that are done and kept. */
  everyJob(snapshot: QueueSnapshot): Promise<readonly FoundJob[]>;
  /** What its file says, no more than a list shows; undefined when it has gone meanwhile or cannot be read. */
  contents(job: FoundJob): Promise<JobContents | undefined>;
  /** All that is known of it beside the snapshot. */
  details(job: FoundJob): Promise<JobDetails>;
  explain(snapshot: QueueSnapshot, job: FoundJob): Promise<Explanation>;
  openPayload(job: FoundJob): Promise<OpenedPayload>;
  /** Its ended runs, oldest first, and what they and the one that runs have said, as far as it is kept. */
  runs(job: FoundJob): Promise<Runs>;

  isPaused(): Promise<boolean>;
  pause(): Promise<void>;
  /** Returns whether it was paused. */
  resume(): Promise<boolean>;
  whatRuns(): Promise<WhatRuns>;

  /** Begins a change of jobs. */
  operate(): Promise<Operation>;
  findGarbage(options: GcOptions): Promise<readonly Garbage[]>;
  /** Removes it; returns what was still there. */
  removeGarbage(garbage: readonly Garbage[]): Promise<readonly Garbage[]>;
  /** What is not in order, where the layout can tell; in a queue that cannot be looked at, why. Changes nothing. */
  findDisorder(seen?: QueueSnapshot): Promise<readonly Finding[]>;
}

export type KeeperOptions = {
  /** A shell command that unpacks each job file, such as `zcat`. Throws `not-possible` where files are never packed. */
  readonly decoder?: string | undefined;
  /** Aborted: a decoder that is running is ended. */
  readonly signal?: AbortSignal | undefined;
  /** A queue that lacks what makes it one is opened too, to be asked for its disorder. Default: no. */
  readonly evenDamaged?: boolean | undefined;
};

/** Changes to single jobs. They last when `close` has resolved. */
export interface Operation {
  /** Does not start until it is released. */
  hold?(job: FoundJob): Promise<Operated>;
  release?(job: FoundJob): Promise<Operated>;
  /** Runs again what has failed, or now what would wait longer. */
  retry(job: FoundJob): Promise<Operated>;
  /** Removes it with what its runs have said. */
  remove(job: FoundJob): Promise<Operated>;
  /** Lets a lane go on that something stops. */
  skip?(lane: string): Promise<Skipped>;
  /** To another queue of the same layout. */
  move?(job: FoundJob, target: string): Promise<Operated>;
  repair(findings: readonly Finding[]): Promise<readonly Repaired[]>;
  close(): Promise<void>;
}

/** `unchanged`: it was so already. `gone`: the file was not there any more: look again. */
export type Operated =
  | {
      readonly kind: 'done';
      /** What became of its lane: `none`, for it has none or is past it. */
      readonly lane: 'none' | 'moved-on' | 'place-kept';
      /** Its new number, when it got one. */
      readonly seq?: bigint;
    }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'gone' };

export type Skipped = {
  readonly lane: string;
  readonly from: bigint;
  readonly to: bigint;
  /** The job that went to the failed ones; undefined for a gap. */
  readonly id: string | undefined;
};

export type JobContents = {
  readonly work: Work;
  /** Where the file says it. */
  readonly seq: Sequence | undefined;
};

export type JobDetails = {
  /** Undefined where its file has gone meanwhile or cannot be read. */
  readonly contents: JobContents | undefined;
  /** The one that its adder asked for, whatever the queue does about lanes. */
  readonly lane: string | undefined;
  /** RFC 3339, as it is in the file: as exact as the layout has it. */
  readonly made: string | undefined;
  readonly expiresMs: number | undefined;
  /** The adder's own name for it. */
  readonly name: string | undefined;
  /** Of the payload where the layout knows it, or of the file. */
  readonly bytes: number | undefined;
  /** What else the layout knows: the host it was added on, the trigger, ... */
  readonly more: readonly (readonly [title: string, value: string])[];
};

export type Explanation = {
  readonly cause: Cause;
  /** A whole sentence. */
  readonly sentence: string;
  /** What a person may do about it; `DIR`, `JOB` and `LANE` stand for the queue, this job and its lane. */
  readonly advice?: string;
};

/** What a job waits for, for programs. */
export type Cause =
  | 'running'
  | 'failed'
  | 'done'
  | 'unreadable'
  | 'paused'
  | 'append-only'
  | 'worked-alone'
  | 'no-worker'
  | 'expired'
  | 'others-first'
  | 'next'
  | Exclude<Standing['kind'], 'ready'>;

export type OpenedPayload = {
  /** At the payload's first byte. */
  readonly payload: Descriptor;
  /** To be called when it has been read: closes it; a sentence when what was read cannot be trusted. */
  finish(): Promise<string | undefined>;
};

export type Runs = {
  readonly records: readonly RunRecord[];
  /** The start that is running now. */
  readonly running: number | undefined;
  readonly outputs: readonly OutputFile[];
};

export type WhatRuns = {
  /** Jobs that workers have in hand. */
  readonly jobs: number;
  /** Jobs whose worker is dead, or silent: they wait for another one to bring them back. */
  readonly abandoned: number;
  /** Somebody works it alone, who may not know of pauses. */
  readonly alone: boolean;
};

export type GcOptions = {
  /** Of the jobs that are done, so many of the newest stay. */
  readonly keepDone: number;
  readonly olderThanMs: number;
};

export type Garbage = {
  readonly kind: 'done' | 'failed' | 'log' | 'receipt' | 'temporary';
  readonly path: string;
  readonly bytes: number;
  readonly changedMs: number;
};

/** Something that is not in order. */
export type Finding = {
  /** One word or two for programs: `temporary`, `dead-worker`. */
  readonly kind: string;
  readonly path: string;
  /** What is wrong, without the path, without a full stop. */
  readonly message: string;
  /** What `repair` would do about it, for programs; `person` when only one can know what is right. */
  readonly remedy: string;
  /** That in words, for a remedy that this layout alone has: `unlock it`, `unlocked`. */
  readonly words?: readonly [would: string, did: string];
  /** `note`: it is untidy, and all goes on. Left out: `damage`, by which jobs are lost or stopped. */
  readonly severity?: 'damage' | 'note';
  /** What a person should do; `DIR`, `PATH` and `FILE` stand for the queue, `path` and its last name. */
  readonly advice?: string;
};

/** `not-needed`: it was right by the time, or somebody else has seen to it. `left`: for a person. */
export type Repaired = { readonly finding: Finding; readonly result: 'done' | 'not-needed' | 'left' };
