/**
 * Working a queue beside others.
 *
 *   joining    LOCK_SH on nextseq.lock, which keeps the original out as long as anybody works in parallel (`locked`
 *              when it is in); a room of our own under work/
 *   ready      `claim` renames the best job that may run now into our room: whoever's rename succeeds has it
 *   fenced     our room is gone, for we were silent longer than the lease: what we settle is `lost`
 *   closed     claims that are not settled are released, the room is removed, the lock is given up
 *
 *     joining --rooms, settings, a room of our own--> ready --silent for the lease--> fenced
 *                                                       |                               |
 *                                                       +----------> closed <-----------+
 *
 * What a session is made of: `Look` and `WaitingJobs` (what waits), `Taking` (from a waiting job to a claim), `Settling`
 * (what becomes of its file), `StoppedLanes` (lanes that do not move), `Life` (being alive, and noticing who is not),
 * `Changes` (when to look again).
 *
 * A job without a lane, and what a crash after each step leaves (for one of a lane, see settle.ts):
 *
 * | step                                    | a crash here leaves                                     |
 * |-----------------------------------------|---------------------------------------------------------|
 * | jobs/X -> work/W/X', one start more     | comes back when W is known to be dead, with that start  |
 * | (the command has succeeded)             | the same: at least once                                 |
 * | unlink of work/W/X', fsync of both      | before the fsync: either; after it the job is over      |
 */

import { closeQuietly } from '../../../os/close-quietly.ts';
import type { Descriptor, Machine } from '../../../os/ports.ts';
import type { Sequence } from '../../../packet/header.ts';
import { Changes, POLL_MS } from '../../../queue/changes.ts';
import type {
  BlockedPolicy,
  JoinOptions,
  SharedClaim,
  SharedIdle,
  SharedSession,
  Unreadable,
} from '../../../queue/contract.ts';
import { Life } from '../../../queue/life.ts';
import { PauseNotice } from '../../../queue/pause-notice.ts';
import { SharedSync } from '../../../queue/shared-sync.ts';
import { Turns } from '../../../queue/turns.ts';
import { jobsDirectory } from '../../layout.ts';
import type { Decoder } from '../../open-packet.ts';
import { enterRoom, type WorkerRoom } from '../own-room.ts';
import { isPaused, readSettings } from '../rooms.ts';
import { shareQueue } from '../share.ts';
import { DEFAULT_LEASE_MS } from '../worker-rooms.ts';
import { Look } from './look.ts';
import { bringBackTheDead } from './recovery.ts';
import { isRunning } from './running-jobs.ts';
import { Settling } from './settle.ts';
import { StoppedLanes } from './stopped-lanes.ts';
import { Taking } from './take.ts';
import { WaitingJobs } from './waiting.ts';
import { whyIdle } from './why-idle.ts';

export type HomeSessionOptions = {
  readonly decoder: Decoder | undefined;
  readonly leaseMs?: number | undefined;
  readonly maxStarts?: number | undefined;
  readonly maxDeaths?: number | undefined;
  readonly blocked?: BlockedPolicy | undefined;
  readonly keepSucceeded?: boolean | undefined;
  readonly watch?: boolean | undefined;
  readonly onRefused?: JoinOptions['onRefused'];
};

export async function joinQueue(
  machine: Machine,
  queue: string,
  options: HomeSessionOptions,
): Promise<SharedSession> {
  const guard = await shareQueue(machine, queue);
  let entered: WorkerRoom | undefined;
  try {
    const { order } = await readSettings(machine, queue);
    entered = await enterRoom(machine, queue, options.leaseMs ?? DEFAULT_LEASE_MS);
    const waiting = new WaitingJobs();
    const look = new Look(machine, queue, { order, decoder: options.decoder }, waiting);
    const session = new HomeSession(machine, queue, options, { guard, room: entered, waiting, look });
    await session.begin();
    return session;
  } catch (error) {
    await entered?.leave();
    await closeQuietly(machine.files, guard);
    throw error;
  }
}

type Parts = {
  readonly guard: Descriptor;
  readonly room: WorkerRoom;
  readonly waiting: WaitingJobs;
  readonly look: Look;
};

class HomeSession implements SharedSession {
  readonly lock: Descriptor;
  readonly #machine: Machine;
  readonly #queue: string;
  readonly #options: HomeSessionOptions;
  readonly #guard: Descriptor;
  readonly #room: WorkerRoom;
  readonly #waiting: WaitingJobs;
  readonly #look: Look;
  readonly #sync: SharedSync;
  readonly #changes: Changes;
  readonly #life: Life;
  readonly #taking: Taking;
  readonly #stopped: StoppedLanes;
  /** One call of `claim` after the other. */
  readonly #turns = new Turns();
  readonly #paused: PauseNotice;
  #closed = false;

