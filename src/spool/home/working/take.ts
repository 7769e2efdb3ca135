/**
 * From a waiting job to a claim.
 *
 *   waiting   its name is in jobs/, as far as we know
 *   ours      its name is in our room, one start more in it; nobody else has it
 *   claimed   it is open, and is what its name says
 *
 *     waiting --rename--> ours --open, ask its header--> claimed
 *        ^  |               |
 *        |  `-- gone        +-- not ours to run: past, running elsewhere, or named wrongly --> back, as what it is
 *        |                  +-- one of two names of one file: that name goes, see second-name.ts
 *        +------------------+-- it cannot be opened now: an error, and as if we had not taken it
 *                           +-- it is not to be run at all: damaged, expired, or it kills its workers --> failed/
 */

import { formatMs, toMs } from '../../../os/calendar.ts';
import { isGone } from '../../../os/if-there.ts';
import { hasErrno, type Machine } from '../../../os/ports.ts';
import type { JoinOptions, SharedClaim } from '../../../queue/contract.ts';
import { QueueError } from '../../../queue/errors.ts';
import type { Life } from '../../../queue/life.ts';
import { deathsInARow } from '../../../queue/run-log.ts';
import { counted } from '../../../queue/words.ts';
import { jobsDirectory, join } from '../../layout.ts';
import { type Decoder, type OpenedPacket, openPacket } from '../../open-packet.ts';
import { formatJobName } from '../job-name.ts';
import { nextNumber } from '../lane-numbers.ts';
import type { WorkerRoom } from '../own-room.ts';
import { readRuns } from '../run-log.ts';
import { giveUpSecondName, SecondNames } from '../second-name.ts';
import { termsOf } from '../terms.ts';
import type { Waiting } from '../waiting-job.ts';
import { type ClaimParts, claimOf } from './claim.ts';
import type { Look } from './look.ts';
import { isRunning } from './running-jobs.ts';
import type { Settling, Taken } from './settle.ts';
import type { WaitingJobs } from './waiting.ts';

const DEFAULT_MAX_STARTS = 5;

export type TakingParts = {
  readonly machine: Machine;
  readonly queue: string;
  readonly decoder: Decoder | undefined;
  readonly maxStarts?: number | undefined;
  readonly maxDeaths?: number | undefined;
  readonly room: WorkerRoom;
  readonly life: Life;
  readonly waiting: WaitingJobs;
  readonly look: Look;
  readonly settling: Settling;
  readonly onRefused: JoinOptions['onRefused'];
  /** Told when a file has left jobs/. */
  readonly onTaken: () => void;
  /** Told when a claim is settled. */
  readonly onSettled: () => void;
};

/** Takes jobs out of jobs/, and knows those that are claimed and not settled. */
export class Taking {
  readonly #parts: TakingParts;
  readonly #claims = new Map<SharedClaim, Taken>();
  readonly #claimParts: ClaimParts;
  readonly #secondNames: SecondNames;

