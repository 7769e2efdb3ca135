import { hasErrno, type Machine } from '../os/ports.ts';

/**
 * Calls `onChange` when names in these directories change, as far as file events tell: where the system has none left to
 * give they never do, and whoever waits looks by itself. Returns how to end it.
 */
export async function watchDirectories(
  machine: Machine,
  directories: readonly string[],
  onChange: () => void,
): Promise<() => void> {
  const ends: (() => void)[] = [];
  for (const directory of directories) {
    try {
      ends.push(await machine.watches.watch(directory, { onChange, onLost: onChange }));
    } catch (error) {
      if (!areNoEventsLeft(error)) throw error;
    }
  }
  return () => {
    for (const end of ends) end();
  };
}

/** Whether a directory cannot be watched for the sake of the system, and not of the directory. */
export function areNoEventsLeft(error: unknown): boolean {
  return hasErrno(error, 'ENOSPC', 'EMFILE', 'ENOSYS', 'ENOTSUP');
}
