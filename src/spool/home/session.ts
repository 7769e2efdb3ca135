/**
 * Working a queue beside others.
 *
 *   joining    LOCK_SH on nextseq.lock, which keeps the original out as long as anybody works in parallel (`locked`
 *              when it is in); a room of our own under work/
 *   ready      `claim` renames the best job that may run now into our room: whoever's rename succeeds has it
 *   fenced     our room is gone, for we were silent longer than the lease: what we settle is `lost`
 *   closed     claims that are not settled are released, the room is removed, the lock is given up
 *
 * A job without a lane, and what a crash after each step leaves:
 *
 * | step                                    | a crash here leaves                                     |
 * |-----------------------------------------|---------------------------------------------------------|
 * | jobs/X -> work/W/X', one start more     | comes back when W is known to be dead, with that start  |
 * | (the command has succeeded)             | the same: at least once                                 |
 * | unlink of work/W/X', fsync of both      | before the fsync: either; after it the job is over      |
 *
 * A job of a lane, all but the first under the lane's lock, and only as long as X' is in our room:
 *
 * | step                                    | a crash here leaves                                     |
 * |-----------------------------------------|---------------------------------------------------------|
 * | jobs/X -> work/W/X'                     | comes back, and is the lane's next again                |
 * | lane's number + 1, durable              | X' is past: whoever finds it in W's room removes it     |
 * | unlink of work/W/X'                     | nothing of it is left                                   |
 */

import { formatMs, toMs } from '../../os/calendar.ts';
import { closeQuietly } from '../../os/close-quietly.ts';
import { type Descriptor, hasErrno, type Machine } from '../../os/ports.ts';
import { packetEnvironment } from '../../packet/environment.ts';
import { following, type Sequence } from '../../packet/header.ts';
import type {
  BlockedPolicy,
  RunFacts,
  Settled,
  SharedClaim,
  SharedIdle,
  SharedSession,
  Unreadable,
} from '../../queue/contract.ts';
import { jobsDirectory, join } from '../layout.ts';
import { type Decoder, type OpenedPacket, openPacket } from '../open-packet.ts';
import { jobOf } from '../session.ts';
import { formatJobName } from './job-name.ts';
import { lockLane, nextNumber } from './lane-numbers.ts';
import { Look } from './look.ts';
import { finishReceipt } from './receipts.ts';
import { bringBackTheDead } from './recovery.ts';
import { isPaused, readSettings, room } from './rooms.ts';
import { openOutput, type RunNotes, type RunOutput, type RunRecord, recordRun } from './run-log.ts';
import { shareQueue } from './share.ts';
import { SharedSync } from './shared-sync.ts';
import { termsOf } from './terms.ts';
import { type Waiting, WaitingJobs } from './waiting.ts';
import { DEFAULT_LEASE_MS, enterRoom, fencedError, listRooms, type WorkerRoom } from './worker-room.ts';

export type HomeSessionOptions = {
  readonly decoder: Decoder | undefined;
  readonly leaseMs?: number | undefined;
  readonly maxStarts?: number | undefined;
  readonly blocked?: BlockedPolicy | undefined;
  readonly keepSucceeded?: boolean | undefined;
  readonly watch?: boolean | undefined;
};

const DEFAULT_MAX_STARTS = 5;
const HOLD: BlockedPolicy = { action: 'hold' };

/** How often a worker that waits looks by itself, whatever it was told. */
const POLL_MS = 1000;

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

