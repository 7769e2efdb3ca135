/**
 * Deliberate faults, made by changing the ports that the engine is given: each is a mistake that somebody could make
 * in the engine, and each must be found by the search, or the search proves nothing.
 */

import type { Descriptor, Files, Machine, OpenMode } from '../../src/os/ports.ts';
import { errno } from '../machine/errno.ts';
import type { Wrap } from '../machine/machine.ts';

export type Plant = {
  readonly name: string;
  /** What it is as a mistake in the engine. */
  readonly mistake: string;
  readonly wrap: Wrap;
  /** Which search finds it; those of `nfs` and `sync` are found by no other. */
  readonly search: 'exhaustive' | 'faults' | 'random' | 'nfs' | 'sync';
};

type Opened = { readonly path: string; readonly mode: OpenMode };

/** The file port with some calls replaced; `opened` tells what a descriptor was opened for. */
export function changed(
  change: (files: Files, opened: (descriptor: Descriptor) => Opened) => Partial<Files>,
): Wrap {
  return (machine) => {
    const known = new Map<Descriptor, Opened>();
    const files: Files = {
      ...machine.files,
      open: async (path, mode) => {
        const descriptor = await machine.files.open(path, mode);
        known.set(descriptor, { path, mode });
        return descriptor;
      },
    };
    const opened = (descriptor: Descriptor) => known.get(descriptor) ?? { path: '', mode: 'read' as const };
    return { ...machine, files: { ...files, ...change(files, opened) } };
  };
}

/** No fsync of what `skip` names. */
export function withoutSync(skip: (opened: Opened) => boolean): Wrap {
  return changed((files, opened) => ({
    fsync: async (at) => (skip(opened(at)) ? undefined : files.fsync(at)),
    fsyncAside: async (at) => (skip(opened(at)) ? undefined : files.fsyncAside(at)),
    fsyncAll: (all) => files.fsyncAll(all.filter((at) => !skip(opened(at)))),
  }));
}

/** A name that is taken is taken over. */
export function takenOver(isIt: (path: string) => boolean): Wrap {
  return changed((files) => ({
    link: async (from, to) => {
      if (isIt(to)) await quietly(() => files.unlink(to));
      await files.link(from, to);
    },
  }));
}

export async function quietly(action: () => unknown): Promise<void> {
  try {
    await action();
  } catch {
    // The mistake that is planted: going on as if nothing had happened.
  }
}

const isJobFile = (path: string) => /\/fspl-[^/]*\.fspl$/.test(path);

/** Removes a job's file as soon as its successor's number is being written. */
function unlinkFirst(machine: Machine): Machine {
  let running: string | undefined;
  const { files } = machine;
  return {
    ...machine,
    files: {
      ...files,
      open: async (path, mode) => {
        if (mode === 'read-job' && isJobFile(path)) running = path;
        if (mode === 'truncate' && path.endsWith('/nextseq.temp') && running !== undefined) {
          await quietly(() => files.unlink(running ?? ''));
        }
        return files.open(path, mode);
      },
    },
  };
}

/** Writes job files under their own name from the start. */
function visibleEarly(machine: Machine): Machine {
  const { files } = machine;
  const final = (path: string) => path.replace('/tmp-fspl-', '/fspl-').replace(/\.fspl\.tmp$/, '.fspl');
  return {
    ...machine,
    files: {
      ...files,
      open: (path, mode) => files.open(mode === 'create' ? final(path) : path, mode),
      unlink: (path) => files.unlink(final(path)),
      rename: async (from, to) => {
        if (!from.endsWith('.fspl.tmp')) await files.rename(from, to);
        else {
          // The engine chooses two names; the job keeps the one it was written under.
        }
      },
    },
  };
}

/** A watchdog that lets go of the lock and looks after nothing. */
function withoutWatchdog(machine: Machine): Machine {
  const { processes } = machine;
  return {
    ...machine,
    processes: {
      ...processes,
      spawn: (command) =>
        processes.spawn(
          command.args.includes('intray-watchdog') ? { ...command, program: 'true', extra: [] } : command,
        ),
    },
  };
}

/** Takes a rename that reports failure for one that did nothing. */
function believedFailure(machine: Machine): Machine {
  const failed = new Set<string>();
  const { files } = machine;
  return {
    ...machine,
    files: {
      ...files,
      rename: async (from, to) => {
        try {
          await files.rename(from, to);
        } catch (error) {
          failed.add(to);
          throw error;
        }
      },
      stat: async (path) => {
        if (failed.has(path)) throw errno('ENOENT', 'stat', path);
        return files.stat(path);
      },
    },
  };
}

