/**
 * Working a queue beside others.
 *
 *   joining    LOCK_SH on nextseq.lock, which keeps the original out as long as anybody works in parallel (`locked`
 *              when it is in); a room of our own under work/
 *   ready      `claim` renames the best job that may run now into our room: whoever's rename succeeds has it
 *   fenced     our room is gone, for we were silent longer than the lease: what we settle is `lost`
 *   closed     claims that are not settled are released, the room is removed, the lock is given up
 *
 * A job without a lane, and what a crash after each step leaves (for one of a lane, see settle.ts):
 *
 * | step                                    | a crash here leaves                                     |
 * |-----------------------------------------|---------------------------------------------------------|
 * | jobs/X -> work/W/X', one start more     | comes back when W is known to be dead, with that start  |
 * | (the command has succeeded)             | the same: at least once                                 |
 * | unlink of work/W/X', fsync of both      | before the fsync: either; after it the job is over      |
 */

import { formatMs, toMs } from '../../os/calendar.ts';
import { closeQuietly } from '../../os/close-quietly.ts';
import { type Descriptor, hasErrno, type Machine } from '../../os/ports.ts';
import type { Sequence } from '../../packet/header.ts';
import type {
  BlockedPolicy,
  SharedClaim,
  SharedIdle,
  SharedSession,
  Unreadable,
} from '../../queue/contract.ts';
import { QueueError } from '../../queue/errors.ts';
import { SharedSync } from '../../queue/shared-sync.ts';
import { jobsDirectory, join } from '../layout.ts';
import { type Decoder, type OpenedPacket, openPacket } from '../open-packet.ts';
import { type ClaimParts, claimOf } from './claim.ts';
import { formatJobName, parseJobName, SEE_HEADER } from './job-name.ts';
import { nextNumber } from './lane-numbers.ts';
import { Look } from './look.ts';
import { bringBackTheDead } from './recovery.ts';
import { isPaused, readSettings } from './rooms.ts';
import { Settling, type Taken } from './settle.ts';
import { shareQueue } from './share.ts';
import { StoppedLanes } from './stopped-lanes.ts';
import { termsOf } from './terms.ts';
import { type Waiting, WaitingJobs } from './waiting.ts';
import {
  DEFAULT_LEASE_MS,
  enterRoom,
  fencedError,
  isGone,
  namesInRooms,
  type WorkerRoom,
} from './worker-room.ts';

export type HomeSessionOptions = {
  readonly decoder: Decoder | undefined;
  readonly leaseMs?: number | undefined;
  readonly maxStarts?: number | undefined;
  readonly blocked?: BlockedPolicy | undefined;
  readonly keepSucceeded?: boolean | undefined;
  readonly watch?: boolean | undefined;
};

const DEFAULT_MAX_STARTS = 5;

/** How often a worker that waits looks by itself, whatever it was told. */
const POLL_MS = 1000;

