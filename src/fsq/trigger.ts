/**
 * Telling those who wait that something came in: a byte in a FIFO, of which nobody needs to be there to read it.
 *
 * A listener has the FIFO open for reading and writing, so that it never ends for want of a writer, and takes all that
 * has gathered at once: many bytes are one reason to look.
 */

import { closeQuietly } from '../os/close-quietly.ts';
import { type Descriptor, hasErrno, type Machine } from '../os/ports.ts';
import { QueueError } from '../queue/errors.ts';

const BYTE = Uint8Array.of(0);
const GATHERED_BYTES = 65_536;

/** Without waiting. Returns whether a listener was told; false too when there is no trigger. */
export async function pullTrigger({ files }: Machine, path: string): Promise<boolean> {
  let descriptor: Descriptor;
  try {
    descriptor = await files.open(path, 'trigger');
  } catch (error) {
    if (hasErrno(error, 'ENXIO', 'ENOENT')) return false;
    throw error;
  }
  try {
    if ((await files.fstat(descriptor)).kind !== 'fifo') throw noFifo(path);
    if (files.writeNow === undefined) throw new QueueError('not-possible', 'no FIFO can be written to here');
    await files.writeNow(descriptor, BYTE);
    return true;
  } catch (error) {
    if (hasErrno(error, 'EPIPE')) return false;
    // So many bytes wait there that one more says nothing new.
    if (hasErrno(error, 'EAGAIN')) return true;
    throw error;
  } finally {
    await closeQuietly(files, descriptor);
  }
}

export type Listener = {
  /** Resolves when the trigger is pulled; at once when it was since the last time. */
  pulled(): Promise<void>;
  close(): Promise<void>;
};

/** Throws `not-possible` when there is no FIFO at that path. */
export async function listen({ files }: Machine, path: string): Promise<Listener> {
  let descriptor: Descriptor;
  try {
    if ((await files.stat(path)).kind !== 'fifo') throw noFifo(path);
    descriptor = await files.open(path, 'lock-present');
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
    throw noFifo(path, error);
  }
  const gathered = new Uint8Array(GATHERED_BYTES);
  let reading: Promise<unknown> | undefined;
  return {
    pulled: async () => {
      reading = files.readAside(descriptor, gathered, 0, gathered.length);
      await reading;
      reading = undefined;
    },
    close: async () => {
      // What waits for a byte cannot be called off: it gets one.
      if (reading !== undefined) await files.write(descriptor, BYTE);
      await reading;
      await closeQuietly(files, descriptor);
    },
  };
}

function noFifo(path: string, cause?: unknown): QueueError {
  return new QueueError('not-possible', `${path}: there is no FIFO of that name, so it is no trigger`, {
    cause,
  });
}
