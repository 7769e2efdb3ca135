/**
 * One of the queues that a pool works.
 *
 *   asleep    nothing waits in it; looked at now and then, or when file events tell of something
 *   joining   we are about to join it. That can take seconds where somebody works it alone: no other queue waits for it
 *   awake     we have joined it, and ask it for jobs
 *   waiting   we have joined it, and it has none that may run now; it says when to ask again
 *   failed    it cannot be worked. When none of its jobs runs any more it is left; where we keep waiting, tried again
 *
 *     asleep --something is there--> joining --> awake --idle--> waiting --changed--> awake
 *        ^                                                          |
 *        +----------------- empty for a while, nothing of it runs --+
 *
 * In all but `joining` and `failed` it has `ask` set when it may have something to tell.
 */

import type { Machine } from '../os/ports.ts';
import type {
  FailingJob,
  JoinOptions,
  Queue,
  SharedClaim,
  SharedIdle,
  SharedSession,
  Unreadable,
} from '../queue/contract.ts';
import { startWatchdog, type Watchdog } from './watchdog.ts';

/** How long a queue has to be empty before we leave it. */
const LEAVE_AFTER_MS = 5000;
/** A queue that cannot be worked now is tried again after this. */
const TROUBLE_MS = 1000;

/** What a member needs of its pool. */
export type MemberParts = {
  readonly machine: Machine;
  readonly join: JoinOptions;
  readonly keepWaiting: boolean;
  /** Aborted: jobs that run are to be ended. */
  readonly hardStop: AbortSignal;
  /** How often one that is asleep is looked at; more often when it is known that no event tells of a job. */
  readonly lookEveryMs: (eventsArrive: boolean) => number;
  /** Something can be asked for, or has ended. */
  readonly wake: () => void;
  readonly onTrouble: (queue: Queue, error: unknown) => Promise<void>;
  readonly onUnreadable?: ((queue: Queue, files: readonly Unreadable[]) => void) | undefined;
  readonly onNoEvents?: ((queue: Queue) => void) | undefined;
  readonly onRefused?: ((job: FailingJob, queue: Queue) => Promise<void>) | undefined;
  /** It makes no sense to go on, in any queue. */
  readonly onFailure: (error: unknown) => void;
};

export class Member {
  readonly queue: Queue;
  /** It may have a job for us. */
  ask = true;
  /** Why it had none when it was last asked. */
  idle: SharedIdle | undefined;
  readonly #parts: MemberParts;
  #session: SharedSession | undefined;
  #joining: Promise<void> | undefined;
  /** Aborted: its jobs are to be ended. One for all of them: signals made of others are kept as long as those. */
  #stop: AbortSignal | undefined;
  /** Jobs of it that run, or are being settled. */
  #running = 0;
  #failed = false;
  /** Jobs that wait for another run of ours. */
  readonly #again = new Set<string>();
  #emptySinceMs: number | undefined;
  readonly #watchdogs: Watchdog[] = [];
  /** Ends whatever waits for a change of it. */
  #waiting: AbortController | undefined;
  #eventsArrive = true;

  constructor(queue: Queue, parts: MemberParts) {
    this.queue = queue;
    this.#parts = parts;
  }

  get isJoined(): boolean {
    return this.#session !== undefined;
  }

  get isJoining(): boolean {
    return this.#joining !== undefined;
  }

  get isRunning(): boolean {
    return this.#running > 0;
  }

