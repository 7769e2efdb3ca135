/** Why jobs wait that a worker could not start, in words. */

import { formatLocal, fromMs } from '../../os/calendar.ts';
import type { Clock } from '../../os/ports.ts';
import { shellQuote } from '../../os/shell.ts';
import type { Queue, SharedIdle } from '../../queue/contract.ts';
import { QUEUE_LANE, skipCommand } from '../../queue/words.ts';

export function whyStalled(clock: Clock, { location }: Queue, idle: SharedIdle): string {
  const waiting = idle.waiting === 1 ? '1 job waits' : `${idle.waiting} jobs wait`;
  switch (idle.reason) {
    case 'gap': {
      const lane = idle.lane === QUEUE_LANE ? '' : ` of lane ${idle.lane}`;
      return `${location}: job ${idle.missing}${lane} is missing; ${waiting} behind it, the first is job ${idle.next}; to go on without it: ${skipCommand(location, idle.lane)}`;
    }
    case 'held':
      return `${location}: ${waiting} for a person: held, or behind a job that is; intray status ${shellQuote(location)} says more`;
    case 'paused':
      return `${location}: it is paused; to go on: intray resume ${shellQuote(location)}`;
    case 'delayed': {
      const at = fromMs(idle.untilMs);
      return `${location}: ${waiting}, the first until ${formatLocal(at, clock.utcOffsetSeconds(at))}`;
    }
    default:
      return `${location}: ${waiting}`;
  }
}
