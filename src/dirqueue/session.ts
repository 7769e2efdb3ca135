/**
 * Working a queue beside others, ours and the original's.
 *
 *   joining    a worker file of our own under intray/workers/: see worker-file.ts
 *   ready      `claim` locks the best job that is free; whoever's lock is there first has it
 *   fenced     our worker file is gone, for we were silent longer than the lease: what we settle is `lost`
 *   closed     claims that are not settled are released, the worker file is removed
 */

import type { Descriptor, Machine } from '../os/ports.ts';
import { Changes } from '../queue/changes.ts';
import type { JoinOptions, SharedClaim, SharedIdle, SharedSession, Unreadable } from '../queue/contract.ts';
import { Life } from '../queue/life.ts';
import { type Durability, syncDirectory } from '../queue/publish.ts';
import { SharedSync } from '../queue/shared-sync.ts';
import { Turns } from '../queue/turns.ts';
import { Chooser } from './choose.ts';
import { type ClaimParts, claimOf, type DirQueueClaim } from './claim.ts';
import { DataFiles } from './data-file.ts';
import { makeOwnRooms, requireQueue, room } from './layout.ts';
import { DEFAULT_LOCK_LIFETIME_MS } from './locks.ts';
import { Look, watchedDirectories } from './look.ts';
import { bringBackTheDead } from './recovery.ts';
import { Settling } from './settle.ts';
import { type TakingParts, takeJob } from './take.ts';
import { type WaitingJob, WaitingJobs } from './waiting.ts';
import { DEFAULT_LEASE_MS, enterQueue, type WorkerFile } from './worker-file.ts';

export type DirQueueJoinOptions = JoinOptions & {
  /** Whether jobs that failed are kept, in intray/failed/. Default: yes. */
  readonly keepFailed?: boolean;
  /** How old the lock of a dead worker of the original must be to be broken. Default: 600,000. */
  readonly lockLifetimeMs?: number;
  /** Whether the end of a job is to survive a power cut. Default: `power-safe`. */
  readonly durability?: Durability;
};

const DEFAULT_MAX_STARTS = 5;

export async function joinQueue(
  machine: Machine,
  queue: string,
  options: DirQueueJoinOptions,
): Promise<DirQueueSession> {
  await requireQueue(machine, queue);
  await makeOwnRooms(machine, queue);
  const worker = await enterQueue(machine, queue, options.leaseMs ?? DEFAULT_LEASE_MS);
  const session = new DirQueueSession(machine, queue, options, worker);
  try {
    await session.begin();
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

export class DirQueueSession implements SharedSession {
  readonly lock: Descriptor;
  readonly #machine: Machine;
  readonly #queue: string;
  readonly #options: DirQueueJoinOptions;
  readonly #worker: WorkerFile;
  readonly #look: Look;
  readonly #sync: SharedSync;
  readonly #changes: Changes;
  readonly #life: Life;
  readonly #chooser: Chooser<DirQueueClaim>;
  readonly #taking: TakingParts;
  readonly #claimParts: ClaimParts;
  readonly #claims = new Map<SharedClaim, string>();
  /** One call of `claim` after the other. */
  readonly #turns = new Turns();
  #everLocked = false;
  #closed = false;

  constructor(machine: Machine, queue: string, options: DirQueueJoinOptions, worker: WorkerFile) {
    this.#machine = machine;
    this.#queue = queue;
    this.#options = options;
    this.#worker = worker;
    this.lock = worker.lock;
    const waiting = new WaitingJobs();
    this.#look = new Look(machine, queue, waiting);
    this.#sync = new SharedSync(machine.files);
    this.#changes = new Changes(machine);
    this.#life = new Life(machine, worker);
    const { keepSucceeded = false, keepFailed = true, durability = 'power-safe' } = options;
    const { maxStarts = DEFAULT_MAX_STARTS, maxDeaths = maxStarts } = options;
    const data = new DataFiles(machine, queue);
    const common = { machine, queue, worker, look: this.#look, data };
    const settling = new Settling({
      ...common,
      waiting,
      sync: this.#sync,
      isAlone: () => this.#claims.size <= 1,
      durability,
      keepSucceeded,
      keepFailed,
    });
    this.#taking = {
      ...common,
      life: this.#life,
      settling,
      maxStarts,
      maxDeaths,
      onRefused: options.onRefused,
    };
    this.#chooser = new Chooser({
      machine,
      queue,
      waiting,
      look: this.#look,
      changes: this.#changes,
      take: (job) => this.#take(job),
    });
    this.#claimParts = {
      machine,
      queue,
      settling,
      onSettled: (claim) => {
        this.#claims.delete(claim);
        this.#changes.wake();
      },
    };
  }

  get unreadable(): readonly Unreadable[] {
    return this.#look.unreadable;
  }

  get fenced(): AbortSignal {
    return this.#life.fenced;
  }

  async begin(): Promise<void> {
    this.#life.begin();
    if (this.#options.watch !== true) return;
    await this.#changes.watch(...(await watchedDirectories(this.#machine, this.#queue)));
  }

  claim(): Promise<DirQueueClaim | SharedIdle> {
    return this.#turns.next(async () => {
      this.#checkOpen();
      await this.#recoverNowAndThen();
      return this.#chooser.next();
    });
  }

  /** Claims this very job, if it is free: undefined when it is not, or is over. */
  claimJob(job: WaitingJob): Promise<DirQueueClaim | undefined> {
    return this.#turns.next(async () => {
      this.#checkOpen();
      await this.#recoverNowAndThen();
      return this.#take(job);
    });
  }

  async changed(atMostMs: number, signal: AbortSignal): Promise<void> {
    if (this.#closed) return;
    await this.#changes.untilWorthALook(atMostMs, signal, {
      isPaused: this.#chooser.wasPaused,
      restMs: this.#look.restMs,
      nextStartMs: this.#look.nextStartMs,
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#life.end();
    this.#changes.end();
    await this.#turns.over();
    let locksAreLeft = true;
    try {
      for (const claim of [...this.#claims.keys()]) await claim.release();
      const isUnlocked = await this.#taking.settling.unlockWhatIsLeft();
      if (this.#everLocked) {
        // A lock must not outlive the file that says whose it is.
        await syncDirectory(this.#machine.files, room(this.#queue, 'active'), this.#queue);
      }
      locksAreLeft = !isUnlocked;
    } finally {
      await this.#sync.close();
      await this.#worker.leave({ locksAreLeft });
    }
  }

  #checkOpen(): void {
    if (this.#closed) throw new Error(`${this.#queue}: the session is closed`);
    this.#life.requireAlive();
  }

  async #take(job: WaitingJob): Promise<DirQueueClaim | undefined> {
    if ([...this.#claims.values()].includes(job.id)) return undefined; // an old listing has it again
    this.#everLocked = true;
    const found = await takeJob(this.#taking, job);
    if (found === undefined) return undefined;
    const claim = claimOf(this.#claimParts, found.taken, found.opened);
    this.#claims.set(claim, job.id);
    return claim;
  }

  async #recoverNowAndThen(): Promise<void> {
    const { lockLifetimeMs: lifetimeMs = DEFAULT_LOCK_LIFETIME_MS } = this.#options;
    const freed = await this.#life.recoverNowAndThen(() => {
      this.#look.forgetDamaged();
      return bringBackTheDead(this.#machine, this.#queue, { own: this.#worker, lifetimeMs });
    });
    if (freed > 0) this.#changes.tell();
  }
}
