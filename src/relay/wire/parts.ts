/**
 * Large payloads that are on their way: what has come of each is in a file of its own, so that a connection that is cut
 * costs only what was in the pipe.
 *
 * | step                                       | a crash here leaves                                               |
 * |--------------------------------------------|-------------------------------------------------------------------|
 * | NAME.part made, its lock taken             | an empty part: the payload comes from its first byte              |
 * | bytes appended                             | what is there, perhaps with zeroes after a power cut: the checksum |
 * |                                            | of the whole tells, and then it comes anew                        |
 * | the job is added, which reads it           | a part that is all there, and perhaps the job: it is known then   |
 * | NAME.part removed                          | nothing                                                           |
 *
 * Parts that nobody goes on with are removed after a month.
 */

import { encodeBytes } from '../../os/bytes.ts';
import { toMs } from '../../os/calendar.ts';
import { closeQuietly } from '../../os/close-quietly.ts';
import { type Descriptor, hasErrno, type Machine } from '../../os/ports.ts';
import { readPieces } from '../../os/transfer.ts';
import { crc32, crc32After } from '../../packet/crc32.ts';
import { QueueError } from '../../queue/errors.ts';
import { asShortFileName } from '../../queue/file-name.ts';
import { breather } from '../breather.ts';

const SUFFIX = '.part';
const KEPT_MS = 30 * 86_400_000;
const NAME_BYTES = 90;

export type Part = {
  /** So much has come before. */
  readonly size: number;
  readonly crc: number;
  append(bytes: Uint8Array): Promise<void>;
  /** All of it. */
  read(): AsyncIterable<Uint8Array>;
  remove(): Promise<void>;
  close(): Promise<void>;
};

/** One that is there. Throws `locked` while another connection still writes to it. */
export async function findPart(machine: Machine, directory: string, name: string): Promise<Part | undefined> {
  const path = `${directory}/${partName(name)}`;
  try {
    return await partAt(machine, path, await machine.files.open(path, 'lock-present'));
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

export async function makePart(machine: Machine, directory: string, name: string): Promise<Part> {
  await makeDirectory(machine, directory);
  const path = `${directory}/${partName(name)}`;
  return partAt(machine, path, await machine.files.open(path, 'lock'));
}

async function partAt(machine: Machine, path: string, descriptor: Descriptor): Promise<Part> {
  const { files, locks } = machine;
  try {
    if (!(await locks.tryLock(descriptor, 'exclusive'))) {
      throw new QueueError('locked', `${path}: another connection writes to it`);
    }
    const { size, crc } = await measure(machine, descriptor);
    return {
      size,
      crc,
      append: async (bytes) => files.write(descriptor, bytes),
      read: () => readPart(machine, path),
      remove: async () => files.unlink(path),
      close: () => closeQuietly(files, descriptor),
    };
  } catch (error) {
    await closeQuietly(files, descriptor);
    throw error;
  }
}

export async function removeOldParts({ files, clock }: Machine, directory: string): Promise<void> {
  try {
    for (const { name } of await files.readdir(directory)) {
      const path = `${directory}/${name}`;
      const { modifiedMs } = await files.stat(path);
      if (name.endsWith(SUFFIX) && toMs(clock.now()) - modifiedMs > KEPT_MS) await files.unlink(path);
    }
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) throw error;
  }
}

/**
 * In the queue, where that is a directory: there is as much room as for its jobs. Else among what this user keeps: not in
 * /tmp, where others could be there first.
 */
export async function partsOf(machine: Machine, location: string): Promise<string> {
  if (!location.includes('://')) return `${location}/relay-parts`;
  const env = machine.host.env();
  const home = env.get('HOME');
  const state = env.get('XDG_STATE_HOME') ?? (home === undefined ? undefined : `${home}/.local/state`);
  if (state === undefined) {
    throw new QueueError('bad-setting', 'without HOME, --parts DIR must say where large payloads may wait');
  }
  const way = [state, 'intray', 'relay-parts', asShortFileName(location, NAME_BYTES)].join('/').split('/');
  for (let steps = 2; steps <= way.length; steps++)
    await makeDirectory(machine, way.slice(0, steps).join('/'));
  return way.join('/');
}

async function makeDirectory({ files }: Machine, directory: string): Promise<void> {
  try {
    await files.mkdir(directory);
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
  }
}

/** As it is read its position comes to its end, where more is appended. */
async function measure(machine: Machine, descriptor: Descriptor) {
  const breathe = breather(machine.clock);
  let size = 0;
  let crc = 0;
  for await (const piece of readPieces(machine.files, descriptor)) {
    size += piece.length;
    crc = crc32After(crc, piece);
    await breathe();
  }
  return { size, crc };
}

async function* readPart({ files, clock }: Machine, path: string): AsyncGenerator<Uint8Array> {
  const breathe = breather(clock);
  const descriptor = await files.open(path, 'read-own');
  try {
    for await (const piece of readPieces(files, descriptor)) {
      yield piece;
      await breathe();
    }
  } finally {
    await closeQuietly(files, descriptor);
  }
}

/** Of a long name the beginning, and a number made of all of it. That two are one is found out by the checksum. */
function partName(name: string): string {
  const bytes = encodeBytes(name);
  const hex = Array.from(bytes.subarray(0, NAME_BYTES), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );
  return `${hex}-${crc32(bytes).toString(16)}${SUFFIX}`;
}
