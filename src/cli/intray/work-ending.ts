/** What the end of `intray work` means for its exit status. */

import type { Queue, SharedIdle } from '../../queue/contract.ts';
import type { PoolReport } from '../../worker/pool.ts';
import { type Ending, endingOf } from './exit-codes.ts';

export type Problems = {
  /** Why queues cannot be worked, as it stands at the end. */
  readonly troubles: ReadonlyMap<Queue, unknown>;
  /** Paths of what is named like a job and is none. */
  readonly unreadablePaths: ReadonlySet<string>;
};

export type WorkEnding = {
  readonly ending: Ending;
  /** Queues in which jobs wait that could not be started, and why. */
  readonly stalled: readonly (readonly [queue: Queue, idle: SharedIdle])[];
};

/** The worst of what happened: the first of these that holds. */
export function workEnding(
  { counts, idle, ended }: PoolReport,
  { troubles, unreadablePaths }: Problems,
): WorkEnding {
  const stalled = [...idle].filter(
    ([, { reason, waiting }]) =>
      reason !== 'empty' && reason !== 'busy' && (reason !== 'paused' || waiting > 0),
  );
  const has = (reason: SharedIdle['reason']) => stalled.some(([, found]) => found.reason === reason);
  const ran = counts.succeeded + counts.failed + counts.again + counts.lost > 0;
  const [trouble] = troubles.values();
  const ending = (): Ending => {
    if (trouble !== undefined) return endingOf(trouble);
    if (counts.failed > 0) return 'jobFailed';
    if (unreadablePaths.size > 0) return 'damaged';
    if (ended === 'limit') return 'done';
    if (has('gap')) return 'gap';
    if (stalled.length > 0) return 'blocked';
    return ran ? 'done' : 'idle';
  };
  return { ending: ending(), stalled: ended === 'limit' ? [] : stalled };
}
