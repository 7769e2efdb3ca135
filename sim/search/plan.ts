/** What one random run is made of. A swarm: each seed has some kinds of trouble and not others. */

import type { Profile } from '../machine/disk.ts';
import { chance } from '../machine/random.ts';

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
};

export function planFor(seed: number): Plan {
  const { pick } = chance(seed).branch(1);
  return {
    profile: pick(['weak', 'weak', 'ordered']),
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
  };
}

type Amount = Exclude<keyof Plan, 'profile'>;

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
  const original = planFor(seed);
  const names = Object.keys(plan) as (keyof Plan)[];
  return names
    .filter((name) => plan[name] !== original[name])
    .map((name) => `${name}=${plan[name]}`)
    .join(',');
}

/** Throws a RangeError for what is not in a plan. */
export function planWith(seed: number, changes: string): Plan {
  let plan = planFor(seed);
  for (const change of changes.split(',').filter((text) => text !== '')) {
    const [name = '', value = ''] = change.split('=');
    if (!(name in plan)) throw new RangeError(`Expected one of ${Object.keys(plan).join(', ')}, got ${name}`);
    plan = { ...plan, [name]: name === 'profile' ? value : Number(value) };
  }
  return plan;
}
