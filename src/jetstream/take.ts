/**
 * Taking a job: our claim is written, comes back with all that was written before it, and is right if the job could start
 * then. Else it is taken back. The timeline is told in session.ts.
 */

import { toMs } from '../os/calendar.ts';
import type { Machine } from '../os/ports.ts';
import { sequence } from '../packet/header.ts';
import type { JoinOptions, SharedClaim } from '../queue/contract.ts';
import { isQueueError } from '../queue/errors.ts';
import { counted } from '../queue/words.ts';
import { type ClaimParts, claimOf } from './claim.ts';
import { giveUp } from './give-up.ts';
import type { Log } from './log.ts';
import { fetchPayload } from './payload.ts';
import type { Entry } from './picture.ts';
import { type JobState, topicOf } from './subjects.ts';

const DEFAULT_MAX_STARTS = 5;
/** So many jobs that are over may wait for their messages to be removed. */
const MOST_UNTIDIED = 64;

export class Taking {
  readonly #machine: Machine;
  readonly #log: Log;
  readonly #options: JoinOptions;
  readonly #parts: ClaimParts;
  /** Claims of ours that have not come back yet: whether the first of that number was right when it did. */
  readonly #awaited = new Map<string, { isRight: boolean }>();

  constructor(machine: Machine, log: Log, options: JoinOptions, parts: ClaimParts) {
    this.#machine = machine;
    this.#log = log;
    this.#options = options;
    this.#parts = parts;
  }

  /** Told of each message before it has changed the picture; what it returns is told after that. */
  reading(subject: string): (entry: Entry) => void {
    const topic = topicOf(subject);
    const awaited = topic.kind === 'run' ? this.#awaited.get(keyOf(topic.id, topic.generation)) : undefined;
    if (awaited === undefined) return () => {};
    const wasFree = !this.#log.picture.paused;
    return (entry) => {
      awaited.isRight = wasFree && this.#isFirst(entry);
    };
  }

  /** Undefined when it cannot be had, or is over by that. */
  async take(entry: Entry): Promise<SharedClaim | undefined> {
    while (this.#log.untidied >= MOST_UNTIDIED) await this.#log.tidied();
    const reason = this.#whyNot(entry);
    if (reason !== undefined) {
      await this.#refuse(entry, reason);
      return undefined;
    }
    const { state: before, generation } = entry;
    const ours = keyOf(entry.id, generation + 1);
    const awaited = { isRight: false };
    this.#awaited.set(ours, awaited);
    try {
      const isOurs = await this.#log.change(entry, generation, before, {
        place: 'running',
        worker: this.#parts.worker,
        sinceMs: this.#nowMs(),
        attempts: before.attempts + 1,
        untilMs: 0,
      });
      if (!isOurs) return undefined;
    } finally {
      this.#awaited.delete(ours);
    }
    if (awaited.isRight) return this.#give(entry, before);
    await this.#log.change(entry, entry.generation, before, {});
    return undefined;
  }

  async #give(entry: Entry, before: JobState): Promise<SharedClaim | undefined> {
    let payload: Awaited<ReturnType<typeof fetchPayload>>;
    try {
      payload = await fetchPayload(this.#machine, this.#log.wire, entry);
    } catch (error) {
      if (!isQueueError(error, 'packet-damaged')) throw error;
      await this.#refuse(entry, error.message);
      return undefined;
    }
    if (payload === undefined) {
      // Its message was removed before we came, and with it all its changes: ours came after that.
      await this.#log.wire.remove(entry.changes);
      this.#log.picture.forget(entry.id);
      return undefined;
    }
    return claimOf(this.#parts, entry, before, payload);
  }

  /** It is over without having been run. */
  async #refuse(entry: Entry, reason: string): Promise<void> {
    const { id, seq, job, state, generation } = entry;
    const { attempts: attempt } = state;
    await this.#options.onRefused?.({ id, seq: sequence(seq), lane: job.lane, attempt, reason });
    await giveUp(this.#parts, entry, { generation, state }, { reason, outcome: 'failed' });
  }

  /** The first of its lane, as far as that was read before; a job of no lane always is. */
  #isFirst({ job, seq, state }: Entry): boolean {
    if (job.lane === undefined) return true;
    const lane = this.#log.picture.lanes.get(job.lane);
    const others = lane?.jobs.filter((other) => other.seq !== seq) ?? [];
    const isRunning = others.some((other) => other.state.place === 'running');
    return state.place === 'running' && !isRunning && others.every((other) => other.seq > seq);
  }

  #whyNot({ job, state }: Entry): string | undefined {
    const { maxStarts = DEFAULT_MAX_STARTS, maxDeaths = Number.POSITIVE_INFINITY } = this.#options;
    if (job.expiresMs !== undefined && job.expiresMs < this.#nowMs())
      return 'its time was over before it started';
    if (state.attempts >= maxStarts) return `it was started ${counted(state.attempts, 'time')}`;
    if (state.deaths >= maxDeaths) return `${counted(state.deaths, 'worker')} died of it`;
    return undefined;
  }

  #nowMs(): number {
    return toMs(this.#machine.clock.now());
  }
}

const keyOf = (id: string, generation: number): string => `${id}.${generation}`;
