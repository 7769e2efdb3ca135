import type { Locks } from '../ports.ts';
import { native, systemError } from './native.ts';

// sys/file.h
const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;

const EINTR = 4;
const EWOULDBLOCK = 11;

/** flock(2): kept by the kernel, gone with the last descriptor of its holder, so a dead process holds nothing. */
export const realLocks: Locks = {
  tryLock: async (descriptor, kind) => {
    const { library, errno } = await native();
    const operation = (kind === 'exclusive' ? LOCK_EX : LOCK_SH) | LOCK_NB;
    for (;;) {
      if (library.flock(descriptor, operation) === 0) return true;
      const reason = errno();
      if (reason === EWOULDBLOCK) return false;
      if (reason !== EINTR) throw systemError(reason, 'flock');
    }
  },
  unlock: async (descriptor) => {
    const { library, errno } = await native();
    if (library.flock(descriptor, LOCK_UN) !== 0) throw systemError(errno(), 'flock');
  },
};