/** How soon a pause or its end is noticed. */
const PAUSE_NOTICED_MS = 50;

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
  readonly #claims = new Map<SharedClaim, Taken>();
  readonly #fence = new AbortController();
  readonly #settling: Settling;
  readonly #stopped: StoppedLanes;
  readonly #claimParts: ClaimParts;
  /** One call of `claim` after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #paused = { askedMs: Number.NEGATIVE_INFINITY, is: false };
  #recoveredAtMs = Number.NEGATIVE_INFINITY;
  #stopBeating: () => void = () => {};
  #stopWatching: (() => void) | undefined;
  /** We were told, or know, that something has changed in jobs/ since the last look. */
  #stale = true;
  #wake: () => void = () => {};
  #closed = false;

  constructor(machine: Machine, queue: string, options: HomeSessionOptions, parts: Parts) {
    this.#machine = machine;
    this.#queue = queue;
    this.#options = options;
    this.#guard = parts.guard;
    this.#room = parts.room;
    this.#waiting = parts.waiting;
    this.#look = parts.look;
    this.#sync = new SharedSync(machine.files);
    this.lock = parts.room.lock;
    const { blocked, keepSucceeded = false } = options;
    const common = { machine, queue, waiting: parts.waiting, look: parts.look };
    this.#settling = new Settling({ ...common, blocked, keepSucceeded, room: parts.room, sync: this.#sync });
    this.#stopped = new StoppedLanes({
      ...common,
      policy: blocked,
      isRunning: (lane, seq) => this.#isRunning(lane, seq),
      passOver: (job) => this.#passOver(job),
    });
    this.#claimParts = {
      machine,
      queue,
      settling: this.#settling,
      onSettled: (claim) => {
        this.#claims.delete(claim);
        this.#wake();
      },
    };
  }

  get unreadable(): readonly Unreadable[] {
    return this.#look.unreadable;
  }

  get fenced(): AbortSignal {
    return this.#fence.signal;
  }

  async begin(): Promise<void> {
    this.#beatLater();
    if (this.#options.watch !== true) return;
    try {
      this.#stopWatching = await this.#machine.watches.watch(jobsDirectory(this.#queue), {
        onChange: () => this.#changedOnDisk(),
        onLost: () => this.#changedOnDisk(),
      });
    } catch (error) {
      if (!hasErrno(error, 'ENOSPC', 'EMFILE', 'ENOSYS', 'ENOTSUP')) throw error;
      // Then we look by ourselves, each second.
    }
  }

  claim(): Promise<SharedClaim | SharedIdle> {
    const turn = this.#turn.then(() => this.#claimBest());
    this.#turn = turn.catch(() => {}); // told to whoever called
    return turn;
  }

  async changed(atMostMs: number, signal: AbortSignal): Promise<void> {
    // While the queue is paused nobody looks, so there is nothing to be told.
    const told = this.#stopWatching !== undefined && this.#stale && !this.#paused.is;
    if (signal.aborted || this.#closed || (told && this.#look.restMs <= 0)) return;
    const { clock } = this.#machine;
    const startsInMs = (this.#waiting.nextStartMs() ?? Number.POSITIVE_INFINITY) - toMs(clock.now());
    const waitMs = Math.min(atMostMs, told ? this.#look.restMs : POLL_MS, startsInMs);
    await new Promise<void>((resolve) => {
      const stop = () => {
        cancel();
        signal.removeEventListener('abort', stop);
        resolve();
      };
      const cancel = clock.after(Math.max(0, Math.ceil(waitMs)), stop);
      signal.addEventListener('abort', stop);
      this.#wake = stop;
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopBeating();
    this.#stopWatching?.();
    await this.#turn;
    try {
      for (const claim of [...this.#claims.keys()]) await claim.release();
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

  // Claiming

  async #claimBest(): Promise<SharedClaim | SharedIdle> {
    if (this.#closed) throw new Error(`${this.#queue}: the session is closed`);
    if (this.#fence.signal.aborted) throw fencedError(this.#room.path);
    await this.#recoverNowAndThen();
    if ((this.#stale || this.#look.ageMs > POLL_MS) && this.#look.restMs <= 0) await this.#lookAgain();
    if (await this.#isPaused()) {
      return { kind: 'idle', reason: 'paused', waiting: this.#look.waiting };
    }
    for (;;) {
      const claim = (await this.#claimReady()) ?? (await this.#claimAfterLook());
      if (claim !== undefined) return claim;
      if (!(await this.#stopped.moveOn())) return this.#idle();
    }
  }

  /** Asked anew now and then: for each of many short jobs it would cost as much as the rest of the claim. */
  async #isPaused(): Promise<boolean> {
    const nowMs = this.#machine.clock.monotonicMs();
    if (nowMs - this.#paused.askedMs >= PAUSE_NOTICED_MS) {
      this.#paused = { askedMs: nowMs, is: await isPaused(this.#machine, this.#queue) };
    }
    return this.#paused.is;
  }

  /** Nothing that we know of may run now. Unless we have just looked, and were told of no change since, look again. */
  async #claimAfterLook(): Promise<SharedClaim | undefined> {
    const watching = this.#stopWatching !== undefined;
    if (watching && !this.#stale && this.#look.ageMs < POLL_MS / 2) return undefined;
    await this.#lookAgain();
    return this.#claimReady();
  }

  async #claimReady(): Promise<SharedClaim | undefined> {
    for (;;) {
      const job = await this.#look.take();
      if (job === undefined) return undefined;
      const claim = await this.#take(job);
      if (claim !== undefined) return claim;
      if (job.lane === undefined) continue;
      await this.#look.refreshLane(job.lane);
      this.#waiting.freeLane(job.lane);
    }
  }

  async #lookAgain(): Promise<void> {
    this.#stale = false;
    await this.#look.look();
  }

  #changedOnDisk(): void {
    this.#stale = true;
    this.#wake();
  }

  /** Undefined when it is not to be run by us: it is gone, or past, or out of date, or was given up. */
  async #take(from: Waiting): Promise<SharedClaim | undefined> {
    if (await this.#isRunByOthers(from)) return undefined;
    const starts = from.attempts + 1;
    const taken = await this.#rename(from, starts);
    if (taken === undefined) return undefined;
    let opened: OpenedPacket | undefined;
    try {
      if (starts > (this.#options.maxStarts ?? DEFAULT_MAX_STARTS)) {
        return await this.#refuse(
          taken,
          `it was started ${from.attempts} times, and each time its worker died`,
        );
      }
      opened = await this.#open(taken);
      return opened === undefined ? undefined : await this.#claimOpened(taken, opened);
    } catch (error) {
      // Not the job's fault: it is as if we had not taken it. Where even that fails it comes back when we are gone.
      await opened?.discard().catch(() => {});
      await this.#settling.giveBack(taken, from).catch(() => {});
      throw error;
    }
  }

  async #claimOpened(taken: Taken, opened: OpenedPacket): Promise<SharedClaim | undefined> {
    const { from } = taken;
    const known = this.#look.waitingOf(from.name, opened.header);
    if (known.lane !== from.lane || known.seq !== from.seq || !(await this.#isNext(from))) {
      await opened.discard();
      // Not what its name says, or past: back, under the right name.
      await this.#settling.giveBack(taken, known);
      return undefined;
    }
    if (await this.#isRunByOthers(from)) {
      await opened.discard();
      await this.#settling.giveBack(taken, from);
      this.#waiting.drop(from.name); // until the next look
      return undefined;
    }
    const { expiresMs, nothing } = termsOf(opened.header);
    if (nothing === true) {
      await opened.discard();
      await this.#settling.succeed(taken);
      return undefined;
    }
    if (expiresMs !== undefined && expiresMs < toMs(this.#machine.clock.now())) {
      await opened.discard();
      return await this.#refuse(taken, `it was not to start after ${formatMs(expiresMs)}`, 'skip');
    }
    const claim = claimOf(this.#claimParts, taken, opened);
    this.#claims.set(claim, taken);
    return claim;
  }

  /** Undefined when it was taken from us, or is damaged. */
  async #open(taken: Taken): Promise<OpenedPacket | undefined> {
    const { decoder } = this.#options;
    try {
      const opened = await openPacket(this.#machine, taken.path, decoder);
      if (opened.kind === 'packet') return opened;
      if (decoder === undefined) {
        return await this.#refuse(taken, `${opened.message}, so nobody can tell what was to be run`);
      }
      // It may be the decoder's fault, and then that of all.
      throw new QueueError('decoder-failed', `${taken.path}: ${opened.message}`);
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  /** A job that is over without having been run. */
  async #refuse(taken: Taken, reason: string, how: 'fail' | 'skip' = 'fail'): Promise<undefined> {
    const settled = await this.#settling[how](taken);
    if (settled === 'settled') await this.#settling.record(taken, 'failed', { reason });
  }

  /** A job of a lane may be past: a sync tool can bring back what was removed. */
  async #isNext({ lane, seq }: Waiting): Promise<boolean> {
    return lane === undefined || (await nextNumber(this.#machine, this.#queue, lane)) === seq;
  }

  /**
   * Whether another worker runs a job of that lane and number: a second file of one job, brought back by a sync tool
   * while the first is running, say. Asked before we take it, so that it is not moved to and fro meanwhile, and again
   * when we have it: of two workers who each take one of the two at once, at least one sees the other's.
   */
  async #isRunByOthers({ lane, seq }: Waiting): Promise<boolean> {
    return lane !== undefined && this.#isRunning(lane, seq, this.#room.name);
  }

  /** The moment a job becomes ours; undefined when somebody was faster. */
  async #rename(from: Waiting, attempts: number): Promise<Taken | undefined> {
    const { files, clock } = this.#machine;
    const name = formatJobName({ ...from, attempts });
    const path = join(this.#room.path, name);
    const taken = { from, attempts, name, path, takenMs: toMs(clock.now()) };
    try {
      await files.rename(join(jobsDirectory(this.#queue), from.name), path);
      return taken;
    } catch (error) {
      // Over a network the answer can get lost: look before believing.
      //     we                                             server
      //     look up the name in our room: not there
      //     rename                                         done; the answer gets lost
      //     ask again                                      nothing to rename: ENOENT
      //     look the name up                               not asked, unless the directory is opened anew
      // (One that we have already is not what this was about: an old listing can show us its old name again.)
      const isHeld = [...this.#claims.values()].some((held) => held.path === path);
      if (!isHeld && (await this.#settling.isOurs(taken))) return taken;
      if (!hasErrno(error, 'ENOENT', 'ESTALE')) throw error;
      if (!(await this.#room.exists())) {
        this.#fence.abort();
        throw fencedError(this.#room.path);
      }
      return undefined;
    }
  }

  async #passOver(job: Waiting): Promise<void> {
    const taken = await this.#rename(job, job.attempts);
    if (taken !== undefined) await this.#refuse(taken, 'its lane has waited for it long enough', 'skip');
  }

  async #idle(): Promise<SharedIdle> {
    const waiting = this.#waiting.size;
    const untilMs = this.#waiting.nextStartMs();
    if (untilMs !== undefined) return { kind: 'idle', reason: 'delayed', untilMs, waiting };
    const stops = this.#waiting.stops();
    let held = this.#waiting.heldFree();
    let gap: SharedIdle | undefined;
    let busy = [...this.#claims.values()].some(({ from }) => this.#waiting.isBehind(from.lane));
    for (const [lane, stop] of stops) {
      if (stop.kind === 'held') held += stop.waiting;
      else if (await this.#isRunning(lane, stop.missing)) busy = true;
      else {
        const { missing, next, waiting: behind } = stop;
        gap ??= { kind: 'idle', reason: 'gap', lane, missing, next, waiting: behind };
      }
    }
    if (busy) return { kind: 'idle', reason: 'busy', waiting };
    if (gap !== undefined) return gap;
    if (held > 0) return { kind: 'idle', reason: 'held', jobs: held, waiting };
    return { kind: 'idle', reason: 'empty', waiting };
  }

  async #isRunning(lane: string, seq: Sequence, exceptIn?: string): Promise<boolean> {
    for (const name of await namesInRooms(this.#machine, this.#queue, exceptIn)) {
      const job = this.#look.named(name);
      if (job === undefined ? mayBe(name, seq) : job.lane === lane && job.seq === seq) return true;
    }
    return false;
  }

  // Being alive, and noticing who is not

  #beatLater(): void {
    this.#stopBeating = this.#machine.clock.after(this.#room.beatEveryMs, () => {
      void this.#beat();
    });
  }

  async #beat(): Promise<void> {
    if (this.#closed) return;
    let alive: boolean | 'unknown';
    try {
      alive = await this.#room.beat();
    } catch {
      alive = 'unknown';
    }
    // Nobody answers: by now others may think that we are dead.
    if (alive === false || !this.#room.isSurelyOurs) this.#fence.abort();
    else if (!this.#closed) this.#beatLater();
  }

  async #recoverNowAndThen(): Promise<void> {
    const { clock } = this.#machine;
    if (clock.monotonicMs() - this.#recoveredAtMs < POLL_MS) return;
    this.#recoveredAtMs = clock.monotonicMs();
    const moved = await bringBackTheDead(this.#machine, this.#queue, {
      own: this.#room,
      keepSucceeded: this.#options.keepSucceeded ?? false,
      whatIs: (directory, name) => this.#look.whatIs(directory, name),
    });
    if (moved > 0) this.#stale = true;
  }
}

/** Whether a job whose lane has no room in its name may be that one: rather wait for another than pass it over. */
function mayBe(name: string, seq: Sequence): boolean {
  const said = parseJobName(name);
  return said?.lane === SEE_HEADER && said.seq === seq;
}
