/**
 * How an operator gets hold of jobs that wait, beside workers or instead of them.
 *
 *   beside   a queue with rooms: we enter a room of our own, as a worker does. A job that we take is renamed into it, so
 *            no worker starts it; should we die, it comes back like that of any dead worker
 *   alone    a queue of the original: we hold its lock, as its processor does, and `locked` is thrown when one runs
 *
 * What becomes of a lane (in a queue of the original: of the queue) when one of its jobs is taken away for good:
 *
 * | its number is | to remove the job                         | to move it elsewhere                      |
 * |---------------|-------------------------------------------|-------------------------------------------|
 * | the next      | lane's number + 1, durable; unlink        | rename to where it goes; number + 1       |
 * | - a crash between leaves | its file, whose number is past | a gap, which is said                      |
 * | a later one   | unlink; its place is kept                 | rename to where it goes; its place is kept |
 * | - a crash between leaves | a gap, said when the lane is there | the same                           |
 * | past          | unlink                                    | rename to where it goes                   |
 *
 * A place is kept by a packet with that number that does nothing: without, the lane would stop there. (The number
 * cannot go first when a job is moved: whoever brought back what we leave would take it for one that is over.)
 *
 * The number is only looked at when the job is ours: nobody can start it any more, nor count it as over.
 */

import { toMs } from '../../../os/calendar.ts';
import { closeQuietly } from '../../../os/close-quietly.ts';
import { isThere } from '../../../os/if-there.ts';
import { hasErrno, type Machine } from '../../../os/ports.ts';
import { encodeHeader } from '../../../packet/encode.ts';
import { following, type PacketHeader, type Sequence } from '../../../packet/header.ts';
import type { Operated } from '../../../queue/keeper.ts';
import { DEFAULT_PRIORITY, termsToEnv } from '../../../queue/terms.ts';
import { QUEUE_LANE } from '../../../queue/words.ts';
import { addJobFile } from '../../add.ts';
import { jobsDirectory, join } from '../../layout.ts';
import { headerReader } from '../../queue-files.ts';
import type { LockedSequence } from '../../sequence-file.ts';
import { lockQueue } from '../../session.ts';
import { formatJobName } from '../job-name.ts';
import { lockLane } from '../lane-numbers.ts';
import { enterRoom } from '../own-room.ts';
import { hasRooms, type Order } from '../rooms.ts';
import { shareQueue } from '../share.ts';
import { type Waiting, whatIs } from '../waiting-job.ts';
import { DEFAULT_LEASE_MS } from '../worker-rooms.ts';
import { bringBackTheDead } from '../working/recovery.ts';

/** What became of the lane of a job that was taken away. */
type LaneEffect = Extract<Operated, { readonly kind: 'done' }>['lane'];

export type Hand = {
  readonly kind: 'beside' | 'alone';
  /** Takes a job out of `jobs/`; undefined when somebody was faster. Returns where it is now. */
  take(job: Waiting): Promise<string | undefined>;
  /** Puts a job that was taken back, under this name. */
  putBack(path: string, name: string): Promise<void>;
  /** Locks the lane's number. */
  lane(lane: string): Promise<LockedSequence>;
  /** Brings the jobs of dead workers back, as any worker does; returns how many. */
  bringBack(order: Order): Promise<number>;
  /** To be called now and then by whoever keeps a job for long. */
  beat(): Promise<void>;
  close(): Promise<void>;
};

export async function openHand(machine: Machine, queue: string): Promise<Hand> {
  return (await hasRooms(machine, queue)) ? beside(machine, queue) : alone(machine, queue);
}

async function beside(machine: Machine, queue: string): Promise<Hand> {
  const { files, locks, clock } = machine;
  const guard = await shareQueue(machine, queue);
  const leaveQueue = async () => {
    await locks.unlock(guard);
    await closeQuietly(files, guard);
  };
  let own: Awaited<ReturnType<typeof enterRoom>>;
  try {
    own = await enterRoom(machine, queue, DEFAULT_LEASE_MS);
  } catch (error) {
    await leaveQueue();
    throw error;
  }
  let beatenMs = clock.monotonicMs();
  return {
    kind: 'beside',
    take: async (job) => {
      const path = join(own.path, formatJobName(job));
      return (await renamed(machine, join(jobsDirectory(queue), job.name), path)) ? path : undefined;
    },
    putBack: async (path, name) => files.rename(path, join(jobsDirectory(queue), name)),
    lane: (lane) => lockLane(machine, queue, lane),
    bringBack: (order) =>
      bringBackTheDead(machine, queue, {
        own,
        // We do not know what its workers were told: what may have been kept is kept.
        keepSucceeded: true,
        whatIs: (directory, name) => whatIs(machine, order, headerReader(machine), join(directory, name)),
      }),
    beat: async () => {
      if (clock.monotonicMs() - beatenMs < own.beatEveryMs) return;
      beatenMs = clock.monotonicMs();
      await own.beat();
    },
    close: async () => {
      try {
        await own.leave();
      } finally {
        await leaveQueue();
      }
    },
  };
}

async function alone(machine: Machine, queue: string): Promise<Hand> {
  const numbers = await lockQueue(machine, queue);
  const lent = { ...numbers, close: async () => {} };
  return {
    kind: 'alone',
    // Nobody else runs jobs here meanwhile: it may stay where it is.
    take: async ({ name }) => {
      const path = join(jobsDirectory(queue), name);
      return (await isThere(machine, path)) ? path : undefined;
    },
    putBack: async () => {},
    lane: async () => lent,
    bringBack: async () => 0,
    beat: async () => {},
    close: () => numbers.close(),
  };
}

/** Sees to the lane of a job that we have taken. `remove` removes it; left out when it has been moved away already. */
export async function letLaneGoOn(
  machine: Machine,
  queue: string,
  hand: Hand,
  job: Pick<Waiting, 'lane' | 'seq'>,
  remove: () => Promise<unknown> = async () => {},
): Promise<LaneEffect> {
  const { lane, seq } = job;
  if (lane === undefined) {
    await remove();
    return 'none';
  }
  const numbers = await hand.lane(lane);
  try {
    const next = await numbers.read();
    if (seq === next) {
      await numbers.write(following(seq));
      await remove();
      return 'moved-on';
    }
    await remove();
    if (seq < next) return 'none';
    await keepPlace(machine, queue, lane, seq);
    return 'place-kept';
  } finally {
    await numbers.close();
  }
}

/** Adds a packet that does nothing, with that number. One that the original runs too, where the lane is the queue's. */
async function keepPlace(machine: Machine, queue: string, lane: string, seq: Sequence): Promise<void> {
  const { clock, files, random } = machine;
  const own = lane === QUEUE_LANE;
  const env = termsToEnv({ lane, nothing: true });
  const header: PacketHeader = {
    seq,
    ctime: clock.now(),
    work: own ? { kind: 'nop' } : { kind: 'command', params: [], env },
  };
  const name = formatJobName({
    priority: DEFAULT_PRIORITY,
    addedMs: Math.max(0, toMs(header.ctime)),
    notBeforeMs: 0,
    held: false,
    attempts: 0,
    seq,
    lane: own ? undefined : lane,
    stem: `removed-${random.uuid()}`,
  });
  const head = encodeHeader(header);
  await addJobFile(machine, queue, 'power-safe', {
    write: async (target) => {
      await files.write(target, head);
      return head.length;
    },
    name: () => name,
  });
}

/** False when there is nothing of that name. */
export async function renamed({ files }: Machine, from: string, to: string): Promise<boolean> {
  try {
    await files.rename(from, to);
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESTALE')) return false;
    throw error;
  }
}
