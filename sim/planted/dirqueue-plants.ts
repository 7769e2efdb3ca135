/** Deliberate faults of workers that share a queue of IPC::DirQueue; how they are made: see plants.ts. */

import type { Descriptor, Machine } from '../../src/os/ports.ts';
import type { HomePlant } from './home-plants.ts';
import { changed, takenOver, withoutSync } from './plants.ts';

const isLock = (path: string) => /\/active\/[^/]+$/.test(path);
const isName = (path: string) => /\/intray\/names\/[^/]+$/.test(path);
const isControl = (path: string) => /\/queue\/queue\/[^/]+$/.test(path);
const isData = (path: string) => /\/data\/.\/.\/[^/]+$/.test(path);

/** Whoever asks whether a worker is alive finds its flock free. */
function withoutFlock(machine: Machine): Machine {
  const { files, locks } = machine;
  const unlocked = new Set<Descriptor>();
  return {
    ...machine,
    files: {
      ...files,
      open: async (path, mode) => {
        const descriptor = await files.open(path, mode);
        unlocked.delete(descriptor);
        if (mode === 'lock-present') unlocked.add(descriptor);
        return descriptor;
      },
    },
    locks: {
      tryLock: (at, kind) => unlocked.has(at) || locks.tryLock(at, kind),
      unlock: (at) => (unlocked.has(at) ? undefined : locks.unlock(at)),
    },
  };
}

/** A control file comes into queue/ before its data file has its name. */
function controlBeforeData(machine: Machine): Machine {
  const { files } = machine;
  let due: string | undefined;
  return {
    ...machine,
    files: {
      ...files,
      open: async (path, mode) => {
        if (mode !== 'create' || !isData(path)) return files.open(path, mode);
        due = path;
        return files.open(`${path}-`, mode);
      },
      link: async (from, to) => {
        await files.link(from, to);
        if (due === undefined || !isControl(to)) return;
        await files.rename(`${due}-`, due);
        due = undefined;
      },
    },
  };
}

const withoutMark = changed(() => ({ fchmod: () => {} }));
const withoutWorkerSync = withoutSync(
  ({ mode, path }) => mode === 'directory' && path.endsWith('/intray/workers'),
);

export const DIRQUEUE_PLANTS: readonly HomePlant[] = [
  {
    name: 'dq-no-flock',
    mistake: 'the locks of a worker are broken without asking for its flock',
    wrap: withoutFlock,
    scenario: 'share-beside-sharing',
    profile: 'lasting',
  },
  {
    name: 'dq-lock-taken-over',
    mistake: 'a lock that is there is replaced by ours',
    wrap: takenOver(isLock),
    scenario: 'share-beside-sharing',
    profile: 'lasting',
  },
  {
    name: 'dq-control-before-data',
    mistake: 'a job is in queue/ before its data are in data/',
    wrap: controlBeforeData,
    scenario: 'put-free',
    profile: 'lasting',
  },
  {
    name: 'dq-no-data-sync',
    mistake: 'the bytes of a job are not on the disk when it is accepted',
    wrap: withoutSync(({ path }) => isData(path)),
    scenario: 'put-free',
    profile: 'weak',
  },
  {
    name: 'dq-no-queue-sync',
    mistake: 'the name of a job is not on the disk when it is accepted, nor its removal when it is over',
    wrap: withoutSync(({ mode, path }) => mode === 'directory' && path.endsWith('/queue/queue')),
    scenario: 'share-1',
    profile: 'weak',
  },
  {
    name: 'dq-no-mark',
    mistake: 'a lock can outlive the file that says whose it is, and nothing tells that it is ours',
    wrap: (machine) => withoutMark(withoutWorkerSync(machine)),
    scenario: 'share-1',
    profile: 'weak',
  },
  {
    name: 'dq-lock-not-known',
    mistake: 'a worker does not know its own lock again, and takes its job for lost',
    wrap: changed((files) => ({
      stat: (path) => (isLock(path) ? files.stat(`${path}-`) : files.stat(path)),
    })),
    scenario: 'share-2',
    profile: 'lasting',
  },
  {
    name: 'dq-name-taken-over',
    mistake: 'of several adders of one name each gets it',
    wrap: takenOver(isName),
    scenario: 'put-named-beside-putting',
    profile: 'lasting',
  },
  {
    name: 'dq-names-not-synced',
    mistake: 'a name is not on the disk when its job is accepted',
    wrap: withoutSync(({ mode, path }) => mode === 'directory' && path.endsWith('/intray/names')),
    scenario: 'put-named',
    profile: 'weak',
  },
];
