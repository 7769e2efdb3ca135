/** What the simulator has found: each case by its name, for ever. */

import { describe, expect, it } from 'vitest';
import { spool } from '../../sim/layouts/spool.ts';
import { caseNamed } from '../../sim/search/cases.ts';
import { exploreCase, newTally } from '../../sim/search/explore.ts';
import { planWith } from '../../sim/search/plan.ts';
import { randomRun } from '../../sim/search/random-run.ts';

const CASES = [
  {
    was: 'a number that was not durable was relied on, and a job ran again after its successor',
    cases: ['process-after-a-killed-one/weak/between=29', 'process-after-a-killed-one/weak/between=30'],
  },
  {
    was: 'a job of another sender could not be read, and its number was given out again',
    cases: ['add-behind-another-sender/weak/fault=10:EIO', 'add-behind-another-sender/weak/fault=8:EMFILE'],
  },
] as const;

describe.each(CASES)('$was', ({ cases }) => {
  it.each(cases)('%s', async (name) => {
    const explorer = { layout: spool, tally: newTally(), goOn: () => true, secondCrash: true };
    expect((await exploreCase(explorer, caseNamed(name))).found).toBeUndefined();
  });
});

const SEEDS = [
  {
    was: 'an fsync of the number failed, and the next worker relied on it',
    seed: 40,
    plan: 'failingRuns=0,kills=8,powerCuts=2,turns=591',
  },
];

describe.each(SEEDS)('$was', ({ seed, plan }) => {
  it(`seed ${seed}`, async () => {
    const run = { layout: spool, seed, plan: planWith(seed, plan) };
    expect((await randomRun(run)).violations).toEqual([]);
  });
});
