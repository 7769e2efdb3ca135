/** The config as it is now: read anew when its file changes; when that is damaged, the last good one stays. */

import type { FileStatus, Machine } from '../os/ports.ts';
import type { Config } from '../uow/config.ts';
import { configPath, problemsText, type Root, readConfig } from '../uow/root.ts';
import type { Says } from './says.ts';

export type ConfigKeeper = {
  readonly current: Config;
  refresh(): Promise<void>;
};

export function newConfigKeeper(machine: Machine, root: Root, first: Config, says: Says): ConfigKeeper {
  const path = configPath(root.path);
  let current = first;
  let seen: FileStatus | undefined;
  let isFirst = true;
  return {
    get current() {
      return current;
    },
    refresh: async () => {
      const now = await statusOf(machine, path);
      if (!isFirst && isSame(now, seen)) return;
      seen = now;
      const read = await readConfig(machine, root.path);
      if ('problems' in read) {
        await says.say(`${problemsText(root.path, read.problems)}; what was set before stays`);
      } else {
        if (!isFirst) await says.say(`${path}: read anew${namesNote(current, read.config)}`);
        // Places and files are those that the Monitor began with: half a move is no change of mind.
        const { names, reads, says: out } = current;
        current = { ...read.config, names, reads, says: out };
      }
      isFirst = false;
    },
  };
}

function namesNote(before: Config, after: Config): string {
  const places = ({ names, reads, says }: Config) => JSON.stringify([names, reads, says]);
  return places(before) === places(after) ? '' : '; names of places change when the Monitor is started anew';
}

async function statusOf({ files }: Machine, path: string): Promise<FileStatus | undefined> {
  try {
    return await files.stat(path);
  } catch {
    return undefined;
  }
}

function isSame(a: FileStatus | undefined, b: FileStatus | undefined): boolean {
  return a?.inode === b?.inode && a?.size === b?.size && a?.modifiedMs === b?.modifiedMs;
}
