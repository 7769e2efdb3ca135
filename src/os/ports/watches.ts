import type { SystemError } from './errors.ts';
import type { Step } from './step.ts';

/**
 * File events: told, not asked. They only save waiting, and whoever uses them looks again now and then all the same:
 *
 * - changes made on another host of a network file system are not told at all;
 * - more than 16,384 at once are dropped by the kernel, in silence (fs.inotify.max_queued_events).
 */
export interface Watches {
  /**
   * Tells of every name that comes into a directory, leaves it or is renamed in it, from when this returns. Bytes
   * written to its files are not told, nor what happens in directories below. Does not keep the process alive: who
   * waits for an event sets a timer too. Returns how to end it, which may be called again.
   *
   * Throws ENOENT or ENOTDIR; ENOSPC (fs.inotify.max_user_watches) or EMFILE (fs.inotify.max_user_instances) when the
   * user has used up what the kernel allows.
   */
  watch(directory: string, listener: WatchListener): Step<() => void>;
}

export type WatchListener = {
  /** Some names have changed, one or many: a burst is told once or a few times. Which ones, a listing says. */
  readonly onChange: () => void;
  /** Nothing will be told any more. ENOENT: the directory was removed, moved away, or is another one by now; look, and watch again. */
  readonly onLost: (error: SystemError) => void;
};
