/** The mistakes that workers of a shared queue could make: each is found, and by nothing that it needs not. */

import { describe, expect, it } from 'vitest';
import { home, homeTorn } from '../../sim/layouts/home.ts';
import { HOME_PLANTS } from '../../sim/planted/home-plants.ts';
import { exhaust } from '../../sim/search/exhaust.ts';
import { newTally } from '../../sim/search/explore.ts';
import { HOME_SCENARIOS, TWO_MEET } from '../../sim/search/home-scenarios.ts';
import { searchSeeds } from '../../sim/search/random.ts';

const small = HOME_PLANTS.filter(({ scenario }) => scenario !== undefined);
const others = HOME_PLANTS.filter(({ scenario }) => scenario === undefined);
const RUNS_LIMIT = 300;

describe('the crash states show', () => {
  it.each(small)('$name: $mistake', async ({ wrap, scenario, isTorn, profile = 'weak' }) => {
    const scenarios = [...HOME_SCENARIOS, TWO_MEET].filter(({ name }) => name === scenario);
    expect(scenarios).toHaveLength(1);
    const layout = isTorn ? homeTorn : home;
    const explorer = { layout, wrap, tally: newTally(), goOn: () => true, secondCrash: false };
    const found = await exhaust(explorer, { scenarios, profiles: [profile] });
    expect(found?.violations[0]).toBeDefined();
  });
});

describe('random runs over the network show', () => {
  it.each(others)('$name: $mistake', async ({ wrap }) => {
    const few = ({ runs }: { readonly runs: number }) => runs < RUNS_LIMIT;
    const failure = await searchSeeds({ layout: home, wrap }, 1, few, undefined, 'nfs');
    expect(failure?.outcome.violations[0]).toBeDefined();
  });
});
