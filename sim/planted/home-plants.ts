/** Deliberate faults of workers that share a queue; how they are made: see plants.ts. */

import type { Descriptor, Machine } from '../../src/os/ports.ts';
import type { Wrap } from '../machine/machine.ts';
import { changed, quietly, withoutSync } from './plants.ts';

export type HomePlant = {
  readonly name: string;
  /** What it is as a mistake in the engine. */
  readonly mistake: string;
  readonly wrap: Wrap;
  /** A small case that shows it, and on which disk; left out: random runs over the network do. */
  readonly scenario?: string;
  /** Where a power cut has left each job under two names. */
  readonly isTorn?: boolean;
  readonly profile?: 'weak' | 'lasting';
};

const isJob = (path: string) => /\/fspl-[^/]*\.fspl$/.test(path);
const isClaim = (from: string, to: string) => from.includes('/jobs/') && to.includes('/work/') && isJob(to);

/** No lock on the files whose path it is. */
function withoutLock(isMeant: (path: string) => boolean): Wrap {
  return (machine) => {
    const unlocked = new Set<Descriptor>();
    const { files, locks } = machine;
    return {
      ...machine,
      files: {
        ...files,
        open: async (path, mode) => {
          const descriptor = await files.open(path, mode);
          unlocked.delete(descriptor);
          if ((mode === 'lock' || mode === 'lock-present') && isMeant(path)) unlocked.add(descriptor);
          return descriptor;
        },
      },
      locks: {
        tryLock: (at, kind) => unlocked.has(at) || locks.tryLock(at, kind),
        unlock: (at) => (unlocked.has(at) ? undefined : locks.unlock(at)),
      },
    };
  };
}

/** Removes a job's file as soon as the number behind it is being written. */
function unlinkFirst(machine: Machine): Machine {
  let claimed: string | undefined;
  const { files } = machine;
  return {
    ...machine,
    files: {
      ...files,
      rename: async (from, to) => {
        await files.rename(from, to);
        if (isClaim(from, to)) claimed = to;
      },
      open: async (path, mode) => {
        const lane = /\/lanes\/(\w+)\.temp$/.exec(path)?.[1];
        if (lane !== undefined && claimed?.includes(`.${lane}.`)) {
          await quietly(() => files.unlink(claimed ?? ''));
        }
        return files.open(path, mode);
      },
    },
  };
}

/** Names go into receipts/ when the job is there already. */
function receiptLast(machine: Machine): Machine {
  const { files } = machine;
  let due: readonly [from: string, to: string] | undefined;
  return {
    ...machine,
    files: {
      ...files,
      rename: async (from, to) => {
        if (to.includes('/receipts/')) {
          due = [from, to];
          return;
        }
        await files.rename(from, to);
        if (due !== undefined && to.includes('/jobs/')) await files.rename(...due);
        if (to.includes('/jobs/')) due = undefined;
      },
    },
  };
}

/** What makes a worker of another host look silent for long, and free to take. */
function leaseIgnored(machine: Machine): Machine {
  const { files } = machine;
  const own = `/work/${machine.host.name.replace(/[^A-Za-z0-9-]/g, '_')}.`;
  const others = new Set<Descriptor>();
  return {
    ...machine,
    files: {
      ...files,
      open: async (path, mode) => {
        const descriptor = await files.open(path, mode);
        others.delete(descriptor);
        if (path.endsWith('/worker') && mode === 'lock-present' && !path.includes(own))
          others.add(descriptor);
        return descriptor;
      },
      fstat: async (at) => {
        const status = await files.fstat(at);
        return others.has(at) ? { ...status, modifiedMs: -1e9 } : status;
      },
    },
  };
}

export const HOME_PLANTS: readonly HomePlant[] = [
  {
    name: 'claim-by-link',
    mistake: 'a job is claimed by a second name, and keeps its first one',
    wrap: changed((files) => ({
      rename: (from, to) => (isClaim(from, to) ? files.link(from, to) : files.rename(from, to)),
    })),
    scenario: 'share-beside-sharing',
    profile: 'lasting',
  },
  {
    name: 'no-recovery-lock',
    mistake: 'the jobs of a worker are given back without asking for its lock',
    wrap: withoutLock((path) => path.endsWith('/worker')),
    scenario: 'share-beside-sharing',
    profile: 'lasting',
  },
  {
    name: 'no-second-name-lock',
    mistake: 'of two who have one name each of a job, both give it up',
    wrap: withoutLock((path) => isJob(path)),
    scenario: 'share-1-beside-sharing',
    isTorn: true,
    profile: 'lasting',
  },
  {
    name: 'no-lane-lock',
    mistake: 'the number of a lane is written without its lock',
    wrap: withoutLock((path) => path.includes('/lanes/')),
    scenario: 'put-beside-putting',
    profile: 'lasting',
  },
  {
    name: 'job-before-number',
    mistake: 'a job of a lane is removed before the number that says it is over',
    wrap: unlinkFirst,
    scenario: 'share-lane',
    profile: 'lasting',
  },
  {
    name: 'end-not-durable',
    mistake: 'the removal of a job that is over is not made durable',
    wrap: withoutSync(({ mode, path }) => mode === 'directory' && /\/(?:jobs|work\/[^/]+)$/.test(path)),
    scenario: 'share-1',
    profile: 'weak',
  },
  {
    name: 'room-not-durable',
    mistake: 'jobs are moved into a directory whose own name is not on the disk',
    wrap: withoutSync(({ mode, path }) => mode === 'directory' && path.endsWith('/work')),
    scenario: 'share-1',
    profile: 'weak',
  },
  {
    name: 'receipt-last',
    mistake: 'the name of a job is noted after the job was published',
    wrap: receiptLast,
    scenario: 'put-named-after-a-killed-one',
    profile: 'lasting',
  },
  {
    name: 'lease-ignored',
    mistake: 'a worker of another host, whose lock is not seen here, is taken for dead at once',
    wrap: leaseIgnored,
  },
];
