/** Which errors a call can report, besides those that follow from the state of the disk. */

import type { Chance } from '../machine/random.ts';
import type { Call, Fault } from '../machine/world.ts';

/** What a disk may say to anybody, and what the process or the machine may be short of. */
const DISK = ['EIO', 'ESTALE', 'EACCES', 'EINTR'] as const;
const SHORT = ['EMFILE', 'ENFILE', 'ENOMEM'] as const;
const FULL = ['ENOSPC', 'EDQUOT', 'EROFS'] as const;

/** Not here: giving up a lock, and EACCES for opening a directory, after which less is promised by design. */
const CODES: Record<string, readonly string[]> = {
  open: [...DISK, ...SHORT, ...FULL],
  create: [...DISK, ...SHORT, ...FULL, 'EEXIST'],
  opendir: ['EIO', 'ESTALE', 'EINTR', ...SHORT],
  close: ['EIO', 'EINTR', 'ENOSPC', 'EDQUOT'],
  read: ['EIO', 'ESTALE', 'EINTR'],
  write: ['EIO', 'ESTALE', 'EINTR', ...FULL],
  writeAt: ['EIO', 'ESTALE', 'EINTR', ...FULL],
  fsync: ['EIO', 'ESTALE', 'EINTR', 'ENOSPC', 'EDQUOT'],
  fsyncAside: ['EIO', 'ESTALE', 'EINTR', 'ENOSPC', 'EDQUOT'],
  fstat: ['EIO', 'ESTALE'],
  stat: [...DISK],
  readdir: [...DISK, ...SHORT],
  rename: [...DISK, ...FULL, 'ENOENT', 'EEXIST'],
  link: [...DISK, ...FULL, 'EEXIST'],
  unlink: [...DISK, 'EROFS', 'ENOENT'],
  mkdir: [...DISK, ...FULL, 'EEXIST'],
  rmdir: [...DISK, 'EROFS', 'ENOTEMPTY'],
  utimensat: ['EIO', 'ESTALE', 'EACCES', 'EROFS'],
  watch: ['ENOSPC', 'EMFILE'],
  tryLock: ['ENOLCK', 'EINTR', 'EIO'],
  spawn: ['EAGAIN', 'EMFILE', 'ENOMEM'],
  pipe: ['EMFILE', 'ENFILE'],
  scratch: ['EMFILE', 'ENOMEM'],
};

/** What a client is told that asks a second time for what was done the first time, as the first reply got lost. */
const RESENT: Record<string, string> = {
  create: 'EEXIST',
  link: 'EEXIST',
  mkdir: 'EEXIST',
  rename: 'ENOENT',
  rmdir: 'ENOENT',
  unlink: 'ENOENT',
};

/** Names of faults that are no errnos. `LOST`: done, and EIO all the same. `RESENT`: done, and the above. */
export const LOST_REPLIES = ['LOST', 'RESENT'] as const;

/** Every call fails with each of these once, in the small cases. */
export const FAULT_CODES = [
  'EIO',
  'ENOSPC',
  'EMFILE',
  'EACCES',
  'EROFS',
  'EDQUOT',
  'ESTALE',
  'EINTR',
] as const;

/** A fault by its name in a case; undefined for a call that cannot fail so. */
export function faultNamed(name: string, call: Call): Fault | undefined {
  const resent = RESENT[call.name];
  if (name !== 'LOST' && name !== 'RESENT') return isByDesign(name, call) ? undefined : { code: name };
  if (resent === undefined) return undefined;
  return { code: name === 'LOST' ? 'EIO' : resent, lost: true };
}

/**
 * Giving up a lock of an open descriptor cannot fail. And a directory that may be written but not opened cannot be
 * synced: the library then leaves its names to the file system (`not-permitted` in publish.ts) and promises less.
 */
function isByDesign(code: string, call: Call): boolean {
  return call.name === 'unlock' || (code === 'EACCES' && call.name === 'opendir');
}

export type Rates = {
  /** Of a thousand calls, how many fail. */
  readonly errors: number;
  /** Of a thousand changes of names, how many are done and their reply gets lost. */
  readonly lostReplies: number;
};

export function faultFor(call: Call, chance: Chance, { errors, lostReplies }: Rates): Fault | undefined {
  if (call.path === 'scratch') return undefined; // in memory: it does not fail
  if (lostReplies > 0 && call.name in RESENT && chance.flip(lostReplies / 1000)) {
    return faultNamed(chance.pick(LOST_REPLIES), call);
  }
  if (errors === 0 || !chance.flip(errors / 1000)) return undefined;
  const codes = CODES[call.name];
  return codes === undefined ? undefined : { code: chance.pick(codes) };
}
