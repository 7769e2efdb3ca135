/** The mistakes that workers of a queue of fsq could make: each is found. */

import { describe, expect, it } from 'vitest';
import { fsq } from '../../sim/layouts/fsq.ts';
import { FSQ_PLANTS } from '../../sim/planted/fsq-plants.ts';
import { exhaust } from '../../sim/search/exhaust.ts';
import { newTally } from '../../sim/search/explore.ts';
import { FSQ_SCENARIOS } from '../../sim/search/fsq-scenarios.ts';

describe('the crash states show', () => {
  it.each(FSQ_PLANTS)('$name: $mistake', async ({ wrap, scenario, profile = 'weak' }) => {
    const scenarios = FSQ_SCENARIOS.filter(({ name }) => name === scenario);
    expect(scenarios).toHaveLength(1);
    const explorer = { layout: fsq, wrap, tally: newTally(), goOn: () => true, secondCrash: false };
    const found = await exhaust(explorer, { scenarios, profiles: [profile] });
    expect(found?.violations[0]).toBeDefined();
  });
});
