/**
 * File events by fs.watch: inotify on Linux. Node 20 and Bun 1.4 tell `rename` for a name that comes, goes or changes,
 * and `change` for bytes, times and modes, names that are not UTF-8 included. But, measured:
 *
 * - Bun leaves out a `rename` that follows another one of the same name within 2 ms or so. Whoever looked at once when
 *   told of the first would never see the second. So nobody is told before that time is over.
 * - A directory that is removed or moved away is told as `rename` with its own name, which a file in it may have too,
 *   and which the kernel drops with the rest when too much happens at once. So the directory itself is looked at.
 */

import fs from 'node:fs';
import { basename } from 'node:path';
import { hasErrno, isSystemError, type SystemError, type Watches, type WatchListener } from '../ports.ts';
import { raw } from './files.ts';
import { systemError } from './native.ts';

/** From the first event of several until they are told as one. */
const SETTLE_MS = 5;

const ENOENT = 2;
const ENOTDIR = 20;

/**
 * A watch: quiet -> due (an event came, and is told soon) -> quiet, and from either to ended, by its owner or because
 * it is lost. An ended one tells nothing.
 */
export const realWatches: Watches = {
  watch: (directory, listener) => {
    let due: NodeJS.Timeout | undefined;
    let ended = false;
    let ownName = false;
    const watcher = fs.watch(raw(directory), { persistent: false }, (event, name) => {
      if (event !== 'rename' || ended) return;
      ownName ||= name === basename(directory);
      due ??= setTimeout(tell, SETTLE_MS);
    });
    const end = () => {
      clearTimeout(due);
      ended = true;
      watcher.close();
    };
    let watched: string;
    try {
      watched = identityOf(directory);
    } catch (error) {
      end();
      throw error;
    }

    function tell() {
      due = undefined;
      const gone = whyGone(directory, watched, ownName);
      ownName = false;
      if (gone === undefined) listener.onChange();
      else lose(gone, listener);
    }
    function lose(error: SystemError, { onLost }: WatchListener) {
      if (ended) return;
      end();
      onLost(error);
    }
    watcher.on('error', (error) => {
      lose(isSystemError(error) ? error : Object.assign(error, { code: 'EIO', syscall: 'watch' }), listener);
    });
    return end;
  },
};

/** With the time of its making, 0 where the file system does not keep that. Throws ENOTDIR. */
function identityOf(directory: string): string {
  const status = fs.statSync(raw(directory), { bigint: true });
  if (!status.isDirectory()) throw systemError(ENOTDIR, 'watch', directory);
  return `${status.dev}:${status.ino}:${status.birthtimeNs}`;
}

/**
 * The error to tell when the path no longer leads to the directory we watch. One that was removed and made anew often has
 * the same inode number; where the time of its making is not kept, an event with its own name has to do. (To keep the
 * directory open would save the number, but then the kernel does not tell of the removal.)
 */
function whyGone(directory: string, watched: string, ownName: boolean): SystemError | undefined {
  try {
    const same = identityOf(directory) === watched;
    return same && !(ownName && watched.endsWith(':0')) ? undefined : systemError(ENOENT, 'watch', directory);
  } catch (error) {
    if (hasErrno(error, 'ENOTDIR')) return systemError(ENOENT, 'watch', directory);
    if (isSystemError(error)) return error;
    throw error;
  }
}
