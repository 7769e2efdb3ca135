/**
 * Making a queue with all its rooms, and giving rooms to one that has none.
 *
 * All but the first step under the exclusive lock of `nextseq`, so that nobody works the queue meanwhile, and no two
 * make it at once. `jobs/` comes last: it is by this that others know a queue.
 *
 * | step                            | a crash here leaves                                        |
 * |---------------------------------|------------------------------------------------------------|
 * | the directory                   | an empty directory, which is as good as none               |
 * | `nextseq.lock`, `nextseq`       | no queue yet, and nothing in it but ours: may be made again |
 * | `README`, rooms, `settings.json` | the same                                                   |
 * | `jobs/`, fsync of both          | the queue                                                  |
 */

import { entriesOf } from '../../os/if-there.ts';
import { makeDirectory } from '../../os/make-directory.ts';
import { hasErrno, type Machine } from '../../os/ports.ts';
import { isQueueError, QueueError } from '../../queue/errors.ts';
import { syncDirectory } from '../../queue/publish.ts';
import { isJobName, jobsDirectory, join, nextSequencePath, OWN_SEQUENCE_FILE } from '../layout.ts';
import { type LockedSequence, lockSequence, peekSequence } from '../sequence-file.ts';
import { parseJobName } from './job-name.ts';
import { hasRooms, makeRooms, type Order, ROOMS, readSettings, writeSettings } from './rooms.ts';
import { listRooms } from './worker-rooms.ts';

/** How long another process may take to make or change the same queue. */
const MAKING_MS = 2000;

export type Initialised = {
  readonly made: boolean;
  /** It was one without rooms, as the original makes them. */
  readonly roomsAdded: boolean;
  readonly order: Order;
  /** Another order than it had. */
  readonly orderChanged: boolean;
};

/** Makes a queue; the parent must exist. Throws `exists` when there is something at that path. */
export async function createHome(machine: Machine, path: string, order: Order): Promise<void> {
  if (!(await makeDirectory(machine, path))) throw new QueueError('exists', `${path}: it exists already`);
  await furnish(machine, path, order);
}

/**
 * Makes a queue, or gives one that is there what is missing. `order`: what is asked for; left out, an old queue keeps
 * its own, and a new one has none. Throws `exists` when there is something else, `locked` when it would have to be
 * changed while it is worked.
 */
export async function initHome(
  machine: Machine,
  path: string,
  order: Order | undefined,
): Promise<Initialised> {
  const fresh = await makeDirectory(machine, path);
  const entries = fresh ? [] : await machine.files.readdir(path);
  if (entries.some(({ name, kind }) => name === 'jobs' && kind !== 'file')) {
    return improve(machine, path, order);
  }
  if (!entries.every(({ name }) => isOurs(name))) {
    throw new QueueError('exists', `${path}: it is there already, is no queue, and is not empty`);
  }
  const chosen = order ?? 'free';
  await furnish(machine, path, chosen);
  return { made: true, roomsAdded: false, order: chosen, orderChanged: false };
}

/** What a crash of ours may have left where there is no `jobs/` yet. */
function isOurs(name: string): boolean {
  const names: readonly string[] = ['nextseq', 'nextseq.lock', 'nextseq.temp', 'README', 'settings.json'];
  return names.includes(name) || /^(README|settings\.json)\..*\.temp$/.test(name) || isRoom(name);
}

function isRoom(name: string): boolean {
  return (ROOMS as readonly string[]).includes(name);
}

async function furnish(machine: Machine, queue: string, order: Order): Promise<void> {
  const { files } = machine;
  const numbers = await lockSequence(machine, nextSequencePath(queue), { create: true, waitMs: MAKING_MS });
  try {
    await numbers.read();
    await makeRooms(machine, queue);
    await writeSettings(machine, queue, { order });
    try {
      await files.mkdir(jobsDirectory(queue));
    } catch (error) {
      if (!hasErrno(error, 'EEXIST')) throw error; // somebody else was faster
    }
    await syncDirectory(files, queue, queue);
  } finally {
    await numbers.close();
  }
  await syncDirectory(files, join(queue, '..'), queue);
}

async function improve(machine: Machine, queue: string, order: Order | undefined): Promise<Initialised> {
  const before = await readSettings(machine, queue);
  const wanted = order ?? before.order;
  const furnished = await hasRooms(machine, queue);
  const done = { made: false, roomsAdded: !furnished, order: wanted, orderChanged: wanted !== before.order };
  if (furnished && !done.orderChanged) return done;
  const numbers = await lockForChange(machine, queue);
  try {
    if (!furnished) await makeRooms(machine, queue);
    if (done.orderChanged) await changeOrder(machine, queue, wanted, numbers);
  } finally {
    await numbers.close();
  }
  return done;
}

async function lockForChange(machine: Machine, queue: string): Promise<LockedSequence> {
  try {
    return await lockSequence(machine, nextSequencePath(queue), { create: false, waitMs: MAKING_MS });
  } catch (error) {
    if (isQueueError(error, 'lock-missing')) {
      throw new QueueError('append-only', `${queue}: it is an append-only queue`, { cause: error });
    }
    if (!isQueueError(error, 'locked')) throw error;
    const message = `${queue}: it is being worked now, and cannot be changed meanwhile`;
    throw new QueueError('locked', message, { cause: error });
  }
}

/**
 * Jobs that were added in no order have numbers that follow upon nothing: in an order they would wait for ever, so it
 * begins without them. It begins where the last order that was kept here has ended.
 */
async function changeOrder(
  machine: Machine,
  queue: string,
  order: Order,
  numbers: LockedSequence,
): Promise<void> {
  if (order === 'sequence') {
    const unordered = await countUnordered(machine, queue);
    if (unordered > 0) {
      const jobs = unordered === 1 ? '1 job that waits has' : `${unordered} jobs that wait have`;
      throw new QueueError('unordered-jobs', `${queue}: ${jobs} no place in an order`);
    }
    const added = await peekSequence(machine, join(queue, OWN_SEQUENCE_FILE));
    if (added !== undefined && added > (await numbers.read())) await numbers.write(added);
  }
  await writeSettings(machine, queue, { order });
}

async function countUnordered(machine: Machine, queue: string): Promise<number> {
  const waiting = (await entriesOf(machine, jobsDirectory(queue))).map(({ name }) => name);
  const left = (await listRooms(machine, queue)).flatMap(({ jobs }) => jobs);
  return [...waiting, ...left].filter((name) => {
    const job = isJobName(name) ? parseJobName(name) : undefined;
    return job !== undefined && job.lane === undefined;
  }).length;
}
