import { closeQuietly } from '../os/close-quietly.ts';
import { type Files, hasErrno } from '../os/ports.ts';

/**
 * Makes this host ask anew which names are in a directory, before it believes that one is missing. An NFS client
 * keeps what it has looked up, absences too, for seconds; opening a directory makes it compare with the server
 * ("close-to-open"; Linux: nfs_lookup_verify_inode). On a disk of our own this changes nothing. A directory that we
 * may not open cannot be asked for.
 */
export async function refreshNames(files: Files, directory: string): Promise<void> {
  try {
    await closeQuietly(files, await files.open(directory, 'directory'));
  } catch (error) {
    if (!hasErrno(error, 'EACCES')) throw error;
  }
}
