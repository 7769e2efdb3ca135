/**
 * What a queue is, whatever its layout on disk.
 *
 * A `Queue` is a place; looking at it and adding to it needs no permission from anybody. To run its jobs a worker
 * opens a session, of one of two kinds, and takes one `Claim` after the other from it:
 *
 *     queue --session--> alone: one job at a time, in the strict order of the numbers
 *     queue --join-----> beside other workers: as many claims at once as one likes, order within lanes
 *
 *     session --claim--> claim --succeed / retry / fail / release--> session --close--> queue
 *        |                                                              ^
 *        +------------------------ idle (why) --------------------------+
 *
 *   claimed    the job is this worker's alone; its payload is open
 *   succeeded  the job is done, for good
 *   retried    it waits again, from some time on, in its old place; the start counts
 *   failed     the job is over without success; what becomes of it is the session's policy
 *   released   the job is as it was before the claim, which does not count
 *
 * Each claim is settled once. Alone, a worker that dies settles nothing: the job is as it was. Beside others its jobs
 * come back when it is known to be dead, each start counted; and should it live after all, what it settles then is
 * `lost`: it changes nothing.
 */

import type { Descriptor, Exit, Timestamp } from '../os/ports.ts';
import type { Sequence, Work } from '../packet/header.ts';
import type { Durability } from './publish.ts';
import type { Terms } from './terms.ts';

export type Queue = {
  /** As it was named when it was opened. */
  readonly location: string;
  /**
   * Adds a job; it is in the queue for good when the promise resolves. A payload that fails on the way leaves
   * nothing behind.
   */
  add(job: NewJob, options?: AddOptions): Promise<Added>;
  /** The same for many, whose syncing they share: they are in the queue together, in their order. */
  addAll(jobs: Iterable<NewJob> | AsyncIterable<NewJob>, options?: AddOptions): Promise<Added[]>;
  /** What waits, in the order of the numbers. Works while the queue is being worked. */
  jobs(options?: ListOptions): Promise<Listing>;
  /** Begins to work the queue alone. Throws `locked` when another does. */
  session(options?: SessionOptions): Promise<Session>;
  /** Begins to work the queue beside others. Throws `locked` when somebody works it alone. */
  join(options?: JoinOptions): Promise<SharedSession>;
  /** Whether a worker may have something to do here: jobs that wait, or those of a worker that may be dead. */
  stirs(): Promise<boolean>;
  /**
   * Calls `onChange` when something comes in, where file events tell of it: they may not, so look now and then too.
   * Returns how to end it.
   */
  watch(onChange: () => void): Promise<() => void>;
  /** How many jobs wait, where that costs no more than a listing of names. */
  countWaiting?(): Promise<number>;
  /** Where what that start of a job has said is kept, if it is; left out by layouts that never keep it. */
  outputsOf?(job: Pick<Job, 'id'>, attempt: number): readonly OutputFile[];
};

export type NewJob = {
  /** Arguments for the command, which it gets where the worker allows that. */
  readonly params?: readonly string[];
  /** Variables for the command, which sees each as `FSPL_SET_<name>`. */
  readonly env?: Readonly<Record<string, string>>;
  /** What the command reads. A stream is written as it comes, in constant memory. */
  readonly payload?: PayloadSource;
  /** Jobs of one lane run one after the other, in the order in which they were added. */
  readonly lane?: string;
  /** 0 to 99, 0 first. Default: 50. */
  readonly priority?: number;
  /** It does not start before this. */
  readonly notBefore?: Date;
  /** It does not start after this, and fails then. */
  readonly expires?: Date;
  /**
   * The adder's own name for it. A second job of that name is not added, also when the first is done, as long as the
   * queue remembers it.
   */
  readonly name?: string;
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

export type Added = {
  readonly id: JobId;
  /** Its number in the order of its lane; undefined in layouts that give none. */
  readonly seq: Sequence | undefined;
  /** There was a job of that name already, which this is. */
  readonly duplicate: boolean;
  /** How safe it is; left out where it is as safe as was asked for. */
  readonly durability?: Durability;
};

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
  /** Names the job within its queue, from when it is added until it is over. */
  readonly id: JobId;
  /** Its number in the order of its lane; undefined in layouts that give none. */
  readonly seq: Sequence | undefined;
  readonly createdAt: Timestamp;
  readonly work: Work;
  /** What its adder asked for, as far as that is not among its variables. */
  readonly terms?: Terms;
  /** Where it is now. */
  readonly path: string;
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

/** Why there is nothing to claim now, for a worker beside others; where several hold, the first of this list. */
export type SharedIdle = (
  | { readonly kind: 'idle'; readonly reason: 'paused' }
  /** Jobs wait for their time, the first until `untilMs` (since 1970). */
  | { readonly kind: 'idle'; readonly reason: 'delayed'; readonly untilMs: number }
  /** Jobs wait for one of their lane that is running elsewhere. */
  | { readonly kind: 'idle'; readonly reason: 'busy' }
  /** A lane waits for a number that is not there. */
  | (Idle & { readonly reason: 'gap'; readonly lane: string })
  /** Jobs wait that are held, or whose lane waits for one that is. */
  | { readonly kind: 'idle'; readonly reason: 'held'; readonly jobs: number }
  | { readonly kind: 'idle'; readonly reason: 'empty' }
) & {
  /** How many jobs wait, all in all. */
  readonly waiting: number;
};

/** Whether settling counted: `lost` when others have taken the job over meanwhile. */
export type Settled = 'settled' | 'lost';

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
  /** Where the claim lasts as long as anybody has this open: to be handed to the command, beside its payload. */
  readonly hold?: Descriptor;
  /**
   * To be called when the payload has been read as far as anybody cares: a sentence when what was read cannot
   * be trusted, because the program that unpacked it failed.
   */
  payloadProblem(): Promise<string | undefined>;
  /**
   * Does ahead, beside the running job, what settling will need. Changes nothing that counts; for speed only.
   */
  anticipate(): Promise<void>;
  succeed(): Promise<Settled>;
  /** For good; the reason is kept where failed jobs are. */
  fail(reason?: string): Promise<Settled>;
  release(): Promise<Settled>;
};