/** A claimed job: where it came from, what it is called in our room, when it was started. */
type Taken = {
  readonly from: Waiting;
  readonly name: string;
  readonly path: string;
  readonly startedMs: number;
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
  /** Since when each lane that does not move has been seen so, by our steady clock. */
  readonly #stoppedSince = new Map<string, { readonly at: Sequence; readonly sinceMs: number }>();
  /** One call of `claim` after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #recoveredAtMs = Number.NEGATIVE_INFINITY;
  #provenAtMs: number;
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
    this.#provenAtMs = machine.clock.monotonicMs();
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
    const told = this.#stopWatching !== undefined && this.#stale;
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
    if (await isPaused(this.#machine, this.#queue)) {
      return { kind: 'idle', reason: 'paused', waiting: this.#waiting.size };
    }
    for (;;) {
      const claim = (await this.#claimReady()) ?? (await this.#claimAfterLook());
      if (claim !== undefined) return claim;
      if (!(await this.#moveStoppedLanes())) return this.#idle();
    }
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
      this.#waiting.offer(toMs(this.#machine.clock.now()));
      const job = this.#waiting.take();
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
    if (from.attempts >= (this.#options.maxStarts ?? DEFAULT_MAX_STARTS)) return this.#quarantine(from);
    const taken = await this.#rename(from, from.attempts + 1);
    if (taken === undefined) return undefined;
    const opened = await openPacket(this.#machine, taken.path, this.#options.decoder);
    if (opened.kind === 'damaged') {
      await this.#bury(taken, `${opened.message}, so nobody can tell what was to be run`);
      return undefined;
    }
    const known = this.#look.waitingOf(from.name, opened.header);
    const outdated = known.lane !== from.lane || known.seq !== from.seq;
    if (outdated || !(await this.#isNext(from))) {
      await opened.discard();
      // The index learns of it by its right name.
      await this.#giveBack(taken, { ...known, attempts: from.attempts }, 'drop');
      return undefined;
    }
    const { expiresMs } = termsOf(opened.header);
    if (expiresMs !== undefined && expiresMs < toMs(this.#machine.clock.now())) {
      await opened.discard();
      await this.#skip(taken, `it was not to start after ${formatMs(expiresMs)}`);
      return undefined;
    }
    const claim = this.#claimOf(taken, opened);
    this.#claims.set(claim, taken);
    return claim;
  }

  /** A job of a lane may be past: a sync tool can bring back what was removed. */
  async #isNext({ lane, seq }: Waiting): Promise<boolean> {
    return lane === undefined || (await nextNumber(this.#machine, this.#queue, lane)) === seq;
  }

  /** The moment a job becomes ours; undefined when somebody was faster. */
  async #rename(from: Waiting, attempts: number): Promise<Taken | undefined> {
    const { files, clock } = this.#machine;
    const name = formatJobName({ ...from, attempts });
    const path = join(this.#room.path, name);
    const taken = { from, name, path, startedMs: toMs(clock.now()) };
    try {
      await files.rename(join(jobsDirectory(this.#queue), from.name), path);
      return taken;
    } catch (error) {
      // Over a network the answer can get lost, and the second try finds nothing to rename: look before believing.
      if (await this.#isOurs(path)) return taken;
      if (!hasErrno(error, 'ENOENT', 'ESTALE')) throw error;
      if (!(await this.#room.exists())) {
        this.#fence.abort();
        throw fencedError(this.#room.path);
      }
      return undefined;
    }
  }

  async #isOurs(path: string): Promise<boolean> {
    try {
      await this.#machine.files.stat(path);
      return true;
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ESTALE')) return false;
      throw error;
    }
  }

  async #quarantine(from: Waiting): Promise<undefined> {
    const taken = await this.#rename(from, from.attempts);
    if (taken === undefined) return;
    await this.#bury(taken, `it was started ${from.attempts} times, and each time its worker died`);
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

  async #isRunning(lane: string, seq: Sequence): Promise<boolean> {
    for (const { jobs } of await listRooms(this.#machine, this.#queue)) {
      for (const name of jobs) {
        const job = this.#look.named(name);
        if (job !== undefined && job.lane === lane && job.seq === seq) return true;
      }
    }
    return false;
  }

  /** Moves on lanes that have not moved for as long as the policy says. True when one was moved. */
  async #moveStoppedLanes(): Promise<boolean> {
    const { action, afterMs } = this.#options.blocked ?? HOLD;
    if (action === 'hold' || afterMs === undefined) return false;
    const nowMs = this.#machine.clock.monotonicMs();
    const stops = this.#waiting.stops();
    for (const lane of this.#stoppedSince.keys()) if (!stops.has(lane)) this.#stoppedSince.delete(lane);
    let moved = false;
    for (const [lane, stop] of stops) {
      const at = stop.kind === 'gap' ? stop.missing : stop.job.seq;
      const since = this.#stoppedSince.get(lane);
      if (since?.at !== at) this.#stoppedSince.set(lane, { at, sinceMs: nowMs });
      if (nowMs - (since?.at === at ? since.sinceMs : nowMs) < afterMs) continue;
      if (stop.kind === 'gap' && (await this.#isRunning(lane, at))) continue;
      await this.#moveLane(lane, at, stop.kind === 'gap' ? stop.next : undefined, stop);
      moved = true;
    }
    return moved;
  }

  async #moveLane(
    lane: string,
    at: Sequence,
    next: Sequence | undefined,
    stop: { readonly kind: 'gap' } | { readonly kind: 'held'; readonly job: Waiting },
  ): Promise<void> {
    if (stop.kind === 'held') {
      const taken = await this.#rename(stop.job, stop.job.attempts);
      this.#waiting.drop(stop.job.name);
      if (taken !== undefined) await this.#skip(taken, 'its lane has waited for it long enough');
    } else {
      const numbers = await lockLane(this.#machine, this.#queue, lane);
      try {
        if ((await numbers.read()) === at && next !== undefined) await numbers.write(next);
      } finally {
        await numbers.close();
      }
    }
    this.#waiting.freeLane(lane);
    await this.#look.refreshLane(lane);
  }

  // Settling

  #claimOf(taken: Taken, opened: OpenedPacket): SharedClaim {
    const { header } = opened;
    const { from, name, path } = taken;
    const place = { queue: this.#queue, filename: name, path };
    let problem: Promise<string | undefined> | undefined;
    let output: RunOutput | undefined;
    const settleOnce = async (
      settle: () => Promise<Settled>,
      outcome: RunRecord['outcome'],
      notes: RunNotes = {},
    ): Promise<Settled> => {
      if (!this.#claims.has(claim)) throw new Error(`${path}: this claim is settled already`);
      problem ??= outcome === 'released' ? opened.discard().then(() => undefined) : opened.finish();
      await problem;
      const settled = await settle();
      this.#claims.delete(claim);
      await this.#keepRecord(taken, settled === 'lost' ? 'lost' : outcome, notes, output);
      this.#wake();
      return settled;
    };
    const claim: SharedClaim = {
      kind: 'claim',
      job: { ...jobOf({ name, path, header }) },
      attempt: from.attempts + 1,
      env: [
        ...packetEnvironment(header, this.#machine.clock, place),
        ['INTRAY_JOB', from.stem],
        ['INTRAY_ATTEMPT', String(from.attempts + 1)],
        ...(from.lane ? [['INTRAY_LANE', from.lane] as const] : []),
      ],
      payload: opened.payload,
      payloadProblem: () => {
        problem ??= opened.finish();
        return problem;
      },
      anticipate: async () => {},
      succeed: () =>
        settleOnce(async () => {
          const { id } = termsOf(header);
          if (id !== undefined && (await this.#isOurs(path))) {
            await finishReceipt(this.#machine, this.#queue, id, from);
          }
          return this.#conclude(taken, this.#options.keepSucceeded === true ? 'done' : 'remove');
        }, 'succeeded'),
      fail: (reason = 'it failed', facts: RunFacts = {}) =>
        settleOnce(() => this.#concludeFailed(taken), 'failed', { reason, ...facts }),
      retry: (atMs, reason, facts: RunFacts = {}) => {
        const again = { ...from, attempts: from.attempts + 1, notBeforeMs: Math.max(0, Math.ceil(atMs)) };
        return settleOnce(() => this.#giveBack(taken, again), 'retry', { reason, ...facts });
      },
      openOutput: async () => {
        output ??= await openOutput(this.#machine, this.#queue, from.stem, from.attempts + 1);
        return output;
      },
      release: () => settleOnce(() => this.#giveBack(taken, from), 'released'),
    };
    return claim;
  }

  /** What is over without success: out of the way, or, in a lane that must not go on without it, held in its place. */
  async #concludeFailed(taken: Taken): Promise<Settled> {
    const { action, afterMs = 0 } = this.#options.blocked ?? HOLD;
    const { from } = taken;
    if (from.lane !== undefined && (action === 'hold' || afterMs > 0)) {
      return this.#giveBack(taken, { ...from, attempts: from.attempts + 1, held: true });
    }
    return this.#conclude(taken, action === 'drop' && from.lane !== undefined ? 'remove' : 'failed');
  }

  /** A job that is over without having been run. */
  async #bury(taken: Taken, reason: string): Promise<void> {
    const { action, afterMs = 0 } = this.#options.blocked ?? HOLD;
    const stays = taken.from.lane !== undefined && (action === 'hold' || afterMs > 0);
    const settled = stays
      ? await this.#giveBack(taken, { ...taken.from, held: true })
      : await this.#conclude(taken, 'failed');
    if (settled === 'settled') await this.#record(taken, 'failed', { reason });
  }

  /** A job that its lane goes on without. */
  async #skip(taken: Taken, reason: string): Promise<void> {
    const drop = this.#options.blocked?.action === 'drop' && taken.from.lane !== undefined;
    const settled = await this.#conclude(taken, drop ? 'remove' : 'failed');
    if (settled === 'settled') await this.#record(taken, 'failed', { reason });
  }

  /** The job is over: its lane goes on, and its file goes where it belongs. */
  async #conclude(taken: Taken, to: 'remove' | 'done' | 'failed'): Promise<Settled> {
    const { lane, seq } = taken.from;
    if (lane === undefined) return this.#putAway(taken, to);
    const numbers = await lockLane(this.#machine, this.#queue, lane);
    try {
      if (!(await this.#isOurs(taken.path))) return 'lost';
      const next = await numbers.read();
      if (next === seq) await numbers.write(following(seq));
      this.#waiting.setNext(lane, next === seq ? following(seq) : next);
    } finally {
      await numbers.close();
      this.#waiting.freeLane(lane);
    }
    await this.#putAway(taken, to);
    return 'settled';
  }

  async #putAway({ path, from }: Taken, to: 'remove' | 'done' | 'failed'): Promise<Settled> {
    const { files } = this.#machine;
    const target = to === 'remove' ? undefined : room(this.#queue, to);
    try {
      if (target === undefined) await files.unlink(path);
      else await files.rename(path, join(target, formatJobName({ ...from, attempts: from.attempts + 1 })));
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ESTALE')) return 'lost';
      throw error;
    }
    // In a lane the number says that it is over; else only the names do, the old one in jobs/ too.
    if (target !== undefined) await this.#sync.sync(target);
    if (from.lane === undefined) {
      await Promise.all([this.#sync.sync(jobsDirectory(this.#queue)), this.#sync.sync(this.#room.path)]);
    }
    return 'settled';
  }

  /** Back to jobs/, as this. */
  async #giveBack(taken: Taken, as: Waiting, index: 'add' | 'drop' = 'add'): Promise<Settled> {
    const { files, clock } = this.#machine;
    // A job that was never renamed before keeps the name that it came with.
    const unchanged = as.attempts === taken.from.attempts && as === taken.from;
    const name = unchanged ? taken.from.name : formatJobName({ ...as });
    try {
      await files.rename(taken.path, join(jobsDirectory(this.#queue), name));
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ESTALE')) return 'lost';
      throw error;
    } finally {
      if (as.lane !== undefined) this.#waiting.freeLane(as.lane);
    }
    if (index === 'add') {
      const back = { ...as, name };
      await this.#look.openLanes([back]);
      this.#waiting.add([back], toMs(clock.now()));
    } else this.#stale = true;
    return 'settled';
  }

  /** A job that succeeded at once, and is gone, leaves no trace. */
  async #keepRecord(
    taken: Taken,
    outcome: RunRecord['outcome'],
    notes: RunNotes,
    output: RunOutput | undefined,
  ): Promise<void> {
    const plain = outcome === 'released' || (outcome === 'succeeded' && taken.from.attempts === 0);
    const keep = !plain || this.#options.keepSucceeded === true;
    await output?.end(keep);
    if (keep) await this.#record(taken, outcome, notes);
  }

  async #record(taken: Taken, outcome: RunRecord['outcome'], notes: RunNotes = {}): Promise<void> {
    const { clock } = this.#machine;
    try {
      await recordRun(this.#machine, this.#queue, taken.from.stem, {
        attempt: taken.from.attempts + 1,
        outcome,
        ...notes,
        worker: this.#room.name,
        started: formatMs(taken.startedMs),
        ended: formatMs(toMs(clock.now())),
      });
    } catch {
      // A full disk must not stop what has been decided already.
    }
  }

  // Being alive, and noticing who is not

  #beatLater(): void {
    this.#stopBeating = this.#machine.clock.after(this.#room.beatEveryMs, () => {
      void this.#beat();
    });
  }

  async #beat(): Promise<void> {
    if (this.#closed) return;
    const { clock } = this.#machine;
    const atMs = clock.monotonicMs();
    let alive: boolean | 'unknown';
    try {
      alive = await this.#room.beat();
    } catch {
      alive = 'unknown';
    }
    if (alive === true) this.#provenAtMs = atMs;
    // Nobody answers: by now others may think that we are dead.
    const silentMs = clock.monotonicMs() - this.#provenAtMs;
    if (alive === false || silentMs > (this.#options.leaseMs ?? DEFAULT_LEASE_MS)) this.#fence.abort();
    else if (!this.#closed) this.#beatLater();
  }

  async #recoverNowAndThen(): Promise<void> {
    const { clock } = this.#machine;
    if (clock.monotonicMs() - this.#recoveredAtMs < POLL_MS) return;
    this.#recoveredAtMs = clock.monotonicMs();
    const moved = await bringBackTheDead(this.#machine, this.#queue, this.#room, (name) =>
      this.#look.named(name),
    );
    if (moved > 0) this.#stale = true;
  }
}
