/** The Monitor of a simple-job-q: small cases gone through whole, with a kill or a power cut at any moment. */

import { describe, expect, it } from 'vitest';
import { uow } from '../../sim/layouts/uow.ts';
import { UOW_PLANTS } from '../../sim/planted/uow-plants.ts';
import { type Extent, exhaust } from '../../sim/search/exhaust.ts';
import { newTally } from '../../sim/search/explore.ts';
import { UOW_SCENARIOS } from '../../sim/search/uow-scenarios.ts';

/** The crash states of longer ones are too many for every change. */
const SHORT = new Set(['share-1', 'put-free']);
const short = UOW_SCENARIOS.filter(({ name }) => SHORT.has(name));

const search = (scenario: (typeof UOW_SCENARIOS)[number], extent: Extent, secondCrash = false) => {
  const explorer = { layout: uow, tally: newTally(), goOn: () => true, secondCrash };
  return exhaust(explorer, { ...extent, scenarios: [scenario] });
};

/** With a second actor between any two calls; the others are searched by `npm run sim`. */
const LONG = new Set([
  'share-while-putting',
  'put-while-sharing',
  'share-beside-sharing',
  'share-after-a-killed-one',
]);

describe('a kill at any moment', () => {
  it.each(UOW_SCENARIOS.filter(({ name }) => !LONG.has(name)))(
    'breaks no promise: $name',
    async (scenario) => {
      expect(await search(scenario, { profiles: ['lasting'] })).toBeUndefined();
    },
  );
});

describe('a second kill, in the middle of the recovery from the first', () => {
  it.each(short)('breaks no promise: $name', async (scenario) => {
    expect(await search(scenario, { profiles: ['lasting'] }, true)).toBeUndefined();
  });
});

describe('a power cut at any moment', () => {
  it.each(short)('breaks no promise: $name', async (scenario) => {
    expect(await search(scenario, { profiles: ['ordered', 'weak'] })).toBeUndefined();
  });
});

describe('a call that fails, and a kill at any moment after it', () => {
  it.each(short)('break no promise: $name', async (scenario) => {
    expect(await search(scenario, { profiles: ['lasting'], codes: ['EIO', 'ENOSPC'] })).toBeUndefined();
  });
});

describe('the crash states show', () => {
  it.each(UOW_PLANTS)('$name: $mistake', async ({ wrap, scenario, profile = 'weak' }) => {
    const scenarios = UOW_SCENARIOS.filter(({ name }) => name === scenario);
    expect(scenarios).toHaveLength(1);
    const explorer = { layout: uow, wrap, tally: newTally(), goOn: () => true, secondCrash: false };
    const found = await exhaust(explorer, { scenarios, profiles: [profile] });
    expect(found?.violations[0]).toBeDefined();
  });
});
