/** A queue that this machine can open, as what jobs are brought to. */

import { openKeeper, openQueue } from '../open/open.ts';
import type { Machine } from '../os/ports.ts';
import type { Queue } from '../queue/contract.ts';
import { newJobOf } from './carried.ts';
import type { Pace } from './pace.ts';
import { Room } from './room.ts';
import type { Payload, Target } from './target.ts';

export type LocalTargetOptions = {
  readonly pace: Pace;
  /** No more jobs than this are to wait there. */
  readonly maxWaiting?: number | undefined;
  /** Told that it has no room for more. */
  readonly onFull?: (() => void) | undefined;
};

export type LocalQueue = {
  readonly queue: Queue;
  /** Whether jobs without a lane run one after the other, too. */
  readonly keepsOrder: boolean;
};

/** Throws `not-a-queue`. */
export async function openLocal(machine: Machine, location: string): Promise<LocalQueue> {
  const queue = await openQueue(machine, location);
  const { order } = await (await openKeeper(machine, location)).look();
  return { queue, keepsOrder: order === 'sequence' };
}

export function localTarget(
  machine: Machine,
  { queue }: LocalQueue,
  { pace, maxWaiting, onFull }: LocalTargetOptions,
): Target {
  const room = new Room(machine.clock, queue, maxWaiting);
  return {
    ready: async () => {},
    deliver: async (job, payload, { waiting, moving }) => {
      const leaveRoom = await room.take(waiting, onFull);
      try {
        const paced = slowly(payload, pace, moving);
        const { id, duplicate } = await queue.add({ ...newJobOf(job), payload: paced });
        return { id, duplicate };
      } finally {
        leaveRoom();
      }
    },
    close: async () => {},
  };
}

async function* slowly(payload: Payload, pace: Pace, stop: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const piece of payload()) {
    await pace.take(piece.length);
    stop.throwIfAborted();
    yield piece;
  }
}