  /** Nothing of it will come: it has nothing to tell, and nothing of ours waits for another run. */
  get isOver(): boolean {
    return !this.ask && !this.isJoining && (this.#again.size === 0 || !this.isJoined);
  }

  /** Begins to join it, if something is there. */
  join(): void {
    this.ask = false;
    this.#joining = this.#join()
      .catch((error) => this.giveUp(error))
      .finally(() => {
        this.#joining = undefined;
        this.#parts.wake();
      });
  }

  /** The next job of a queue that we have joined; undefined when there is none now. */
  async claim(): Promise<SharedClaim | undefined> {
    this.ask = false;
    const session = this.#session as SharedSession;
    try {
      const again = [...this.#again];
      const answer = await session.claim();
      if (answer.kind === 'claim') {
        this.ask = true;
        this.idle = undefined;
        this.#emptySinceMs = undefined;
        return answer;
      }
      this.idle = answer;
      // What still waited for another run of ours would be told: so others have run it.
      const mayWait = answer.reason === 'delayed' || answer.reason === 'paused';
      if (!mayWait) for (const id of again) this.#again.delete(id);
      this.#tellOf(session);
      await this.#restUntilChanged(session, answer);
    } catch (error) {
      await this.giveUp(error);
    }
    return undefined;
  }

  started({ job }: SharedClaim): void {
    this.#running += 1;
    this.#again.delete(job.id);
  }

  /** For a job that runs: what ends it, and a watchdog, which is given back when the run is over. */
  place(): { readonly stop: AbortSignal; takeWatchdog(): Promise<Watchdog> } {
    const session = this.#session as SharedSession;
    return {
      stop: this.#stop as AbortSignal,
      takeWatchdog: async () =>
        this.#watchdogs.pop() ?? (await startWatchdog(this.#parts.machine, session.lock)),
    };
  }

  giveBackWatchdog(watchdog: Watchdog): void {
    this.#watchdogs.push(watchdog);
  }

  /** `again`: it waits for another run. */
  async settled({ job }: SharedClaim, again: boolean): Promise<void> {
    if (again) this.#again.add(job.id);
    this.#running -= 1;
    this.#waiting?.abort();
    if (!this.#failed) this.ask = true;
    else if (this.#running === 0) await this.#leaveFailed();
  }

  /** It cannot be worked now. */
  async giveUp(error: unknown): Promise<void> {
    this.#failed = true;
    this.ask = false;
    this.#waiting?.abort();
    try {
      await this.#parts.onTrouble(this.queue, error);
    } catch (failure) {
      this.#parts.onFailure(failure);
    }
    if (this.#running === 0) await this.#leaveFailed();
  }

  async leave(): Promise<void> {
    await this.#joining;
    await this.#leave();
  }

  async #leave(): Promise<void> {
    this.#waiting?.abort();
    this.#waiting = undefined;
    this.#emptySinceMs = undefined;
    const session = this.#session;
    this.#session = undefined;
    for (const watchdog of this.#watchdogs.splice(0)) await watchdog.dismiss();
    await session?.close();
  }

  async #join(): Promise<void> {
    const { join, keepWaiting, hardStop, onRefused } = this.#parts;
    if (await this.queue.stirs()) {
      const refused = async (job: FailingJob) => onRefused?.(job, this.queue);
      const session = await this.queue.join({ ...join, watch: keepWaiting, onRefused: refused });
      this.#stop = AbortSignal.any([hardStop, session.fenced]);
      this.#session = session;
      this.ask = true;
      return;
    }
    this.idle = { kind: 'idle', reason: 'empty', waiting: 0 };
    if (keepWaiting) await this.#askWhenItStirs();
  }

  /** By an event where there are any, and by looking again after a while where there are none, or they get lost. */
  async #askWhenItStirs(): Promise<void> {
    const waiting = this.#newWait();
    const ask = () => {
      if (waiting.signal.aborted) return;
      waiting.abort();
      this.#askAgain();
    };
    const unwatch = await this.queue.watch(ask);
    const cancel = this.#parts.machine.clock.after(this.#parts.lookEveryMs(this.#eventsArrive), ask);
    waiting.signal.addEventListener('abort', () => {
      unwatch();
      cancel();
    });
  }

  #tellOf({ unreadable, eventsArrive }: SharedSession): void {
    const { onUnreadable, onNoEvents } = this.#parts;
    if (unreadable.length > 0) onUnreadable?.(this.queue, unreadable);
    if (eventsArrive === false && this.#eventsArrive) onNoEvents?.(this.queue);
    this.#eventsArrive = eventsArrive ?? this.#eventsArrive;
  }

  async #restUntilChanged(session: SharedSession, idle: SharedIdle): Promise<void> {
    const { clock } = this.#parts.machine;
    const empty = idle.reason === 'empty' && idle.waiting === 0 && this.#running === 0;
    if (!empty) this.#emptySinceMs = undefined;
    else this.#emptySinceMs ??= clock.monotonicMs();
    if (empty && clock.monotonicMs() - (this.#emptySinceMs ?? 0) >= LEAVE_AFTER_MS) {
      await this.#leave();
      this.#askAgain(); // nobody else tells us to look whether it stirs
      return;
    }
    const waiting = this.#newWait();
    void session.changed(LEAVE_AFTER_MS, waiting.signal).then(() => {
      if (!waiting.signal.aborted) this.#askAgain();
    });
  }

  async #leaveFailed(): Promise<void> {
    this.#failed = false;
    await this.#leave().catch(() => {}); // it has failed already, and that was told
    if (!this.#parts.keepWaiting) return;
    const waiting = this.#newWait();
    const cancel = this.#parts.machine.clock.after(TROUBLE_MS, () => this.#askAgain());
    waiting.signal.addEventListener('abort', cancel);
  }

  #askAgain(): void {
    this.ask = true;
    this.#parts.wake();
  }

  /** What waits for a change of it now; a wait before that has no more to wait for. */
  #newWait(): AbortController {
    this.#waiting?.abort();
    this.#waiting = new AbortController();
    return this.#waiting;
  }
}
