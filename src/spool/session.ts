/**
 * Working a Filespooler queue, one job after the other, under its lock.
 *
 *   opening    LOCK_EX on nextseq.lock (`locked` at once when another holds it), nextseq and every header read,
 *              two jobs with one number refused (`duplicate-sequence`; not by creation time, where numbers
 *              do not matter)
 *   ready      `claim` opens the next job; it may be gone by now, which is the same as if it had not arrived
 *   claimed    one at a time; settling it leads back to ready
 *   closed     the lock is given up
 *
 * Settling a job by number, and what a crash after each step leaves:
 *
 * | step                        | after a crash here                                            |
 * |-----------------------------|---------------------------------------------------------------|
 * | (the command has succeeded) | the job runs again: at least once                             |
 * | nextseq.temp written, fsync | the same                                                      |
 * | renamed to nextseq          | before a power cut the new number, after it either one, whole |
 * | fsync of the queue          | the job is over; its file remains, with a number that is past |
 * | unlink of the job file      | nothing of it is left                                         |
 *
 * The unlink comes last and only after the number is safe: were it the other way round, a power cut could keep
 * the removal and lose the number, and the queue would wait for ever for a job that is done.
 */

import { type Descriptor, hasErrno, type Machine } from '../os/ports.ts';
import { packetEnvironment } from '../packet/environment.ts';
import { following, type Sequence } from '../packet/header.ts';
import type {
  Claim,
  Idle,
  Job,
  JobId,
  Session,
  SessionOptions,
  Settled,
  Unreadable,
} from '../queue/contract.ts';
import { QueueError, reasonOf } from '../queue/errors.ts';
import { syncDirectory } from '../queue/publish.ts';
import { stemOf } from './home/job-name.ts';
import { jobsDirectory, nextSequencePath } from './layout.ts';
import { type Decoder, type OpenedPacket, openPacket } from './open-packet.ts';
import {
  byCreation,
  bySequence,
  type JobFile,
  refuseDuplicates,
  requireQueue,
  scanQueue,
} from './queue-files.ts';
import { type LockedSequence, lockSequence } from './sequence-file.ts';

export type SpoolSessionOptions = Omit<SessionOptions, 'decoder' | 'signal'> & {
  readonly decoder?: Decoder | undefined;
};

/** Takes the queue's lock and reads what is waiting. Throws `locked`, `append-only`, `duplicate-sequence`. */
export async function openSession(
  machine: Machine,
  queue: string,
  options: SpoolSessionOptions,
): Promise<Session> {
  const sequence = await lockQueue(machine, queue);
  try {
    const next = await sequence.read();
    const { jobs, unreadable } = await scanQueue(machine, queue, options.decoder);
    if (byNumber(options)) refuseDuplicates(queue, jobs);
    const waiting = jobs.sort(byNumber(options) ? bySequence : byCreation);
    return new SpoolSession(machine, queue, options, sequence, next, waiting, unreadable);
  } catch (error) {
    await sequence.close();
    throw error;
  }
}

/** The lock on a queue's own sequence file. Throws `locked` at once, `append-only` when the queue has none. */
export async function lockQueue(machine: Machine, queue: string): Promise<LockedSequence> {
  try {
    return await lockSequence(machine, nextSequencePath(queue), { create: false, waitMs: 0 });
  } catch (error) {
    if (!(error instanceof QueueError) || error.code !== 'lock-missing') throw error;
    await requireQueue(machine, queue);
    throw new QueueError('append-only', `${queue}: ${reasonOf(error)}; so it is an append-only queue`, {
      cause: error,
    });
  }
}

class SpoolSession implements Session {
  readonly unreadable: Unreadable[];
  readonly lock: Descriptor;
  readonly #machine: Machine;
  readonly #queue: string;
  readonly #options: SpoolSessionOptions;
  readonly #sequence: LockedSequence;
  /** The number to run next; only by sequence. */
  #next: Sequence;
  /** What is still to be looked at, in order. */
  #waiting: JobFile[];
  #at = 0;
  /** The number that was next when we began. */
  readonly #begun: Sequence;
  /** Whether the number or the removals that we found are known to survive a power cut. */
  #begunOnDisk = false;
  /** One at a time, until it is settled. */
  #claim: Claim | undefined;
  #closed = false;

  constructor(
    machine: Machine,
    queue: string,
    options: SpoolSessionOptions,
    sequence: LockedSequence,
    next: Sequence,
    waiting: JobFile[],
    unreadable: Unreadable[],
  ) {
    this.#machine = machine;
    this.#queue = queue;
    this.#options = options;
    this.#sequence = sequence;
    this.#next = next;
    this.#begun = next;
    this.#waiting = waiting;
    this.unreadable = unreadable;
    this.lock = sequence.lock;
  }

