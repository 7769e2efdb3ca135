/**
 * Working many queues at once: so many jobs beside each other, taken from the queues in turn.
 *
 *   working    jobs are started as long as there is room for them and a queue has one
 *   finishing  no more are started: there are none, or enough, or we were told to stop. What runs ends by itself; when
 *              told to stop it has the grace time, and is then ended and given back as if it had not been started
 *   leaving    the queues are left, whatever happened
 *
 * Thousands of queues without jobs cost one directory listing each now and then: see member.ts.
 */

import type { Machine } from '../os/ports.ts';
import type {
  FailingJob,
  JoinOptions,
  Queue,
  SharedClaim,
  SharedIdle,
  Unreadable,
} from '../queue/contract.ts';
import { isQueueError } from '../queue/errors.ts';
import { Member, type MemberParts } from './member.ts';
import { type FindQueues, Roster } from './roster.ts';
import type { Watchdog } from './watchdog.ts';

export type PoolOptions = {
  readonly queues: readonly Queue[] | FindQueues;
  /** How many jobs at once. */
  readonly concurrency: number;
  readonly join: JoinOptions;
  /** Keep waiting for jobs. Otherwise the end comes when none may run now. */
  readonly keepWaiting: boolean;
  /** Do not wait for retries of our own either: whoever comes next runs them. Default: no. */
  readonly leaveRetries?: boolean | undefined;
  readonly maxJobs?: number | undefined;
  /** Aborted: take no more jobs. */
  readonly stop: AbortSignal;
  /** How long jobs that run may go on after that. */
  readonly graceMs: number;
  /**
   * Does the work of a job; what it resolves with then settles the claim, while another job has its place already. Both
   * throw when going on makes no sense.
   */
  readonly run: (claim: SharedClaim, place: Place) => Promise<() => Promise<Ran>>;
  /** Told when a queue cannot be worked, or not any more; it is tried again when we keep waiting. */
  readonly onTrouble: (queue: Queue, error: unknown) => Promise<void>;
  /** Told, again and again, what is named like a job in a queue and cannot be read as one. */
  readonly onUnreadable?: ((queue: Queue, files: readonly Unreadable[]) => void) | undefined;
  /** Told once of a queue from which no file events come, so that we look for new jobs instead of being told. */
  readonly onNoEvents?: ((queue: Queue) => void) | undefined;
  /** Told of a job that fails without being run, before it is put away. */
  readonly onRefused?: ((job: FailingJob, queue: Queue) => Promise<void>) | undefined;
};

/** Where a job runs. */
export type Place = {
  readonly queue: Queue;
  /** Aborted: end it, others run it or will. */
  readonly stop: AbortSignal;
  readonly watchdog: () => Promise<Watchdog>;
};

/** `again`: it failed and waits for its next run. */
export type Ran = 'succeeded' | 'failed' | 'again' | 'given-back' | 'lost';

export type PoolReport = {
  readonly counts: Readonly<Record<Ran, number>>;
  readonly ended: 'idle' | 'limit' | 'stopped';
  /** Why there was nothing more to run, for each queue that had been looked at. */
  readonly idle: ReadonlyMap<Queue, SharedIdle>;
};

/** How often a queue without jobs is looked at, where no event tells of one. */
const LOOK_MS = 1000;
/** And where it is known that none will. */
const LOOK_WITHOUT_EVENTS_MS = 200;
/** The more queues, the less often each: all together take no more than a small part of our time. */
const LOOK_MS_PER_QUEUE = 10;
/** So many queues are joined at once: each takes a few descriptors meanwhile. */
const MOST_JOINING = 32;
/**
 * How many jobs for each place may be over and not settled for good: they share the syncs of the disk, and should the
 * power be cut they run again.
 */
const UNSETTLED_PER_PLACE = 8;

export async function runPool(machine: Machine, options: PoolOptions): Promise<PoolReport> {
  return new Pool(machine, options).run();
}

class Pool {
  readonly #machine: Machine;
  readonly #options: PoolOptions;
  readonly #roster: Roster;
  readonly #running = new Set<Promise<unknown>>();
  readonly #settling = new Set<Promise<unknown>>();
  readonly #hardStop = new AbortController();
  readonly #counts: Record<Ran, number> = { succeeded: 0, failed: 0, again: 0, 'given-back': 0, lost: 0 };
  #started = 0;
  #turn = 0;
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => {};
  #woken = false;

