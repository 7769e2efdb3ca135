import { type Descriptor, type Files, hasErrno } from './ports.ts';

/**
 * Closes a descriptor that nothing was written to since its last fsync: a directory, a lock, a file that was read.
 * Its close has nothing left to fail at, and gives the descriptor back whatever it says: see close(2). Only a
 * descriptor that is closed already is told, for that is a bug.
 */
export async function closeQuietly(files: Files, descriptor: Descriptor): Promise<void> {
  try {
    await files.close(descriptor);
  } catch (error) {
    if (hasErrno(error, 'EBADF')) throw error;
  }
}
