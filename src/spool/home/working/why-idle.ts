/** Why there is nothing to claim now: of several reasons the first that `SharedIdle` lists. */

import type { Sequence } from '../../../packet/header.ts';
import type { SharedIdle } from '../../../queue/contract.ts';
import type { Taken } from './settle.ts';
import type { WaitingJobs } from './waiting.ts';

export async function whyIdle(
  jobs: WaitingJobs,
  claimed: Iterable<Taken>,
  isRunning: (lane: string, seq: Sequence) => Promise<boolean>,
): Promise<SharedIdle> {
  const waiting = jobs.size;
  const untilMs = jobs.nextStartMs();
  if (untilMs !== undefined) return { kind: 'idle', reason: 'delayed', untilMs, waiting };
  let held = jobs.heldFree();
  let gap: SharedIdle | undefined;
  let busy = [...claimed].some(({ from }) => jobs.isBehind(from.lane));
  for (const [lane, stop] of jobs.stops()) {
    if (stop.kind === 'held') held += stop.waiting;
    else if (await isRunning(lane, stop.missing)) busy = true;
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
