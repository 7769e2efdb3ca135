import { hasErrno, type Machine } from '../os/ports.ts';

/**
 * Calls `onChange` when names in a directory change, as far as file events tell: where the system has none left to give
 * they never do, and whoever waits looks by itself. Returns how to end it.
 */
export async function watchDirectory(
  machine: Machine,
  directory: string,
  onChange: () => void,
): Promise<() => void> {
  try {
    return await machine.watches.watch(directory, { onChange, onLost: onChange });
  } catch (error) {
    if (!hasErrno(error, 'ENOSPC', 'EMFILE', 'ENOSYS', 'ENOTSUP')) throw error;
    return () => {};
  }
}
