/**
 * Working many queues at once: so many jobs beside each other, taken from the queues in turn.
 *
 * A queue is, as seen from here,
 *
 *   asleep    nothing waits in it; looked at now and then, or when file events tell of something
 *   awake     we have joined it, and ask it for jobs
 *   waiting   we have joined it, and it has none that may run now; it says when to ask again
 *
 *     asleep --something is there--> awake --idle--> waiting --changed--> awake
 *        ^                                              |
 *        +--------- empty for a while, nothing of it runs
 *
 * so that thousands of queues without jobs cost one directory listing each now and then.
 *
 * When told to stop, no more jobs are started; those that run have the grace time to end; then they are ended, and
 * given back to their queues as if they had not been started.
 */

import type { Machine } from '../os/ports.ts';
import type {
  JoinOptions,
  Queue,
  SharedClaim,
  SharedIdle,
  SharedSession,
  Unreadable,
} from '../queue/contract.ts';
import { startWatchdog, type Watchdog } from './watchdog.ts';

/**
 * Which queues there are now, asked at the start and, when we keep waiting, again and again. Those of the same location
 * are the same; one that is not named any more is left when none of its jobs runs.
 */
export type FindQueues = () => Promise<readonly Queue[]>;

export type PoolOptions = {
  readonly queues: readonly Queue[] | FindQueues;
  /** How many jobs at once. */
  readonly concurrency: number;
  readonly join: JoinOptions;
  /** Keep waiting for jobs. Otherwise the end comes when none may run now. */
  readonly keepWaiting: boolean;
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
/** How long a queue has to be empty before we leave it. */
const LEAVE_AFTER_MS = 5000;
/** A queue that cannot be worked now is tried again after this. */
const TROUBLE_MS = 1000;
/**
 * How many jobs for each place may be over and not settled for good: they share the syncs of the disk, and should the
 * power be cut they run again.
 */
const UNSETTLED_PER_PLACE = 8;

type Member = {
  readonly queue: Queue;
  session: SharedSession | undefined;
  /** Aborted: its jobs are to be ended. One for all of them: signals made of others are kept as long as those. */
  stop: AbortSignal | undefined;
  /** It may have a job for us. */
  ask: boolean;
  /** Jobs of it that run, or are being settled. */
  running: number;
  /** It cannot be worked: we leave it as soon as none of its jobs runs. */
  failed: boolean;
  /** Jobs that wait for another run of ours. */
  readonly again: Set<string>;
  emptySinceMs: number | undefined;
  readonly watchdogs: Watchdog[];
  idle: SharedIdle | undefined;
  /** Ends whatever waits for a change of it. */
  waiting: AbortController | undefined;
};

function newMember(queue: Queue): Member {
  return {
    queue,
    session: undefined,
    stop: undefined,
    ask: true,
    running: 0,
    failed: false,
    again: new Set(),
    emptySinceMs: undefined,
    watchdogs: [],
    idle: undefined,
    waiting: undefined,
  };
}

/** What waits for a change of it now; a wait before that has no more to wait for. */
function newWait(member: Member): AbortController {
  member.waiting?.abort();
  member.waiting = new AbortController();
  return member.waiting;
}

export async function runPool(machine: Machine, options: PoolOptions): Promise<PoolReport> {
  return new Pool(machine, options).run();
}

class Pool {
  readonly #machine: Machine;
  readonly #options: PoolOptions;
  readonly #members: Member[] = [];
  readonly #running = new Set<Promise<unknown>>();
  readonly #settling = new Set<Promise<unknown>>();
  readonly #hardStop = new AbortController();
  readonly #counts: Record<Ran, number> = { succeeded: 0, failed: 0, again: 0, 'given-back': 0, lost: 0 };
  #started = 0;
  #turn = 0;
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => {};
  #woken = false;
  /** It is time to see which queues there are. */
  #findDue = false;
  #stopLooking: () => void = () => {};

  constructor(machine: Machine, options: PoolOptions) {
    this.#machine = machine;
    this.#options = options;
  }

  async run(): Promise<PoolReport> {
    const { stop } = this.#options;
    const onStop = () => this.#wakeUp();
    stop.addEventListener('abort', onStop);
    try {
      await this.#findQueues();
      const ended = await this.#work();
      await this.#letFinish();
      if (this.#failure !== undefined) throw this.#failure.error;
      const idle = new Map(
        this.#members.flatMap(({ queue, idle }) => (idle === undefined ? [] : [[queue, idle]])),
      );
      return { counts: this.#counts, ended, idle };
    } finally {
      this.#stopLooking();
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
      if (this.#findDue) await this.#findQueuesAgain();
      if (this.#running.size < concurrency && this.#settling.size < concurrency * UNSETTLED_PER_PLACE) {
        if (await this.#startNext()) continue;
        if (this.#isOver()) return 'idle';
      }
      await this.#sleep();
    }
  }

  async #findQueues(): Promise<void> {
    this.#findDue = false;
    const { queues } = this.#options;
    const found = typeof queues === 'function' ? await queues() : queues;
    const known = new Set(this.#members.map(({ queue }) => queue.location));
    for (const queue of found) {
      if (!known.has(queue.location)) this.#members.push(newMember(queue));
      known.add(queue.location);
    }
    if (typeof queues !== 'function') return;
    const named = new Set(found.map(({ location }) => location));
    for (const member of this.#members.filter(({ queue }) => !named.has(queue.location))) {
      if (member.running > 0) continue;
      await this.#leave(member).catch(() => {}); // it is not there any more
      this.#members.splice(this.#members.indexOf(member), 1);
    }
    if (!this.#options.keepWaiting) return;
    this.#stopLooking = this.#machine.clock.after(Math.max(LOOK_MS, this.#members.length * 10), () => {
      this.#findDue = true;
      this.#wakeUp();
    });
  }

  /** What runs is let finish, should that fail. */
  async #findQueuesAgain(): Promise<void> {
    try {
      await this.#findQueues();
    } catch (error) {
      this.#failure ??= { error };
      this.#wakeUp();
    }
  }

  /** Asks the queues in turn, each time beginning with another one. */
  async #startNext(): Promise<boolean> {
    for (let step = 0; step < this.#members.length; step++) {
      const member = this.#members[(this.#turn + step) % this.#members.length] as Member;
      if (!member.ask) continue;
      const claim = await this.#claimFrom(member);
      if (claim === undefined) continue;
      this.#turn = (this.#turn + step + 1) % this.#members.length;
      this.#start(member, claim);
      return true;
    }
    return false;
  }

  async #claimFrom(member: Member): Promise<SharedClaim | undefined> {
    member.ask = false;
    try {
      member.session ??= await this.#join(member);
      const { session } = member;
      if (session === undefined) return undefined;
      const again = [...member.again];
      const answer = await session.claim();
      if (answer.kind === 'claim') {
        member.ask = true;
        member.idle = undefined;
        member.emptySinceMs = undefined;
        return answer;
      }
      member.idle = answer;
      // What still waited for another run of ours would be told: so others have run it.
      const mayWait = answer.reason === 'delayed' || answer.reason === 'paused';
      if (!mayWait) for (const id of again) member.again.delete(id);
      if (session.unreadable.length > 0) this.#options.onUnreadable?.(member.queue, session.unreadable);
      await this.#restUntilChanged(member, session, answer);
    } catch (error) {
      await this.#giveUpFor(member, error);
    }
    return undefined;
  }

  /** Undefined when there is nothing in it; then it is looked at again later. */
  async #join(member: Member): Promise<SharedSession | undefined> {
    if (await member.queue.stirs()) {
      const session = await member.queue.join({ ...this.#options.join, watch: this.#options.keepWaiting });
      member.stop = AbortSignal.any([this.#hardStop.signal, session.fenced]);
      return session;
    }
    member.idle = { kind: 'idle', reason: 'empty', waiting: 0 };
    if (this.#options.keepWaiting) await this.#wakeWhenItStirs(member);
    return undefined;
  }

  /** By an event where there are any, and by looking again after a while where there are none, or they get lost. */
  async #wakeWhenItStirs(member: Member): Promise<void> {
    const waiting = newWait(member);
    const wake = () => {
      if (waiting.signal.aborted) return;
      waiting.abort();
      member.ask = true;
      this.#wakeUp();
    };
    const unwatch = await member.queue.watch(wake);
    // The more queues, the less often each: all together take no more than a small part of our time.
    const cancel = this.#machine.clock.after(Math.max(LOOK_MS, this.#members.length * 10), wake);
    waiting.signal.addEventListener('abort', () => {
      unwatch();
      cancel();
    });
  }

  async #restUntilChanged(member: Member, session: SharedSession, idle: SharedIdle): Promise<void> {
    const { clock } = this.#machine;
    const empty = idle.reason === 'empty' && idle.waiting === 0 && member.running === 0;
    if (!empty) member.emptySinceMs = undefined;
    else member.emptySinceMs ??= clock.monotonicMs();
    if (empty && clock.monotonicMs() - (member.emptySinceMs ?? 0) >= LEAVE_AFTER_MS) {
      await this.#leave(member);
      member.ask = true;
      this.#wakeUp(); // nobody else tells us to look whether it stirs
      return;
    }
    const waiting = newWait(member);
    void session.changed(LEAVE_AFTER_MS, waiting.signal).then(() => {
      if (waiting.signal.aborted) return;
      member.ask = true;
      this.#wakeUp();
    });
  }

  async #giveUpFor(member: Member, error: unknown): Promise<void> {
    member.failed = true;
    await this.#options.onTrouble(member.queue, error);
    if (member.running === 0) await this.#leaveFailed(member);
  }

  async #leaveFailed(member: Member): Promise<void> {
    member.failed = false;
    await this.#leave(member).catch(() => {}); // it has failed already, and that was told
    if (!this.#options.keepWaiting) return;
    const waiting = newWait(member);
    const cancel = this.#machine.clock.after(TROUBLE_MS, () => {
      member.ask = true;
      this.#wakeUp();
    });
    waiting.signal.addEventListener('abort', cancel);
  }

  #start(member: Member, claim: SharedClaim): void {
    this.#started += 1;
    member.running += 1;
    member.again.delete(claim.job.id);
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
    const session = member.session as SharedSession;
    const stop = member.stop as AbortSignal;
    let watchdog: Watchdog | undefined;
    try {
      return await this.#options.run(claim, {
        queue: member.queue,
        stop,
        watchdog: async () => {
          watchdog = member.watchdogs.pop() ?? (await startWatchdog(this.#machine, session.lock));
          return watchdog;
        },
      });
    } catch (error) {
      this.#failure ??= { error };
      return undefined;
    } finally {
      if (watchdog !== undefined) member.watchdogs.push(watchdog);
    }
  }

  async #settle(member: Member, claim: SharedClaim, settle: (() => Promise<Ran>) | undefined): Promise<void> {
    try {
      const ran = await settle?.();
      if (ran !== undefined) this.#counts[ran] += 1;
      if (ran === 'again') member.again.add(claim.job.id);
    } catch (error) {
      this.#failure ??= { error };
    }
    member.running -= 1;
    member.waiting?.abort();
    if (!member.failed) member.ask = true;
    else if (member.running === 0) await this.#leaveFailed(member);
  }

  /** Whether nothing will come: nothing runs, and nothing of ours waits for another run. */
  #isOver(): boolean {
    if (this.#options.keepWaiting || this.#settling.size > 0) return false;
    return this.#members.every(
      ({ ask, again, session }) => !ask && (again.size === 0 || session === undefined),
    );
  }

  async #letFinish(): Promise<void> {
    const { graceMs } = this.#options;
    if (this.#settling.size === 0) return;
    const all = Promise.all(this.#settling);
    if (this.#options.stop.aborted) {
      const cancel = this.#machine.clock.after(graceMs, () => this.#hardStop.abort());
      await all;
      cancel();
      return;
    }
    // Not told to stop yet: then nothing ends them, unless we are told now.
    let cancel = () => {};
    const onStop = () => {
      cancel = this.#machine.clock.after(graceMs, () => this.#hardStop.abort());
    };
    this.#options.stop.addEventListener('abort', onStop);
    await all;
    this.#options.stop.removeEventListener('abort', onStop);
    cancel();
  }

  /** One that cannot be left as it should does not keep us in the others. */
  async #leaveAll(): Promise<void> {
    const left = await Promise.allSettled(this.#members.map((member) => this.#leave(member)));
    for (const outcome of left) if (outcome.status === 'rejected') throw outcome.reason;
  }

  async #leave(member: Member): Promise<void> {
    member.waiting?.abort();
    member.waiting = undefined;
    member.emptySinceMs = undefined;
    const { session } = member;
    member.session = undefined;
    await this.#dismissWatchdogs(member);
    await session?.close();
  }

  async #dismissWatchdogs(member: Member): Promise<void> {
    for (const watchdog of member.watchdogs.splice(0)) await watchdog.dismiss();
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