  constructor(parts: TakingParts) {
    this.#parts = parts;
    this.#secondNames = new SecondNames(parts.machine, parts.queue);
    this.#claimParts = {
      ...parts,
      onSettled: (claim) => {
        this.#claims.delete(claim);
        parts.onSettled();
      },
    };
  }

  get claims(): readonly SharedClaim[] {
    return [...this.#claims.keys()];
  }

  get claimed(): Iterable<Taken> {
    return this.#claims.values();
  }

  /** Undefined when it is not to be run by us: it is gone, or past, or out of date, or was given up. */
  async take(from: Waiting): Promise<SharedClaim | undefined> {
    if (await this.#isRunByOthers(from)) return undefined;
    const taken = await this.#rename(from, from.attempts + 1);
    if (taken === undefined) return undefined;
    let opened: OpenedPacket | undefined;
    try {
      const deadly = await this.#whyDeadly(from);
      if (deadly !== undefined) return await this.#refuse(taken, deadly);
      opened = await this.#open(taken);
      if (opened === undefined || (opened.links > 1 && (await this.#isHadTwice(taken, opened))))
        return undefined;
      return await this.#claimOpened(taken, opened);
    } catch (error) {
      // Not the job's fault: it is as if we had not taken it. Where even that fails it comes back when we are gone.
      await opened?.discard().catch(() => {});
      await this.#parts.settling.giveBack(taken, from).catch(() => {});
      throw error;
    }
  }

  /** Puts a held head out of its lane's way. */
  async passOver(job: Waiting): Promise<void> {
    const taken = await this.#rename(job, job.attempts);
    if (taken !== undefined) await this.#putAway(taken, 'its lane has waited for it long enough', 'skip');
  }

  /** Why a job is taken for what kills its workers. */
  async #whyDeadly({ stem, attempts }: Waiting): Promise<string | undefined> {
    const { machine, queue, maxStarts = DEFAULT_MAX_STARTS, maxDeaths = maxStarts } = this.#parts;
    if (attempts >= maxStarts)
      return `it was started ${counted(attempts, 'time')}, and each time its worker died`;
    if (attempts < maxDeaths) return undefined;
    const deaths = deathsInARow(await readRuns(machine, queue, stem));
    return deaths < maxDeaths
      ? undefined
      : `it was started ${deaths} times in a row, and each time its worker died`;
  }

  async #claimOpened(taken: Taken, opened: OpenedPacket): Promise<SharedClaim | undefined> {
    const { look, waiting, settling, machine } = this.#parts;
    const { from } = taken;
    const known = look.waitingOf(from.name, opened.header);
    if (known.lane !== from.lane || known.seq !== from.seq || !(await this.#isNext(from))) {
      await opened.discard();
      // Not what its name says, or past: back, under the right name.
      await settling.giveBack(taken, known);
      return undefined;
    }
    if (await this.#isRunByOthers(from)) {
      await opened.discard();
      await settling.giveBack(taken, from);
      waiting.drop(from.name); // until the next look
      return undefined;
    }
    const { expiresMs, nothing } = termsOf(opened.header);
    if (nothing === true) {
      await opened.discard();
      await settling.succeed(taken);
      return undefined;
    }
    if (expiresMs !== undefined && expiresMs < toMs(machine.clock.now())) {
      await opened.discard();
      return await this.#refuse(taken, `it was not to start after ${formatMs(expiresMs)}`, 'skip');
    }
    const claim = claimOf(this.#claimParts, taken, opened);
    this.#claims.set(claim, taken);
    return claim;
  }

  /** Undefined when it was taken from us, or is damaged. */
  async #open(taken: Taken): Promise<OpenedPacket | undefined> {
    const { machine, decoder } = this.#parts;
    try {
      const opened = await openPacket(machine, taken.path, decoder);
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

  /** Whether this is but one of two names of the job, so that it is not ours to run, or not yet. */
  async #isHadTwice(taken: Taken, opened: OpenedPacket): Promise<boolean> {
    const { machine, queue, settling, waiting } = this.#parts;
    if (!(await this.#secondNames.has(taken.from.stem))) return false;
    const found = await giveUpSecondName(machine, queue, taken.path);
    if (found === 'only-name') return false;
    await opened.discard();
    if (found === 'busy') {
      await settling.giveBack(taken, taken.from);
      waiting.drop(taken.from.name); // until the next look
    }
    return true;
  }

  /** A job that is over without having been run. */
  async #refuse(taken: Taken, reason: string, how: 'fail' | 'skip' = 'fail'): Promise<undefined> {
    const { stem, seq, lane, attempts } = taken.from;
    await this.#parts.onRefused?.({ id: stem, seq, lane, attempt: attempts, reason });
    return this.#putAway(taken, reason, how);
  }

  async #putAway(taken: Taken, reason: string, how: 'fail' | 'skip'): Promise<undefined> {
    const { settling } = this.#parts;
    const settled = await settling[how](taken);
    if (settled === 'settled') await settling.record(taken, 'failed', { reason });
  }

  /** A job of a lane may be past: a sync tool can bring back what was removed. */
  async #isNext({ lane, seq }: Waiting): Promise<boolean> {
    const { machine, queue } = this.#parts;
    return lane === undefined || (await nextNumber(machine, queue, lane)) === seq;
  }

  /**
   * Whether another worker runs a job of that lane and number: a second file of one job, brought back by a sync tool
   * while the first is running, say. Asked before we take it, so that it is not moved to and fro meanwhile, and again
   * when we have it: of two workers who each take one of the two at once, at least one sees the other's.
   */
  async #isRunByOthers({ lane, seq }: Waiting): Promise<boolean> {
    const { machine, queue, look, room } = this.#parts;
    return lane !== undefined && isRunning(machine, queue, look, { lane, seq }, room.name);
  }

  /** The moment a job becomes ours; undefined when somebody was faster. */
  async #rename(from: Waiting, attempts: number): Promise<Taken | undefined> {
    const { machine, queue, room, life, settling, onTaken } = this.#parts;
    const name = formatJobName({ ...from, attempts });
    const path = join(room.path, name);
    const taken = { from, attempts, name, path, takenMs: toMs(machine.clock.now()) };
    try {
      await machine.files.rename(join(jobsDirectory(queue), from.name), path);
      onTaken();
      return taken;
    } catch (error) {
      // Over a network the answer can get lost: look before believing.
      //     we                                             server
      //     look up the name in our room: not there
      //     rename                                         done; the answer gets lost
      //     ask again                                      nothing to rename: ENOENT
      //     look the name up                               not asked, unless the directory is opened anew
      // (One that we have already is not what this was about: an old listing can show us its old name again.)
      const isHeld = [...this.claimed].some((held) => held.path === path);
      if (!isHeld && (await settling.isOurs(taken))) return taken;
      if (!hasErrno(error, 'ENOENT', 'ESTALE')) throw error;
      await life.requireSign();
      return undefined;
    }
  }
}
