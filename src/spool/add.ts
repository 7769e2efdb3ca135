/** Adding jobs to a queue directory. Needs no lock: a new name never meets another. */

import { type Descriptor, hasErrno, type Machine } from '../os/ports.ts';
import { copyAll } from '../os/transfer.ts';
import { isUnfinished } from '../packet/pipe-mark.ts';
import { QueueError } from '../queue/errors.ts';
import { type Durability, type Published, publish } from '../queue/publish.ts';
import { jobsDirectory, newJobName, temporaryName } from './layout.ts';
import { noQueue } from './queue-files.ts';

export type AddedFile = Published & { readonly name: string };

export type NewJobFile = {
  readonly write: (target: Descriptor) => Promise<number>;
  /** Asked for when all is written. */
  readonly name: () => string;
};

/** Publishes what `write` writes as a new job file. */
export async function addJobFile(
  machine: Machine,
  queue: string,
  durability: Durability,
  job: NewJobFile,
): Promise<AddedFile> {
  let name = '';
  let begun = false;
  try {
    const published = await publish(machine.files, {
      directory: jobsDirectory(queue),
      temporaryName: temporaryName(machine.random),
      name: () => {
        name = job.name();
        return name;
      },
      durability,
      write: (target) => {
        begun = true;
        return job.write(target);
      },
    });
    return { ...published, name };
  } catch (error) {
    // Once there is a temporary file, what is missing is not the directory but something the content came from.
    if (begun || !hasErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw await noQueue(machine, queue, error);
  }
}

/**
 * Adds the packet that `source` holds, encoded or not, exactly as it comes. Refused, with nothing queued: no
 * bytes at all (`packet-empty`), and a pipe whose writer died in the middle (`packet-incomplete`).
 */
export async function addPacket(
  machine: Machine,
  queue: string,
  source: Descriptor,
  durability: Durability = 'power-safe',
): Promise<AddedFile> {
  const { files } = machine;
  const write = async (target: Descriptor) => {
    const size = await copyAll(files, source, target);
    if (size === 0) throw new QueueError('packet-empty', 'the input is empty, so nothing was queued');
    if (isUnfinished(await files.fstat(source))) {
      throw new QueueError(
        'packet-incomplete',
        `the input ended after ${size} bytes in the middle of a packet, so nothing was queued`,
      );
    }
    return size;
  };
  return addJobFile(machine, queue, durability, { write, name: () => newJobName(machine.random) });
}
