/** Random runs, one seed after the other, and what is left of a failing one after shrinking. */

import type { Layout } from '../layouts/layout.ts';
import type { Wrap } from '../machine/machine.ts';
import { differences, type Network, type Plan, planFor, smallerPlans } from './plan.ts';
import { type Outcome, randomRun } from './random-run.ts';

export type Failure = { readonly seed: number; readonly plan: Plan; readonly outcome: Outcome };

export type RandomTally = { runs: number; steps: number };

/** The first seed whose run breaks a promise, or undefined. */
export async function searchSeeds(
  options: { readonly layout: Layout; readonly wrap?: Wrap },
  firstSeed: number,
  goOn: (tally: RandomTally) => boolean,
  tally: RandomTally = { runs: 0, steps: 0 },
  network: Network = 'local',
): Promise<Failure | undefined> {
  for (let seed = firstSeed; goOn(tally); seed++) {
    const plan = planFor(seed, network);
    const outcome = await randomRun({ ...options, seed, plan });
    tally.runs += 1;
    tally.steps += outcome.steps;
    if (outcome.violations.length > 0) return { seed, plan, outcome };
  }
  return undefined;
}

/** More tries than this are not made. */
const TRIES = 200;

/** Takes away what is not needed for the failure, one thing after the other, until nothing can go. */
export async function shrink(
  options: { readonly layout: Layout; readonly wrap?: Wrap },
  failure: Failure,
): Promise<Failure> {
  let smallest = failure;
  let tries = 0;
  for (let found = true; found && tries < TRIES; ) {
    found = false;
    for (const plan of smallerPlans(smallest.plan)) {
      tries += 1;
      const outcome = await randomRun({ ...options, seed: failure.seed, plan });
      if (outcome.violations.length === 0) continue;
      smallest = { ...smallest, plan, outcome };
      found = true;
      break;
    }
  }
  return smallest;
}

export function replayCommand({ seed, plan }: Failure, extra = ''): string {
  const changes = differences(plan, seed);
  const network = plan.network === 'local' ? '' : ` --network ${plan.network}`;
  return `bun sim/run.ts --seed ${seed}${network}${changes === '' ? '' : ` --plan ${changes}`}${extra}`;
}