/** A file with what a run, or all of them, have said; it need not be there. */
export type OutputFile = {
  /** Undefined where one file has the output of all runs. */
  readonly attempt: number | undefined;
  readonly kind: 'stdout' | 'stderr' | 'both';
  readonly path: string;
  /** All of it, where `path` is only what it is called: the queue is not in files. */
  readonly bytes?: Uint8Array;
};

/** What is known of a run that has ended. */
export type RunFacts = { readonly exit?: Exit };

/** A job that is about to be over without success. */
export type FailingJob = RunFacts & {
  readonly id: string;
  readonly seq: Sequence | undefined;
  /** As in a `SharedClaim`. */
  readonly lane: string | undefined;
  /** How often it was started; 0 when it never was. */
  readonly attempt: number;
  readonly reason: string;
};

export type SharedClaim = Claim & {
  /** The lane whose order it keeps; `''` is the queue's own. */
  readonly lane?: string | undefined;
  /** How often it was started, this time included. */
  readonly attempt: number;
  /** Lets it wait, in its place, until `atMs` (since 1970); then it is run again. */
  retry(atMs: number, reason: string, facts?: RunFacts): Promise<Settled>;
  fail(reason?: string, facts?: RunFacts): Promise<Settled>;
  /** Where this run's command may write to; it is kept with the job, as far as the queue keeps such. */
  openOutput(): Promise<{ readonly stdout: Descriptor; readonly stderr: Descriptor }>;
};

export type Session = {
  readonly unreadable: readonly Unreadable[];
  claim(): Promise<Claim | Idle>;
  /** A descriptor that keeps the session's lock for a process that outlives us, if there is a lock. */
  readonly lock?: Descriptor;
  close(): Promise<void>;
};

export type JoinOptions = ListOptions & {
  /** How long a worker on another machine may be silent until its jobs are given to others. Default: 60,000. */
  readonly leaseMs?: number;
  /** A job that was started so often, and is not over, is what kills its workers: it fails. Default: 5. */
  readonly maxStarts?: number;
  /** The same for starts in a row whose workers died, where starts that ended otherwise do not count. Default: any. */
  readonly maxDeaths?: number;
  /** What to do about a lane that does not move. Default: hold it. */
  readonly blocked?: BlockedPolicy;
  /** Whether the files of jobs that succeeded are kept. Default: no. Those that failed always are. */
  readonly keepSucceeded?: boolean;
  /** Be told of changes by file events too, for workers that wait. Default: no. */
  readonly watch?: boolean;
  /**
   * Told of a job that fails without being run, for it is damaged, too old, or kills its workers: before it is put away,
   * which waits for this. One that was killed in between is told of again.
   */
  readonly onRefused?: ((job: FailingJob) => Promise<void>) | undefined;
};

/**
 * A lane whose next job is over without success, or missing. `hold`: it waits for a person. `skip`: the job goes to
 * the failed ones and the lane goes on. `drop`: the same, and the job is deleted. At a job that a person holds the lane
 * waits in any case.
 */
export type BlockedPolicy = {
  readonly action: 'hold' | 'skip' | 'drop';
  /** How long to wait before. Left out: a failed job not at all, a missing one for ever. */
  readonly afterMs?: number;
};

export type SharedSession = {
  /** What could not be read when it was last looked at. */
  readonly unreadable: readonly Unreadable[];
  /** Calls may overlap, and claims need not be settled in their order. */
  claim(): Promise<SharedClaim | SharedIdle>;
  /** Resolves when it is worth asking again: at the latest after `atMostMs`. */
  changed(atMostMs: number, signal: AbortSignal): Promise<void>;
  /**
   * Whether changes are told by file events here, for a session that was to watch: undefined as long as that has not
   * shown. `false`: it looks by itself, more often.
   */
  readonly eventsArrive?: boolean | undefined;
  /** Aborted when we were silent for too long: our jobs are run by others now, and what we do is lost. */
  readonly fenced: AbortSignal;
  /** Keeps our claims from coming back as long as it is open anywhere; left out where each claim has its `hold`. */
  readonly lock?: Descriptor;
  /** Claims that are not settled are released. */
  close(): Promise<void>;
};
