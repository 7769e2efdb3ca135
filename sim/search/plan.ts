/** What one random run is made of. A swarm: each seed has some kinds of trouble and not others. */

import type { Profile } from '../machine/disk.ts';
import { chance } from '../machine/random.ts';

/**
 * What connects the hosts. `local`: one disk with one cache. `nfs`: one disk, which each sees through a cache of its own
 * and a network that loses replies. `sync`: a disk each, and a tool that carries job files.
 */
export type Network = 'local' | 'nfs' | 'sync';

export const NETWORKS: readonly Network[] = ['local', 'nfs', 'sync'];

export type Plan = {
  readonly profile: Profile;
  readonly hosts: number;
  readonly adders: number;
  readonly addsEach: number;
  readonly processors: number;
  /** 1: jobs are run by commands; 0: by functions. */
  readonly commands: number;
  /** Jobs that take seconds, ignore TERM, or never end: 0 or 1. */
  readonly longRuns: number;
  /** Of a thousand runs, how many fail. */
  readonly failingRuns: number;
  /** Of a thousand turns, how many kill an adder or a processor. */
  readonly kills: number;
  readonly powerCuts: number;
  /** Of a thousand calls, how many fail. */
  readonly errors: number;
  /** Turns between two power cuts. */
  readonly turns: number;
  readonly network: Network;
  /** `nfs`: no belief of a host about the disk is older than so many milliseconds. */
  readonly staleMs: number;
  /** How far the clocks of two hosts can be apart, in seconds. */
  readonly skew: number;
  /** `nfs`: of a thousand changes of names, how many are done and reported as failed. */
  readonly lostReplies: number;
  /** `nfs`: of a thousand turns, how many cut a host off from the disk. */
  readonly cutOffs: number;
  /** 1: a host that is cut off for long loses its locks to others; 0: it keeps them. */
  readonly losesLocks: number;
  /** `nfs`: on each host somebody looks at the queue now and then: 0 or 1. */
  readonly onlookers: number;
  /** Layouts that are shared: how many jobs each worker runs at once. */
  readonly concurrency: number;
  /** And how many workers there are, in place of `processors`. */
  readonly workers: number;
  /** How long one may be silent, in milliseconds. */
  readonly leaseMs: number;
  /** Workers wait for jobs: 0 or 1. */
  readonly keepsWaiting: number;
  /** The queue is paused now and then: 0 or 1. */
  readonly pauses: number;
  /** Jobs are added many at once: 0 or 1. */
  readonly batches: number;
  /** 1: each host sees its own locks only, as where a network file system keeps none: only leases count. */
  readonly localLocks: number;
  /** `sync`: what was processed is deleted at the sender too: 0 or 1. */
  readonly deletes: number;
};

const ALONE = {
  staleMs: 0,
  skew: 0,
  lostReplies: 0,
  cutOffs: 0,
  losesLocks: 0,
  onlookers: 0,
  deletes: 0,
} as const;

const LONG_LEASE_MS = 1000;

/** How workers that share a queue go about it. */
function sharing(seed: number, network: Network) {
  const { pick } = chance(seed).branch(4);
  return {
    concurrency: pick([1, 1, 2, 3]),
    workers: pick([1, 2, 3, 5, 8]),
    leaseMs: pick([20, 60, 1000]),
    keepsWaiting: pick([0, 1]),
    pauses: pick([0, 0, 1]),
    batches: pick([0, 1]),
    localLocks: network === 'nfs' ? pick([0, 0, 1]) : 0,
  };
}

export function planFor(seed: number, network: Network = 'local'): Plan {
  const { pick } = chance(seed).branch(1);
  const plan: Plan = {
    profile: pick(['weak', 'torn', 'ordered']),
    hosts: pick([1, 1, 2]),
    adders: pick([1, 1, 2, 3]),
    addsEach: pick([1, 2, 4]),
    processors: pick([1, 2, 3]),
    commands: pick([0, 1]),
    longRuns: pick([0, 1]),
    failingRuns: pick([0, 0, 200]),
    kills: pick([0, 2, 10, 30]),
    powerCuts: pick([0, 1, 2, 3]),
    errors: pick([0, 0, 5, 20]),
    turns: pick([50, 200, 600]),
    network: 'local',
    ...ALONE,
    ...sharing(seed, network),
  };
  const more = chance(seed).branch(3);
  if (network === 'nfs') {
    return {
      ...plan,
      network,
      hosts: more.pick([2, 2, 3]),
      staleMs: more.pick([100, 1000, 5000]),
      skew: more.pick([0, 5, 600]),
      lostReplies: more.pick([0, 20, 100]),
      cutOffs: more.pick([0, 5, 20]),
      losesLocks: more.pick([0, 0, 0, 1]),
      onlookers: more.pick([0, 1]),
      // Where only leases count, one that is never cut off is never silent for so long.
      ...(plan.localLocks > 0 ? { leaseMs: LONG_LEASE_MS } : {}),
    };
  }
  if (network === 'sync') {
    const deletes = plan.powerCuts > 0 ? 0 : more.pick([0, 1]);
    return { ...plan, network, hosts: 1, skew: more.pick([0, 600]), deletes };
  }
  return plan;
}

type Amount = Exclude<keyof Plan, 'profile' | 'network' | 'losesLocks' | 'localLocks' | 'leaseMs'>;

/** The least of each that makes sense. */
const LEAST: Record<Amount, number> = {
  hosts: 1,
  adders: 0,
  addsEach: 1,
  processors: 0,
  commands: 0,
  longRuns: 0,
  failingRuns: 0,
  kills: 0,
  powerCuts: 0,
  errors: 0,
  turns: 10,
  staleMs: 0,
  skew: 0,
  lostReplies: 0,
  cutOffs: 0,
  onlookers: 0,
  deletes: 0,
  concurrency: 1,
  workers: 0,
  keepsWaiting: 0,
  pauses: 0,
  batches: 0,
};

/** Plans with a little less of one thing, the boldest cut of each first. */
export function* smallerPlans(plan: Plan): Generator<Plan> {
  for (const [name, least] of Object.entries(LEAST) as [Amount, number][]) {
    const now = plan[name];
    for (const value of new Set([least, now >> 1, now - 1])) {
      if (value >= least && value < now) yield { ...plan, [name]: value };
    }
  }
}

/** As it is written on the command line: what differs from the plan of the seed. */
export function differences(plan: Plan, seed: number): string {
  const original = planFor(seed, plan.network);
  const names = Object.keys(plan) as (keyof Plan)[];
  return names
    .filter((name) => plan[name] !== original[name])
    .map((name) => `${name}=${plan[name]}`)
    .join(',');
}

/** Throws a RangeError for what is not in a plan. */
export function planWith(seed: number, changes: string, network: Network = 'local'): Plan {
  let plan = planFor(seed, network);
  for (const change of changes.split(',').filter((text) => text !== '')) {
    const [name = '', value = ''] = change.split('=');
    if (!(name in plan)) throw new RangeError(`Expected one of ${Object.keys(plan).join(', ')}, got ${name}`);
    plan = { ...plan, [name]: name === 'profile' ? value : Number(value) };
  }
  return plan;
}