  async claim(): Promise<Claim | Idle> {
    if (this.#claim !== undefined) throw new Error(`${this.#queue}: the claim before is not settled`);
    for (;;) {
      const file = byNumber(this.#options) ? this.#nextBySequence() : this.#waiting[this.#at];
      if (file === undefined) return this.#idle();
      await this.#keepBegun();
      this.#at += 1;
      const opened = await this.#open(file);
      if (opened === undefined) continue;
      this.#claim = this.#claimOf(file, opened);
      return this.#claim;
    }
  }

  /** A claim that is not settled is released. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.#claim?.release();
    } finally {
      await this.#sequence.close();
    }
  }

  /**
   * Makes the number that we found survive a power cut, before the first job that relies on it; by creation time,
   * the removal of the jobs before it.
   *
   *     worker before us            we                         disk
   *     ----------------            --                         ----
   *     renames nextseq: 4                                     3, and soon 4
   *     is killed, or its fsync fails
   *                                 read 4, start job 4
   *                                                            the power is cut: 3
   *                                 job 3 runs again, after 4
   */
  async #keepBegun(): Promise<void> {
    if (this.#begunOnDisk) return;
    const { files } = this.#machine;
    if (byNumber(this.#options)) await syncDirectory(files, this.#queue, nextSequencePath(this.#queue));
    else await syncDirectory(files, jobsDirectory(this.#queue), jobsDirectory(this.#queue));
    this.#begunOnDisk = true;
  }

  /** The job whose number is next, past numbers being stepped over. */
  #nextBySequence(): JobFile | undefined {
    while ((this.#waiting[this.#at]?.header.seq ?? this.#next) < this.#next) this.#at += 1;
    const file = this.#waiting[this.#at];
    return file?.header.seq === this.#next ? file : undefined;
  }

  #idle(): Idle {
    const next = this.#waiting[this.#at];
    if (next === undefined || !byNumber(this.#options)) return { kind: 'idle', reason: 'empty' };
    return {
      kind: 'idle',
      reason: 'gap',
      missing: this.#next,
      next: next.header.seq,
      waiting: this.#waiting.length - this.#at,
    };
  }

  /** After the last number comes 0, so what was past when we began is yet to come. */
  #beginAgain(): void {
    this.#waiting = this.#waiting.filter(({ header }) => header.seq < this.#begun);
    this.#at = 0;
  }

  /**
   * Undefined when the file that was listed is gone or another one by now, or we must stop. One that has become
   * damaged, so that nobody can tell what was to be run, is an error.
   */
  async #open(file: JobFile): Promise<OpenedPacket | undefined> {
    const { decoder } = this.#options;
    try {
      const opened = await openPacket(this.#machine, file.path, decoder);
      if (opened.kind === 'damaged') {
        if (decoder?.stop?.aborted) return undefined;
        throw new QueueError('packet-damaged', `${file.path}: ${opened.message}`);
      }
      if (opened.header.seq === file.header.seq) return opened;
      await opened.discard();
      this.unreadable.push({ path: file.path, message: 'it was replaced by another job' });
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error;
      this.unreadable.push({ path: file.path, message: 'it was removed by somebody else' });
    }
    return undefined;
  }

  #claimOf(file: JobFile, opened: OpenedPacket): Claim {
    const { header } = opened;
    const place = { queue: this.#queue, filename: file.name, path: file.path };
    let problem: Promise<string | undefined> | undefined;
    const finishPayload = () => {
      problem ??= opened.finish();
      return problem;
    };
    // One that fails, on a full disk say, leaves the claim as it is, and can be tried again.
    const settleOnce = async (settle: () => Promise<void>): Promise<Settled> => {
      if (this.#claim !== claim) throw new Error(`${file.path}: this claim is settled already`);
      await settle();
      this.#claim = undefined;
      return 'settled';
    };
    const claim: Claim = {
      kind: 'claim',
      job: jobOf({ ...file, header }),
      env: packetEnvironment(header, this.#machine.clock, place),
      payload: opened.payload,
      payloadProblem: finishPayload,
      anticipate: async () => {
        if (byNumber(this.#options)) await this.#sequence.prepare(following(this.#next));
      },
      succeed: () =>
        settleOnce(async () => {
          await finishPayload();
          await this.#settle(file, this.#options.keepSucceeded ?? false);
        }),
      fail: () =>
        settleOnce(async () => {
          await finishPayload();
          await this.#settle(file, this.#options.keepFailed ?? false);
        }),
      release: () =>
        settleOnce(async () => {
          problem ??= opened.discard().then(() => undefined);
          await problem;
          await this.#sequence.abandon();
          this.#at -= 1;
        }),
    };
    return claim;
  }

  async #settle(file: JobFile, keep: boolean): Promise<void> {
    const { files } = this.#machine;
    if (byNumber(this.#options)) {
      const next = following(file.header.seq);
      await this.#sequence.write(next);
      this.#next = next;
      if (next < file.header.seq) this.#beginAgain();
    }
    if (keep) return;
    try {
      await files.unlink(file.path);
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error; // somebody else has removed it: so it is gone
    }
    // By number a file that a power cut brings back is past. By creation time it would run again.
    if (!byNumber(this.#options)) {
      await syncDirectory(files, jobsDirectory(this.#queue), file.path);
    }
  }
}

function byNumber(options: SpoolSessionOptions): boolean {
  return options.order !== 'creation';
}

export function jobOf(file: JobFile): Job {
  const { seq, ctime, work } = file.header;
  return { id: stemOf(file.name) as JobId, seq, createdAt: ctime, work, path: file.path };
}