  constructor(machine: Machine, options: PoolOptions) {
    this.#machine = machine;
    this.#options = options;
    const memberParts: MemberParts = {
      ...options,
      machine,
      hardStop: this.#hardStop.signal,
      lookEveryMs: (eventsArrive) => this.#lookEveryMs(eventsArrive),
      wake: () => this.#wakeUp(),
      onFailure: (error) => this.#fail(error),
    };
    this.#roster = new Roster({
      ...options,
      clock: machine.clock,
      newMember: (queue) => new Member(queue, memberParts),
      everyMs: () => this.#lookEveryMs(true),
      onDue: () => this.#wakeUp(),
    });
  }

  async run(): Promise<PoolReport> {
    const { stop } = this.#options;
    const onStop = () => this.#wakeUp();
    stop.addEventListener('abort', onStop);
    try {
      await this.#roster.refresh();
      const ended = await this.#work();
      await this.#letFinish();
      if (this.#failure !== undefined) throw this.#failure.error;
      const idle = new Map(
        this.#roster.members.flatMap(({ queue, idle }) => (idle === undefined ? [] : [[queue, idle]])),
      );
      return { counts: this.#counts, ended, idle };
    } finally {
      this.#roster.end();
      stop.removeEventListener('abort', onStop);
      await this.#leaveAll();
    }
  }

  async #work(): Promise<PoolReport['ended']> {
    const { concurrency, maxJobs = Number.POSITIVE_INFINITY, stop } = this.#options;
    for (;;) {
      if (stop.aborted || this.#failure !== undefined) return 'stopped';
      if (this.#started >= maxJobs) return 'limit';
      this.#woken = false;
      await this.#refreshQueues();
      if (this.#running.size < concurrency && this.#settling.size < concurrency * UNSETTLED_PER_PLACE) {
        if (await this.#startNext()) continue;
        if (this.#isOver()) return 'idle';
      }
      await this.#sleep();
    }
  }

  /** What runs is let finish, should that fail. */
  async #refreshQueues(): Promise<void> {
    try {
      await this.#roster.refresh();
    } catch (error) {
      this.#fail(error);
    }
  }

  #lookEveryMs(eventsArrive: boolean): number {
    const leastMs = eventsArrive ? LOOK_MS : LOOK_WITHOUT_EVENTS_MS;
    return Math.max(leastMs, this.#roster.members.length * LOOK_MS_PER_QUEUE);
  }

  /** Asks the queues in turn, each time beginning with another one. */
  async #startNext(): Promise<boolean> {
    const { members } = this.#roster;
    let joining = members.filter(({ isJoining }) => isJoining).length;
    for (let step = 0; step < members.length; step++) {
      const member = members[(this.#turn + step) % members.length] as Member;
      if (!member.ask) continue;
      if (!member.isJoined) {
        if (joining === MOST_JOINING) continue;
        joining += 1;
        member.join(); // and asked when it is
        continue;
      }
      const claim = await member.claim();
      if (claim === undefined) continue;
      this.#turn = (this.#turn + step + 1) % members.length;
      this.#start(member, claim);
      return true;
    }
    return false;
  }

  #start(member: Member, claim: SharedClaim): void {
    this.#started += 1;
    member.started(claim);
    const run = this.#runClaim(member, claim);
    this.#running.add(run);
    const settled = run
      .then((settle) => {
        this.#running.delete(run);
        this.#wakeUp();
        return this.#settle(member, claim, settle);
      })
      .finally(() => {
        this.#settling.delete(settled);
        this.#wakeUp();
      });
    this.#settling.add(settled);
  }

  /** Undefined when it could not be run: then nothing goes on, and closing the session gives the job back. */
  async #runClaim(member: Member, claim: SharedClaim): Promise<(() => Promise<Ran>) | undefined> {
    const { stop, takeWatchdog } = member.place();
    let watchdog: Watchdog | undefined;
    try {
      return await this.#options.run(claim, {
        queue: member.queue,
        stop,
        watchdog: async () => {
          watchdog = await takeWatchdog();
          return watchdog;
        },
      });
    } catch (error) {
      this.#fail(error);
      return undefined;
    } finally {
      if (watchdog !== undefined) member.giveBackWatchdog(watchdog);
    }
  }

  async #settle(member: Member, claim: SharedClaim, settle: (() => Promise<Ran>) | undefined): Promise<void> {
    let ran: Ran | undefined;
    try {
      ran = await settle?.();
      if (ran !== undefined) this.#counts[ran] += 1;
    } catch (error) {
      // Other queues may be well, and this one later: it knows whose the job was.
      if (isQueueError(error, 'not-reachable')) await member.giveUp(error);
      else this.#fail(error);
    }
    await member.settled(claim, ran === 'again' && this.#options.leaveRetries !== true);
  }

  /** Whether nothing will come: nothing runs, and nothing of ours waits for another run. */
  #isOver(): boolean {
    if (this.#options.keepWaiting || this.#settling.size > 0) return false;
    return this.#roster.members.every(({ isOver }) => isOver);
  }

  async #letFinish(): Promise<void> {
    const { graceMs, stop } = this.#options;
    if (this.#settling.size === 0) return;
    let cancel = () => {};
    const onStop = () => {
      cancel = this.#machine.clock.after(graceMs, () => this.#hardStop.abort());
    };
    // Not told to stop yet: then nothing ends them, unless we are told now.
    if (stop.aborted) onStop();
    else stop.addEventListener('abort', onStop);
    await Promise.all(this.#settling);
    stop.removeEventListener('abort', onStop);
    cancel();
  }

  /** One that cannot be left as it should does not keep us in the others. */
  async #leaveAll(): Promise<void> {
    const left = await Promise.allSettled(this.#roster.members.map((member) => member.leave()));
    for (const outcome of left) if (outcome.status === 'rejected') throw outcome.reason;
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wakeUp();
  }

  #wakeUp(): void {
    this.#woken = true;
    this.#wake();
  }

  async #sleep(): Promise<void> {
    if (this.#woken) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}
