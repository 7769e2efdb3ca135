/** flock(2): who has it keeps the others out. That it does so between hosts cannot be tried from one; see storage.ts. */

import { type Exit, hasErrno, type LockKind } from '../../os/ports.ts';
import { put, using } from '../bench.ts';
import { type Bench, fails, holds, type Outcome, type Probe, unknown } from '../probe.ts';

/** What flock(2) says where a file system has none. */
const NO_LOCKS = ['ENOLCK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL'];

/** Who may have the lock beside a holder: both sides of flock(2)'s table. */
const PAIRS: readonly (readonly [held: LockKind, wanted: LockKind, granted: boolean])[] = [
  ['exclusive', 'exclusive', false],
  ['exclusive', 'shared', false],
  ['shared', 'exclusive', false],
  ['shared', 'shared', true],
];

export const lockDescriptors: Probe = {
  name: 'lock',
  title: 'flock between open files',
  measure: async (bench) => {
    const { files, locks } = bench.machine;
    const path = await put(bench, 'lock');
    const first = await files.open(path, 'lock');
    return using(files, first, async () =>
      using(files, await files.open(path, 'lock'), async (second) => {
        try {
          for (const [held, wanted, granted] of PAIRS) {
            if (!(await locks.tryLock(first, held))) return fails('a free lock was refused');
            if ((await locks.tryLock(second, wanted)) !== granted) {
              return granted
                ? fails('two cannot share a lock')
                : fails('two open files had a lock that only one may have');
            }
            await locks.unlock(second);
            await locks.unlock(first);
          }
        } catch (error) {
          if (hasErrno(error, ...NO_LOCKS)) return fails('there is none');
          throw error;
        }
        return holds('keeps a second one out');
      }),
    );
  },
};

export const lockProcesses: Probe = {
  name: 'lock-processes',
  title: 'flock between processes',
  measure: async (bench) => {
    const { files, locks } = bench.machine;
    const path = await put(bench, 'lock-processes');
    // A lock that nobody has: what another program says of that shows what its answers mean.
    const free = await tryElsewhere(bench, path);
    if (free === undefined) return unknown('the program flock (util-linux) is not installed');
    if (!succeeded(free)) return fails('another process cannot have a lock that nobody has');
    return using(files, await files.open(path, 'lock'), async (file): Promise<Outcome> => {
      if (!(await locks.tryLock(file, 'exclusive'))) return fails('a free lock was refused');
      const held = await tryElsewhere(bench, path);
      if (held === undefined) return unknown('the program flock (util-linux) cannot be started');
      return succeeded(held) ? fails('two processes had it at once') : holds('keeps a second one out');
    });
  },
};

function succeeded(exit: Exit): boolean {
  return exit.kind === 'exited' && exit.code === 0;
}

/** How a try for the lock by another process ended; undefined when there is no program for it. */
async function tryElsewhere({ machine }: Bench, path: string): Promise<Exit | undefined> {
  try {
    const args = ['-c', 'exec flock -n -x "$1" true 2>/dev/null', 'sh', path];
    const child = await machine.processes.spawn({ program: '/bin/sh', args, env: machine.host.env() });
    const exit = await child.exit;
    return exit.kind === 'exited' && exit.code >= NOT_STARTED ? undefined : exit;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'EACCES')) return undefined;
    throw error;
  }
}

/** A shell's own statuses: 126 for what cannot be run, 127 for what is not there. */
const NOT_STARTED = 126;
