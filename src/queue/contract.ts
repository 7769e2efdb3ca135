/**
 * What a queue is, whatever its layout on disk.
 *
 * A `Queue` is a place; looking at it and adding to it needs no permission from anybody. To run its jobs a worker
 * opens a `Session`, which holds what the layout demands of a worker (a Filespooler queue: the lock), and takes
 * one `Claim` after the other from it:
 *
 *     queue --open--> session --claim--> claim --succeed / fail / release--> session --close--> queue
 *                        |                                                      ^
 *                        +------------------------ idle (why) ------------------+
 *
 *   claimed    the job is this worker's alone; its payload is open, nothing has been changed on disk
 *   succeeded  the job is done, for good
 *   failed     the job is over without success; what becomes of it is the session's policy
 *   released   the job is as it was before the claim
 *
 * Each claim is settled once. A worker that dies settles nothing: the job is as it was.
 */

import type { Descriptor, Timestamp } from '../os/ports.ts';
import type { Sequence, Work } from '../packet/header.ts';
import type { Durability } from './publish.ts';

export type Queue = {
  /** As it was named when it was opened. */
  readonly location: string;
  /**
   * Adds a job; it is in the queue for good when the promise resolves. A payload that fails on the way leaves
   * nothing behind.
   */
  add(job: NewJob, options?: AddOptions): Promise<Added>;
  /** What waits, in the order of the numbers. Works while the queue is being worked. */
  jobs(options?: ListOptions): Promise<Listing>;
  /** Begins to work the queue. Throws `locked` when another does. */
  session(options?: SessionOptions): Promise<Session>;
};

export type NewJob = {
  /** Arguments for the command, which it gets where the worker allows that. */
  readonly params?: readonly string[];
  /** Variables for the command, which sees each as `FSPL_SET_<name>`. */
  readonly env?: Readonly<Record<string, string>>;
  /** What the command reads. A stream is written as it comes, in constant memory. */
  readonly payload?: PayloadSource;
};

/** Text is written as UTF-8. A Node or web stream is an AsyncIterable. */
export type PayloadSource =
  | string
  | Uint8Array
  | Iterable<Uint8Array | string>
  | AsyncIterable<Uint8Array | string>;

export type AddOptions = {
  /** Default: `power-safe`. */
  readonly durability?: Durability;
  /**
   * The sequence file to take the job's number from. Default: one of the queue's own, which is right as long as
   * nobody adds to the queue from elsewhere.
   */
  readonly sequenceFile?: string;
};

export type Added = { readonly id: JobId; readonly seq: Sequence };

export type ListOptions = {
  /** A shell command that unpacks each job file, such as `zcat`. */
  readonly decoder?: string;
};

export type SessionOptions = ListOptions & {
  /**
   * `sequence` (default): strictly by number, stopping at a gap. `creation`: by creation time, numbers not looked
   * at.
   */
  readonly order?: 'sequence' | 'creation';
  /** Whether the file of a job that succeeded stays. Default: no. */
  readonly keepSucceeded?: boolean;
  /** Whether the file of a job that failed for good stays. Default: no. */
  readonly keepFailed?: boolean;
  /** Aborted: a decoder that is running is ended. */
  readonly signal?: AbortSignal;
};

export type JobId = string & { readonly __jobId: unique symbol };

export type Job = {
  /** Names the job within its queue; for a Filespooler queue its file name. */
  readonly id: JobId;
  readonly seq: Sequence;
  readonly createdAt: Timestamp;
  readonly work: Work;
};

/** Something in the queue that could not be read as a job. It stays where it is. */
export type Unreadable = {
  readonly path: string;
  /** What is wrong, without the path, without a full stop. */
  readonly message: string;
};

export type Listing = {
  /** In the order they would run. */
  readonly jobs: readonly Job[];
  readonly unreadable: readonly Unreadable[];
};

/** Why there is nothing to claim now. */
export type Idle =
  | { readonly kind: 'idle'; readonly reason: 'empty' }
  | {
      readonly kind: 'idle';
      readonly reason: 'gap';
      /** The number the queue waits for. */
      readonly missing: Sequence;
      /** The lowest number that is there and later. */
      readonly next: Sequence;
      /** How many later jobs wait behind the gap. */
      readonly waiting: number;
    };

export type Claim = {
  readonly kind: 'claim';
  readonly job: Job;
  /** Variables that describe the job to a command. */
  readonly env: readonly (readonly [name: string, value: string])[];
  /**
   * Open at the payload's first byte. It can be a command's standard input as it is; whoever reads it here
   * moves it. Closed by settling the claim.
   */
  readonly payload: Descriptor;
  /**
   * To be called when the payload has been read as far as anybody cares: a sentence when what was read cannot
   * be trusted, because the program that unpacked it failed.
   */
  payloadProblem(): Promise<string | undefined>;
  /**
   * Does ahead, beside the running job, what settling will need. Changes nothing that counts; for speed only.
   */
  anticipate(): Promise<void>;
  succeed(): Promise<void>;
  fail(): Promise<void>;
  release(): Promise<void>;
};

export type Session = {
  readonly unreadable: readonly Unreadable[];
  claim(): Promise<Claim | Idle>;
  /** A descriptor that keeps the session's lock for a process that outlives us, if there is a lock. */
  readonly lock?: Descriptor;
  close(): Promise<void>;
};