  constructor(machine: Machine, queue: string, options: HomeSessionOptions, parts: Parts) {
    const { room, waiting, look } = parts;
    const { blocked, keepSucceeded = false, decoder, maxStarts, maxDeaths } = options;
    this.#machine = machine;
    this.#queue = queue;
    this.#options = options;
    this.#guard = parts.guard;
    this.#room = room;
    this.#waiting = waiting;
    this.#look = look;
    this.lock = room.lock;
    this.#sync = new SharedSync(machine.files);
    this.#changes = new Changes(machine);
    this.#life = new Life(machine, room);
    this.#paused = new PauseNotice(machine, () => isPaused(machine, queue));
    const common = { machine, queue, room, waiting, look };
    const settling = new Settling({ ...common, blocked, keepSucceeded, sync: this.#sync });
    const taking = new Taking({
      ...common,
      decoder,
      maxStarts,
      maxDeaths,
      life: this.#life,
      settling,
      onRefused: options.onRefused,
      onTaken: () => this.#changes.madeOne(),
      onSettled: () => this.#changes.wake(),
    });
    this.#taking = taking;
    this.#stopped = new StoppedLanes({
      ...common,
      policy: blocked,
      isRunning: (lane, seq) => isRunning(machine, queue, look, { lane, seq }),
      passOver: (job) => taking.passOver(job),
    });
  }

  get unreadable(): readonly Unreadable[] {
    return this.#look.unreadable;
  }

  get eventsArrive(): boolean | undefined {
    return this.#changes.eventsArrive;
  }

  get fenced(): AbortSignal {
    return this.#life.fenced;
  }

  async begin(): Promise<void> {
    this.#life.begin();
    if (this.#options.watch === true) await this.#changes.watch(jobsDirectory(this.#queue));
  }

  claim(): Promise<SharedClaim | SharedIdle> {
    return this.#turns.next(() => this.#claimBest());
  }

  async changed(atMostMs: number, signal: AbortSignal): Promise<void> {
    if (this.#closed) return;
    await this.#changes.untilWorthALook(atMostMs, signal, {
      isPaused: this.#paused.wasPaused,
      restMs: this.#look.restMs,
      nextStartMs: this.#waiting.nextStartMs(),
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#life.end();
    this.#changes.end();
    await this.#turns.over();
    try {
      for (const claim of this.#taking.claims) await claim.release();
    } finally {
      await this.#sync.close();
      try {
        await this.#room.leave();
      } finally {
        await this.#machine.locks.unlock(this.#guard);
        await closeQuietly(this.#machine.files, this.#guard);
      }
    }
  }

  async #claimBest(): Promise<SharedClaim | SharedIdle> {
    if (this.#closed) throw new Error(`${this.#queue}: the session is closed`);
    this.#life.requireAlive();
    await this.#recoverNowAndThen();
    const isDue = this.#changes.isStale || this.#look.ageMs > this.#changes.pollMs;
    if (isDue && this.#look.restMs <= 0) await this.#lookAgain();
    if (await this.#paused.isPaused()) {
      return { kind: 'idle', reason: 'paused', waiting: this.#look.waiting };
    }
    for (;;) {
      const claim = (await this.#claimReady()) ?? (await this.#claimAfterLook());
      if (claim !== undefined) return claim;
      if (!(await this.#stopped.moveOn())) return this.#idle();
    }
  }

  /** Nothing that we know of may run now. Unless we have just looked, and were told of no change since, look again. */
  async #claimAfterLook(): Promise<SharedClaim | undefined> {
    const { areTold, isStale } = this.#changes;
    if (areTold && !isStale && this.#look.ageMs < POLL_MS / 2) return undefined;
    await this.#lookAgain();
    return this.#claimReady();
  }

  async #claimReady(): Promise<SharedClaim | undefined> {
    for (;;) {
      const job = await this.#look.take();
      if (job === undefined) return undefined;
      const claim = await this.#taking.take(job);
      if (claim !== undefined) return claim;
      if (job.lane === undefined) continue;
      await this.#look.refreshLane(job.lane);
      this.#waiting.freeLane(job.lane);
    }
  }

  async #lookAgain(): Promise<void> {
    this.#changes.beginLook();
    await this.#look.look();
  }

  #idle(): Promise<SharedIdle> {
    const runs = (lane: string, seq: Sequence) =>
      isRunning(this.#machine, this.#queue, this.#look, { lane, seq });
    return whyIdle(this.#waiting, this.#taking.claimed, runs);
  }

  async #recoverNowAndThen(): Promise<void> {
    const moved = await this.#life.recoverNowAndThen(() =>
      bringBackTheDead(this.#machine, this.#queue, {
        own: this.#room,
        keepSucceeded: this.#options.keepSucceeded ?? false,
        whatIs: (directory, name) => this.#look.whatIs(directory, name),
      }),
    );
    if (moved > 0) this.#changes.tell();
  }
}
