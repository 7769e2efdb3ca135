/**
 * How a reader learns that the writer of a packet died in the middle.
 *
 * A packet has no length, and the end of a pipe looks the same whether its writer was done or was killed:
 *
 *     prepare -i - |  queue-write        what queue-write sees
 *     ---------------------------        ---------------------
 *     writes the header                  the header
 *     writes half the payload            half the payload
 *     is killed                          end of file: a whole job, as far as anybody can tell
 *
 * Nothing can be added to the packet, whose bytes are settled. But the pipe (or the file the shell redirected
 * to) is an inode that both ends see, and it has a mode. The writer sets its sticky bit before the first byte
 * and takes it away after the last; the kernel keeps it when the writer dies. A reader that finds the bit at the
 * end of file knows that the end is not the packet's.
 *
 * This holds for a direct pipe or file on one machine. A program between the two (gzip, ssh) has pipes of its
 * own, which carry no mark: then the reader knows as little as before. docs/filespooler-differences.md says so.
 */

import { type Descriptor, type FileStatus, type Files, hasErrno } from '../os/ports.ts';

const STICKY = 0o1000;

/** Marks `target` as being written, where it can carry a mark. Returns how to take the mark away. */
export async function markUnfinished(files: Files, target: Descriptor): Promise<() => Promise<void>> {
  const { kind, size, mode } = await files.fstat(target);
  const fresh = kind === 'fifo' || (kind === 'file' && size === 0);
  if (!fresh) return async () => {};
  try {
    await files.fchmod(target, mode | STICKY);
  } catch (error) {
    // Somebody else's pipe or file: it stays unmarked.
    if (hasErrno(error, 'EPERM', 'EINVAL', 'EROFS', 'ENOTSUP', 'EFTYPE')) return async () => {};
    throw error;
  }
  return async () => files.fchmod(target, mode & ~STICKY);
}

/** Whether this pipe or file was marked by a writer that has not said it is done. */
export function isUnfinished(status: FileStatus): boolean {
  return (status.kind === 'fifo' || status.kind === 'file') && (status.mode & STICKY) !== 0;
}
