/**
 * File systems that are a program (FUSE): GlusterFS, sshfs. Three calls do less there than they say, and nobody is told:
 *
 *     fsync of a directory    GlusterFS answers for itself, others are not asked: the servers' disks sync no name
 *     syncfs                  is not passed on: no file is synced
 *     "now" as a file's time  the kernel names it, so it is by the clock of this host, not of the one that has the file
 *
 * (Measured with GlusterFS 10.3 by a trace of its bricks, and by power cuts: test/machines. Source of the second:
 * fuse_sync_fs in the kernel's fs/fuse/inode.c.) fsync of a file and a write are passed on everywhere.
 *
 * So names are made to last by the fsync of a new file, which nobody else sees: the journals of ext4 and xfs, on which the
 * files of a server lie, write what was done before it first.
 */

import fs from 'node:fs';
import { hasErrno } from '../ports.ts';

/** `f_type` of statfs(2). Source: linux/magic.h */
const FUSE = 0x65735546n;

const { O_RDWR, O_CREAT, O_EXCL } = fs.constants;
const OURS_ALONE = 0o600;
/** What keeps us from making a file where others may; then what is there is left to the server. */
const NOT_OURS = ['EACCES', 'EPERM', 'EROFS'];

export function isFuse(path: string | Buffer): boolean {
  return fs.statfsSync(path, { bigint: true }).type === FUSE;
}

export function isOpenOnFuse(descriptor: number): boolean {
  try {
    return isFuse(`/proc/self/fd/${descriptor}`);
  } catch {
    return false; // there is no /proc, or no statfs
  }
}

export function isDirectory(descriptor: number): boolean {
  return fs.fstatSync(descriptor).isDirectory();
}

/** A new file without a name on the file system of that directory; undefined when we may not make one. */
export function scratchBeside(directory: number): number | undefined {
  const { dev } = fs.fstatSync(directory, { bigint: true });
  const open = `/proc/self/fd/${directory}`;
  // The directory itself may be one whose every name counts as a job.
  for (const place of [`${open}/..`, open]) {
    try {
      if (fs.statSync(place, { bigint: true }).dev !== dev) continue;
      const made = `${place}/.intray-sync-${crypto.randomUUID()}`;
      const scratch = fs.openSync(made, O_RDWR | O_CREAT | O_EXCL, OURS_ALONE);
      fs.unlinkSync(made);
      return scratch;
    } catch (error) {
      if (!hasErrno(error, ...NOT_OURS)) throw error;
    }
  }
  return undefined;
}

/** Gives a file the time of now by writing what is there already. False for what has no byte: a directory, an empty file. */
export function rewriteFirstByte(path: string | Buffer): boolean {
  const byte = new Uint8Array(1);
  let descriptor: number;
  try {
    descriptor = fs.openSync(path, O_RDWR);
  } catch (error) {
    if (hasErrno(error, 'EISDIR')) return false;
    throw error;
  }
  try {
    if (fs.readSync(descriptor, byte, 0, 1, 0) === 0) return false;
    fs.writeSync(descriptor, byte, 0, 1, 0);
    return true;
  } finally {
    fs.closeSync(descriptor);
  }
}
