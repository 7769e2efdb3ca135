/** The mistakes that workers of a queue of IPC::DirQueue could make: each is found. */

import { expect, it } from 'vitest';
import { dirqueue } from '../../sim/layouts/dirqueue.ts';
import { DIRQUEUE_PLANTS } from '../../sim/planted/dirqueue-plants.ts';
import { DIRQUEUE_SCENARIOS } from '../../sim/search/dirqueue-scenarios.ts';
import { exhaust } from '../../sim/search/exhaust.ts';
import { newTally } from '../../sim/search/explore.ts';

it.each(DIRQUEUE_PLANTS)('$name: $mistake', async ({ wrap, scenario, profile = 'weak' }) => {
  const scenarios = DIRQUEUE_SCENARIOS.filter(({ name }) => name === scenario);
  expect(scenarios).toHaveLength(1);
  const explorer = { layout: dirqueue, wrap, tally: newTally(), goOn: () => true, secondCrash: false };
  const found = await exhaust(explorer, { scenarios, profiles: [profile] });
  expect(found?.violations[0]).toBeDefined();
});
