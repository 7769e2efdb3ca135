/**
 * How often a job was started that is not over: `intray/starts/ID`, a decimal number and a newline.
 *
 * It is written when a start came to nothing: by the worker that gives the job back to be tried again, or by whoever
 * brings back the job of a dead one. So a job that succeeds at once costs nothing here. A count that a power cut takes
 * away, or that somebody has damaged, is 0: the job is started once more than it would be.
 */

import { decodeBytes, encodeBytes } from '../os/bytes.ts';
import type { Machine } from '../os/ports.ts';
import { readSmallFile } from '../os/transfer.ts';
import { publish } from '../queue/publish.ts';
import { ifThere, isThere, join, ownRoom, unlinkIfThere } from './layout.ts';

const LIMIT_BYTES = 64;

export async function readStarts(machine: Machine, queue: string, id: string): Promise<number> {
  const { files } = machine;
  const path = join(ownRoom(queue, 'starts'), id);
  if (!(await isThere(machine, path))) return 0; // nearly always
  const text = await ifThere(async () => decodeBytes(await readSmallFile(files, path, LIMIT_BYTES)), '');
  return /^\d{1,9}\n$/.test(text) ? Number(text) : 0;
}

export async function writeStarts(
  machine: Machine,
  queue: string,
  id: string,
  starts: number,
): Promise<void> {
  await publish(machine.files, {
    directory: ownRoom(queue, 'starts'),
    temporaryName: `tmp-${machine.random.uuid()}`,
    name: id,
    durability: 'crash-safe',
    write: async (target) => {
      const bytes = encodeBytes(`${starts}\n`);
      await machine.files.write(target, bytes);
      return bytes.length;
    },
  });
}

export async function forgetStarts(machine: Machine, queue: string, id: string): Promise<void> {
  await unlinkIfThere(machine, join(ownRoom(queue, 'starts'), id));
}
