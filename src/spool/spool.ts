/** A Filespooler queue directory as a `Queue`. */

import type { Machine } from '../os/ports.ts';
import type { Listing, Queue } from '../queue/contract.ts';
import { watchDirectories } from '../queue/watch-directories.ts';
import { addAllJobs } from './add-all.ts';
import { addJob } from './add-job.ts';
import { createHome } from './home/init.ts';
import type { Order } from './home/rooms.ts';
import { outputsOf } from './home/run-log.ts';
import { joinQueue } from './home/working/session.ts';
import { countWaiting, stirs } from './home/working/stir.ts';
import { jobsDirectory } from './layout.ts';
import { type Decoder, decoderFor } from './open-packet.ts';
import { bySequence, createQueueDirectory, requireQueue, scanQueue } from './queue-files.ts';
import { jobOf, openSession } from './session.ts';

export type CreateOptions = {
  /** A queue that jobs are added to and listed in here, and processed elsewhere. Default: no. */
  readonly appendOnly?: boolean;
  /**
   * `free`: jobs run in any order, side by side, by priority and age; those of a lane one after the other. `sequence`:
   * all jobs without a lane run one after the other. Both with all that parallel workers, lanes and names need. Left
   * out: `sequence`, as bare as `fspl queue-init` makes it.
   */
  readonly order?: Order;
};

/** Makes a queue directory, whose parent must exist, and opens it. Throws `exists`. */
export async function createSpool(
  machine: Machine,
  path: string,
  options: CreateOptions = {},
): Promise<Queue> {
  const { appendOnly = false, order } = options;
  if (order === undefined) await createQueueDirectory(machine, path, { appendOnly });
  else if (appendOnly) throw new RangeError('Expected `order` only for queues that are not `appendOnly`');
  else await createHome(machine, path, order);
  return spoolAt(machine, path);
}

/** Opens a queue directory, made here or by `fspl queue-init`. Throws `not-a-queue`. */
export async function openSpool(machine: Machine, path: string): Promise<Queue> {
  await requireQueue(machine, path);
  return spoolAt(machine, path);
}

function spoolAt(machine: Machine, path: string): Queue {
  const decoderOf = async (command: string | undefined, stop?: AbortSignal): Promise<Decoder | undefined> =>
    command === undefined ? undefined : decoderFor(machine, command, stop);
  return {
    location: path,
    add: (job, options) => addJob(machine, path, job, options),
    addAll: (jobs, options) => addAllJobs(machine, path, jobs, options),
    jobs: async (options = {}): Promise<Listing> => {
      const { jobs, unreadable } = await scanQueue(machine, path, await decoderOf(options.decoder));
      return { jobs: jobs.sort(bySequence).map(jobOf), unreadable };
    },
    session: async ({ decoder, signal, ...options } = {}) =>
      openSession(machine, path, { ...options, decoder: await decoderOf(decoder, signal) }),
    stirs: () => stirs(machine, path),
    watch: (onChange) => watchDirectories(machine, [jobsDirectory(path)], onChange),
    countWaiting: () => countWaiting(machine, path),
    outputsOf: ({ id }, attempt) => outputsOf(path, id, attempt),
    join: async ({ decoder, ...options } = {}) =>
      joinQueue(machine, path, { ...options, decoder: await decoderOf(decoder) }),
  };
}
