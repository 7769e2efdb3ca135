/**
 * Lanes that do not move: since when, and moving them on when the policy says so.
 *
 * | the lane is at a job that | the policy `skip` or `drop`                                                      |
 * |---------------------------|----------------------------------------------------------------------------------|
 * | has failed                | passes it over when it has been held for `afterMs`, or at once                   |
 * | somebody has held         | does nothing: who holds a job wants it to run later, not to be thrown away       |
 * | is not there              | passes it over after `afterMs`; without that never                               |
 */

import type { Machine } from '../../../os/ports.ts';
import type { Sequence } from '../../../packet/header.ts';
import type { BlockedPolicy } from '../../../queue/contract.ts';
import { lockLane } from '../lane-numbers.ts';
import type { Waiting } from '../waiting-job.ts';
import type { Look } from './look.ts';
import type { LaneStop, WaitingJobs } from './waiting.ts';

export type StoppedLanesParts = {
  readonly machine: Machine;
  readonly queue: string;
  readonly policy: BlockedPolicy | undefined;
  readonly waiting: WaitingJobs;
  readonly look: Look;
  /** Whether the job of that number is being run by somebody. */
  readonly isRunning: (lane: string, seq: Sequence) => Promise<boolean>;
  /** Puts a held head out of its lane's way. */
  readonly passOver: (job: Waiting) => Promise<void>;
};

export class StoppedLanes {
  readonly #parts: StoppedLanesParts;
  /** By our steady clock: a worker that is started anew waits anew. */
  readonly #since = new Map<string, { readonly at: Sequence; readonly ms: number }>();

  constructor(parts: StoppedLanesParts) {
    this.#parts = parts;
  }

  /** True when a lane was moved on. */
  async moveOn(): Promise<boolean> {
    const { policy, waiting, machine } = this.#parts;
    if (policy === undefined || policy.action === 'hold') return false;
    const nowMs = machine.clock.monotonicMs();
    const stops = waiting.stops();
    for (const lane of this.#since.keys()) if (!stops.has(lane)) this.#since.delete(lane);
    let moved = false;
    for (const [lane, stop] of stops) {
      if (stop.kind === 'held' && stop.job.failed !== true) continue;
      // A failed job is waited for here only when its worker died before it could put it away: see settle.ts.
      const { afterMs = stop.kind === 'held' ? 0 : Number.POSITIVE_INFINITY } = policy;
      if (nowMs - this.#sinceMs(lane, stop, nowMs) < afterMs) continue;
      moved = (await this.#move(lane, stop)) || moved;
    }
    return moved;
  }

  #sinceMs(lane: string, stop: LaneStop, nowMs: number): number {
    const at = stop.kind === 'gap' ? stop.missing : stop.job.seq;
    const since = this.#since.get(lane);
    if (since?.at === at) return since.ms;
    this.#since.set(lane, { at, ms: nowMs });
    return nowMs;
  }

  /**
   * Whether the missing job is there after all.
   *
   *     we                               worker
   *     --                               ------
   *     look into jobs/: 2 is not there  runs job 2
   *                                      job 2 is to be tried again: back to jobs/
   *     look into work/: nor is it there
   */
  async #hasCome(lane: string, stop: LaneStop & { readonly kind: 'gap' }): Promise<boolean> {
    await this.#parts.look.look();
    const now = this.#parts.waiting.stops().get(lane);
    return now?.kind !== 'gap' || now.missing !== stop.missing;
  }

  async #move(lane: string, stop: LaneStop): Promise<boolean> {
    const { machine, queue, waiting, look, isRunning, passOver } = this.#parts;
    if (stop.kind === 'held') {
      waiting.drop(stop.job.name);
      await passOver(stop.job);
    } else {
      if (await isRunning(lane, stop.missing)) {
        this.#since.delete(lane); // it has waited for a job that runs, not for a missing one
        return false;
      }
      if (await this.#hasCome(lane, stop)) return true;
      const numbers = await lockLane(machine, queue, lane);
      try {
        if ((await numbers.read()) === stop.missing) await numbers.write(stop.next);
      } finally {
        await numbers.close();
      }
    }
    waiting.freeLane(lane);
    await look.refreshLane(lane);
    return true;
  }
}
