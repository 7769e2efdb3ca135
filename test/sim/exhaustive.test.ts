/** Every crash state of the small cases. `npm run sim` searches further. */

import { describe, expect, it } from 'vitest';
import { spool } from '../../sim/layouts/spool.ts';
import { exhaust, FAULT_CODES } from '../../sim/search/exhaust.ts';
import { newTally } from '../../sim/search/explore.ts';
import { SCENARIOS } from '../../sim/search/scenarios.ts';

const goOn = () => true;

describe.each(['weak', 'ordered'] as const)('a power cut at any moment, on a disk that is %s', (profile) => {
  it.each(SCENARIOS)('breaks no promise: $name', async (scenario) => {
    const tally = newTally();
    const extent = { scenarios: [scenario], profiles: [profile] };
    const found = await exhaust({ layout: spool, tally, goOn, secondCrash: true }, extent);
    expect(found).toBeUndefined();
    expect(tally.recoveries).toBeGreaterThan(50);
    expect(tally.cut, 'moments whose states were not all tried').toBe(0);
  });
});

describe('a call that fails, and a power cut at any moment after it', () => {
  const alone = SCENARIOS.filter(({ between }) => between === undefined);
  it.each(alone)('break no promise: $name', async (scenario) => {
    const tally = newTally();
    const extent = { scenarios: [scenario], profiles: ['weak'] as const, codes: FAULT_CODES };
    expect(await exhaust({ layout: spool, tally, goOn, secondCrash: false }, extent)).toBeUndefined();
    expect(tally.cases).toBeGreaterThan(100);
  });
});