/** Opens a directory only when it is to be synced, as if nobody needed it to be opened for its names. */
function oldNames(machine: Machine): Machine {
  const { files } = machine;
  const paths = new Map<Descriptor, string>();
  let lowest = -1;
  return {
    ...machine,
    files: {
      ...files,
      open: async (path, mode) => {
        if (mode !== 'directory') return files.open(path, mode);
        lowest -= 1;
        paths.set(lowest as Descriptor, path);
        return lowest as Descriptor;
      },
      close: async (at) => (paths.delete(at) ? undefined : files.close(at)),
      fsync: async (at) => {
        const path = paths.get(at);
        const opened = path === undefined ? at : await files.open(path, 'directory');
        await files.fsync(opened);
        if (path !== undefined) await files.close(opened);
      },
    },
  };
}

/** Takes every file with a job's name somewhere in its own for a job. */
function temporaryNames(machine: Machine): Machine {
  const { files } = machine;
  const real = (path: string) => path.replace(/\/fspl-as-(.*)\.fspl$/, '/$1');
  return {
    ...machine,
    files: {
      ...files,
      readdir: async (path) =>
        (await files.readdir(path)).map(({ name, kind }) => {
          const isTemporary = name.endsWith('.~tmp~') || name.startsWith('.');
          return { name: isTemporary ? `fspl-as-${name}.fspl` : name, kind };
        }),
      open: (path, mode) => files.open(real(path), mode),
      unlink: (path) => files.unlink(real(path)),
    },
  };
}

export const PLANTS: readonly Plant[] = [
  {
    name: 'no-directory-sync',
    mistake: 'the rename of a job is not made durable',
    wrap: withoutSync(({ mode, path }) => mode === 'directory' && path.endsWith('/jobs')),
    search: 'exhaustive',
  },
  {
    name: 'no-file-sync',
    mistake: 'the content of a job is not made durable before its rename',
    wrap: withoutSync(({ mode }) => mode === 'create'),
    search: 'exhaustive',
  },
  {
    name: 'unlink-first',
    mistake: 'a job is removed before the number that says it is over',
    wrap: unlinkFirst,
    search: 'exhaustive',
  },
  {
    name: 'number-not-synced',
    mistake: 'the content of a number is not made durable before its rename',
    wrap: withoutSync(({ path }) => path.endsWith('seq.temp')),
    search: 'exhaustive',
  },
  {
    name: 'next-number-not-durable',
    mistake: 'the rename of nextseq is not durable when the job is removed',
    wrap: withoutSync(({ mode, path }) => mode === 'directory' && path.endsWith('/queue')),
    search: 'exhaustive',
  },
  {
    name: 'no-lock',
    mistake: 'two workers work one queue',
    wrap: (machine) => ({ ...machine, locks: { tryLock: () => true, unlock: () => {} } }),
    search: 'exhaustive',
  },
  {
    name: 'visible-early',
    mistake: 'a job has its name before it has its bytes',
    wrap: visibleEarly,
    search: 'exhaustive',
  },
  {
    name: 'number-in-place',
    mistake: 'a number is written over the old one instead of beside it',
    wrap: changed((files) => ({
      open: (path, mode) => files.open(path.replace(/seq\.temp$/, 'seq'), mode),
      rename: async (from, to) => (from.endsWith('seq.temp') ? undefined : files.rename(from, to)),
      unlink: async (path) => (path.endsWith('seq.temp') ? undefined : files.unlink(path)),
    })),
    search: 'exhaustive',
  },
  {
    name: 'ignored-sync-error',
    mistake: 'an fsync that failed is taken for one that worked',
    wrap: changed((files) => ({
      fsync: (at) => quietly(() => files.fsync(at)),
      fsyncAside: (at) => quietly(() => files.fsyncAside(at)),
    })),
    search: 'faults',
  },
  {
    name: 'believed-rename',
    mistake: 'a rename that failed is taken for one that worked',
    wrap: changed((files) => ({ rename: (from, to) => quietly(() => files.rename(from, to)) })),
    search: 'faults',
  },
  {
    name: 'ignored-write-error',
    mistake: 'a write that failed is taken for one that worked',
    wrap: changed((files) => ({ writeAt: (at, bytes, to) => quietly(() => files.writeAt(at, bytes, to)) })),
    search: 'faults',
  },
  {
    name: 'no-watchdog',
    mistake: 'nobody ends the command of a worker that was killed',
    wrap: withoutWatchdog,
    search: 'random',
  },
  {
    name: 'believed-failure',
    mistake: 'a rename that reports failure is believed, and its number is given to the next job',
    wrap: believedFailure,
    search: 'nfs',
  },
  {
    name: 'old-names',
    mistake: 'what a host believes to be missing is not asked for anew',
    wrap: oldNames,
    search: 'nfs',
  },
  {
    name: 'temporary-names',
    mistake: 'the temporary files of a sync tool are taken for jobs',
    wrap: temporaryNames,
    search: 'sync',
  },
];
