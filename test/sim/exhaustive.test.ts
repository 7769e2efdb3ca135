/** Every crash state of the small cases. `npm run sim` searches further. */

import { describe, expect, it } from 'vitest';
import { SPOOL_VARIANTS, spool } from '../../sim/layouts/spool.ts';
import { exhaust } from '../../sim/search/exhaust.ts';
import { newTally } from '../../sim/search/explore.ts';
import { FAULT_CODES, LOST_REPLIES } from '../../sim/search/faults.ts';
import { SCENARIOS } from '../../sim/search/scenarios.ts';

/** The other errnos differ in nothing that the engine looks at; `npm run sim` has them all. */
const CODES = FAULT_CODES.filter((code) => ['EIO', 'EACCES'].includes(code));

const goOn = () => true;
const withPower = SCENARIOS.filter(({ killsOnly }) => !killsOnly);
/** The longest of a kind show here what the shorter ones show; `npm run sim` has all of them. */
const alone = withPower.filter(
  ({ name, between }) => between === undefined && name !== 'add-3' && name !== 'add-bytes',
);
const working = withPower.filter(({ name }) => name.includes('process'));

describe.each([
  { profile: 'weak', scenarios: withPower },
  { profile: 'ordered', scenarios: alone },
] as const)('a power cut at any moment, on a disk that is $profile', ({ profile, scenarios }) => {
  it.each(scenarios)('breaks no promise: $name', async (scenario) => {
    const tally = newTally();
    const extent = { scenarios: [scenario], profiles: [profile] };
    // More second cuts are for `npm run sim`: there are too many.
    const secondCrash = ['add-1', 'process-2', 'create'].includes(scenario.name);
    expect(await exhaust({ layout: spool, tally, goOn, secondCrash }, extent)).toBeUndefined();
    expect(tally.recoveries).toBeGreaterThan(5);
    expect(tally.cut, 'moments whose states were not all tried').toBe(0);
  });
});

describe('a kill at any moment', () => {
  it.each(SCENARIOS)('breaks no promise: $name', async (scenario) => {
    const explorer = { layout: spool, tally: newTally(), goOn, secondCrash: true };
    expect(await exhaust(explorer, { scenarios: [scenario], profiles: ['lasting'] })).toBeUndefined();
  });
});

describe('a call that fails, and a power cut at any moment after it', () => {
  it.each(alone)('break no promise: $name', async (scenario) => {
    const tally = newTally();
    const extent = { scenarios: [scenario], profiles: ['weak'] as const, codes: CODES };
    expect(await exhaust({ layout: spool, tally, goOn, secondCrash: false }, extent)).toBeUndefined();
    expect(tally.cases).toBeGreaterThan(30);
  });
});

describe('hosts with old beliefs, a reply that gets lost, and a kill after it', () => {
  it.each(SCENARIOS)('break no promise: $name', async (scenario) => {
    const explorer = { layout: spool, tally: newTally(), goOn, secondCrash: false };
    const extent = {
      scenarios: [scenario],
      profiles: ['lasting'] as const,
      isOverNetwork: true,
      codes: LOST_REPLIES,
    };
    expect(await exhaust(explorer, extent)).toBeUndefined();
  });
});

describe.each(SPOOL_VARIANTS)('a power cut at any moment, with $name', (layout) => {
  it.each(working)('breaks no promise: $name', async (scenario) => {
    const explorer = { layout, tally: newTally(), goOn, secondCrash: false };
    expect(await exhaust(explorer, { scenarios: [scenario], profiles: ['weak'] })).toBeUndefined();
  });
});
