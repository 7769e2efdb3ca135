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

/**
 * `f_type` of statfs(2) for file systems whose names change through the kernel of this host alone: what it has looked up is
 * so. Source: linux/magic.h, and the file systems' own headers.
 */
const OF_THIS_HOST: ReadonlySet<bigint> = new Set([
  0xef53n, // ext2, ext3, ext4
  0x58465342n, // xfs
  0x9123683en, // btrfs
  0xf2f52010n, // f2fs
  0xca451a4en, // bcachefs
  0x2fc12fc1n, // zfs
  0x01021994n, // tmpfs
]);

/** Whether no other host can change the names in a directory, so that nobody need ask anew for each. */
export async function namesAreOurs(files: Files, directory: string): Promise<boolean> {
  try {
    return OF_THIS_HOST.has((await files.statfs(directory)).type);
  } catch {
    return false; // whoever asks anew is never wrong
  }
}
