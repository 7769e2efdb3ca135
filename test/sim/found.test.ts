/** What the simulator has found: the scenario that showed it, gone through whole, since calls change their places. */

import { describe, expect, it } from 'vitest';
import { spool } from '../../sim/layouts/spool.ts';
import { exhaust } from '../../sim/search/exhaust.ts';
import { newTally } from '../../sim/search/explore.ts';
import { SCENARIOS } from '../../sim/search/scenarios.ts';

const FOUND = [
  {
    was: 'a number that was not durable was relied on, and a job ran again after its successor',
    scenario: 'process-after-a-killed-one',
    codes: [],
  },
  {
    was: 'a job of another sender could not be read, and its number was given out again',
    scenario: 'add-behind-another-sender',
    codes: ['EIO', 'EMFILE'],
  },
] as const;

describe.each(FOUND)('$was', ({ scenario, codes }) => {
  it(scenario, async () => {
    const scenarios = SCENARIOS.filter(({ name }) => name === scenario);
    expect(scenarios).toHaveLength(1);
    const explorer = { layout: spool, tally: newTally(), goOn: () => true, secondCrash: false };
    expect(await exhaust(explorer, { scenarios, profiles: ['weak'], codes })).toBeUndefined();
  });
});
