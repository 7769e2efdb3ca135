/**
 * Who holds flock(2) on a file of this machine, asked of the kernel without trying the lock: a try, however short,
 * could make a program fail that takes the lock in that moment and does not wait, as the original does.
 *
 * Source: proc_locks(5). Only locks of this machine are in it, and of a container only its own processes'.
 */

import { decodeBytes } from './bytes.ts';
import type { FileStatus, LockKind, Machine } from './ports.ts';
import { readSmallFile } from './transfer.ts';

export type LockHolder = { readonly pid: number; readonly kind: LockKind };

const LOCKS_FILE = '/proc/locks';
const LIMIT_BYTES = 4 * 1024 * 1024;

/** `3: FLOCK  ADVISORY  WRITE 4321 08:01:131074 0 EOF`; who only waits has `->` behind the number. */
const LINE = /^\d+: FLOCK +\S+ +(READ|WRITE) +(-?\d+) +([0-9a-f]+):([0-9a-f]+):(\d+) /gm;

/** A lock, and on which file it is. */
export type HeldLock = LockHolder & {
  readonly inode: bigint;
  isOn(file: Pick<FileStatus, 'device' | 'inode'>): boolean;
};

/** Undefined where nobody can tell: no such file, no /proc, not Linux. */
export async function lockHolders(machine: Machine, path: string): Promise<LockHolder[] | undefined> {
  try {
    const file = await machine.files.stat(path);
    const held = await heldLocks(machine);
    return held?.filter((lock) => lock.isOn(file)).map(({ pid, kind }) => ({ pid, kind }));
  } catch {
    return undefined;
  }
}

/** All of this machine. Undefined where nobody can tell. */
export async function heldLocks({ files }: Machine): Promise<HeldLock[] | undefined> {
  try {
    const text = decodeBytes(await readSmallFile(files, LOCKS_FILE, LIMIT_BYTES));
    return [...text.matchAll(LINE)].map(([, kind, pid, major = '', minor = '', number = '']) => {
      const of = [Number.parseInt(major, 16), Number.parseInt(minor, 16)] as const;
      const inode = BigInt(number);
      return {
        pid: Number(pid),
        kind: kind === 'WRITE' ? 'exclusive' : 'shared',
        inode,
        isOn: (file) => file.inode === inode && isDevice(file.device, ...of),
      };
    });
  } catch {
    return undefined;
  }
}

/** File systems without a device of their own, such as btrfs, call themselves differently here and in stat(2). */
function isDevice(device: bigint, major: number, minor: number): boolean {
  const ownMajor = Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xffff_f000n));
  const ownMinor = Number((device & 0xffn) | ((device >> 12n) & 0xffff_ff00n));
  return ownMajor === major && (major === 0 || ownMinor === minor);
}
