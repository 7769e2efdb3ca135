/** The next number of each lane, and the lock under which it changes. */

import type { Machine } from '../../os/ports.ts';
import { type Sequence, sequence } from '../../packet/header.ts';
import { QUEUE_LANE } from '../../queue/words.ts';
import { join, nextSequencePath } from '../layout.ts';
import { type LockedSequence, lockSequence, peekAfresh, peekSequence } from '../sequence-file.ts';
import { laneFileName, room } from './rooms.ts';

/** The lock is held for two writes of a small file: whoever has it longer is stopped, or its disk is. */
const LANE_WAIT_MS = 10_000;

const FIRST = sequence(1);

/** The number that a lane waits for. */
export async function nextNumber(machine: Machine, queue: string, lane: string): Promise<Sequence> {
  const path = lanePath(queue, lane);
  return (await peekSequence(machine, path)) ?? (await peekAfresh(machine, path)) ?? FIRST;
}

/**
 * Locks a lane's number. The queue's own lane is `nextseq`, whose lock all parallel workers share to keep the
 * original out; among themselves they use another.
 */
export async function lockLane(machine: Machine, queue: string, lane: string): Promise<LockedSequence> {
  const lockPath = lane === QUEUE_LANE ? `${join(room(queue, 'lanes'), '%')}.lock` : undefined;
  return lockSequence(machine, lanePath(queue, lane), {
    create: true,
    waitMs: LANE_WAIT_MS,
    first: async () => FIRST,
    ...(lockPath === undefined ? {} : { lockPath }),
  });
}

/** The sequence file from which jobs that are added here take their numbers in that lane. */
export function addedPath(queue: string, lane: string): string {
  return `${lanePath(queue, lane)}.added`;
}

function lanePath(queue: string, lane: string): string {
  return lane === QUEUE_LANE ? nextSequencePath(queue) : join(room(queue, 'lanes'), laneFileName(lane));
}
