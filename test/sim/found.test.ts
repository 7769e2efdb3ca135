/** What the simulator has found: the scenario that showed it, gone through whole, since calls change their places. */

import { describe, expect, it } from 'vitest';
import type { Layout } from '../../sim/layouts/layout.ts';
import { spool, spoolWith } from '../../sim/layouts/spool.ts';
import { type Extent, exhaust } from '../../sim/search/exhaust.ts';
import { newTally } from '../../sim/search/explore.ts';
import { LOST_REPLIES } from '../../sim/search/faults.ts';
import { SCENARIOS } from '../../sim/search/scenarios.ts';

type Finding = { readonly was: string; readonly scenario: string; readonly layout?: Layout } & Extent;

const FOUND: readonly Finding[] = [
  {
    was: 'a number that was not durable was relied on, and a job ran again after its successor',
    scenario: 'process-after-a-killed-one',
  },
  {
    was: 'the same by creation time: a removal that was not durable',
    scenario: 'process-after-a-killed-one',
    layout: spoolWith('spool-by-creation', { order: 'creation' }),
  },
  {
    was: 'a job of another sender could not be read, and its number was given out again',
    scenario: 'add-behind-another-sender',
    codes: ['EIO', 'EMFILE'],
  },
  {
    was: 'a creation that was broken off left a queue that took jobs and never ran them',
    scenario: 'create-and-add',
  },
  {
    was: 'over NFS a rename was done and reported as failed: two jobs got its number, and the queue stood still',
    scenario: 'add-2',
    isOverNetwork: true,
    codes: LOST_REPLIES,
  },
  {
    was: 'over NFS a host believed that there was no number yet, and gave the first one out again',
    scenario: 'add-while-adding',
    isOverNetwork: true,
    profiles: ['lasting'],
  },
];

describe.each(FOUND)('$was', ({ scenario, layout = spool, was: _was, ...extent }) => {
  it(scenario, async () => {
    const scenarios = SCENARIOS.filter(({ name }) => name === scenario);
    expect(scenarios).toHaveLength(1);
    const explorer = { layout, tally: newTally(), goOn: () => true, secondCrash: false };
    expect(await exhaust(explorer, { profiles: ['weak'], ...extent, scenarios })).toBeUndefined();
  });
});
