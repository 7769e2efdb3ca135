/** Which errors a call can report, besides those that follow from the state of the disk. */

import type { Chance } from '../machine/random.ts';
import type { Call } from '../machine/world.ts';

const WRITING = ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS'] as const;

/** Not here: giving up a lock, and EACCES for opening a directory, after which less is promised by design. */
const CODES: Record<string, readonly string[]> = {
  open: ['EIO', 'EMFILE', 'ENFILE', 'EACCES', 'EINTR', 'ENOSPC', 'EROFS'],
  opendir: ['EIO', 'EMFILE', 'ENFILE', 'EINTR'],
  close: ['EIO', 'EINTR'],
  read: ['EIO'],
  write: WRITING,
  writeAt: WRITING,
  fsync: ['EIO', 'ENOSPC', 'EDQUOT'],
  fsyncAside: ['EIO', 'ENOSPC', 'EDQUOT'],
  fstat: ['EIO'],
  stat: ['EIO', 'EACCES'],
  readdir: ['EIO', 'EMFILE', 'EACCES'],
  rename: ['EIO', 'EACCES', 'ENOSPC', 'EROFS'],
  unlink: ['EIO', 'EACCES', 'EROFS'],
  tryLock: ['ENOLCK', 'EINTR'],
  spawn: ['EAGAIN', 'EMFILE', 'ENOMEM'],
  pipe: ['EMFILE', 'ENFILE'],
  scratch: ['EMFILE', 'ENOMEM'],
};

export function faultFor(call: Call, chance: Chance, perThousand: number): string | undefined {
  if (perThousand === 0 || !chance.flip(perThousand / 1000)) return undefined;
  if (call.path === 'scratch') return undefined; // in memory: it does not fail
  const codes = CODES[call.name];
  return codes === undefined ? undefined : chance.pick(codes);
}
