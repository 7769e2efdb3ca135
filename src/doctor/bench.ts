/** A directory for probes: made beside what is examined, under a name nobody else chooses, and always removed. */

import { encodeBytes } from '../os/bytes.ts';
import { closeQuietly } from '../os/close-quietly.ts';
import { type Descriptor, type Files, hasErrno, type Machine } from '../os/ports.ts';
import { removeTree } from '../os/remove-tree.ts';
import type { Bench } from './probe.ts';

/** Queues look only at names of their own; after a kill -9 this one says who has left it. */
const BENCH_PREFIX = '.intray-doctor-';

export function isBenchName(name: string): boolean {
  return name.startsWith(BENCH_PREFIX);
}

/** Runs `use` with a bench in `parent`. Throws a SystemError when none can be made there, or not be removed. */
export async function withBench<T>(
  machine: Machine,
  parent: string,
  stop: AbortSignal,
  use: (bench: Bench) => Promise<T>,
): Promise<T> {
  const directory = `${parent}/${BENCH_PREFIX}${machine.random.uuid()}`;
  await machine.files.mkdir(directory);
  try {
    await keepOthersOut(machine.files, directory);
    return await use({ machine, directory, stop });
  } finally {
    await removeTree(machine.files, directory);
  }
}

const OURS_ALONE = 0o700;

/** Who could write into it, with a umask of 0, could have us remove what is elsewhere. */
async function keepOthersOut(files: Files, directory: string): Promise<void> {
  await using(files, await files.open(directory, 'directory'), async (open) => {
    try {
      await files.fchmod(open, OURS_ALONE);
    } catch (error) {
      if (!hasErrno(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL')) throw error; // no modes here
    }
  });
}

/** A new file on the bench. Returns its path. */
export async function put({ machine, directory }: Bench, name: string, content = ''): Promise<string> {
  const path = `${directory}/${name}`;
  await using(machine.files, await machine.files.open(path, 'create'), async (file) => {
    if (content !== '') await machine.files.write(file, encodeBytes(content));
  });
  return path;
}

/** Uses an open file and closes it. */
export async function using<T>(
  files: Files,
  file: Descriptor,
  use: (file: Descriptor) => Promise<T>,
): Promise<T> {
  try {
    return await use(file);
  } finally {
    await closeQuietly(files, file);
  }
}
