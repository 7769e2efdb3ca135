/** A search that finds nothing proves nothing unless it finds what was put there. */

import { describe, expect, it } from 'vitest';
import { spool } from '../../sim/layouts/spool.ts';
import type { Wrap } from '../../sim/machine/machine.ts';
import { PLANTS } from '../../sim/planted/plants.ts';
import { exhaust } from '../../sim/search/exhaust.ts';
import { newTally } from '../../sim/search/explore.ts';
import { LOST_REPLIES } from '../../sim/search/faults.ts';
import { searchSeeds } from '../../sim/search/random.ts';
import { SCENARIOS } from '../../sim/search/scenarios.ts';

/** At most so much is searched for each. */
const STATES_LIMIT = 100_000;
const RUNS_LIMIT = 200;

/** The mistakes in working a queue show in these at once; the others are for the rest. */
const SHORT = SCENARIOS.filter(({ name }) => ['add-1', 'process-while-processing'].includes(name));

const byCrashes = PLANTS.filter(({ search }) => search === 'exhaustive' || search === 'faults');
const byNetwork = PLANTS.filter(({ search }) => search === 'nfs');
const bySyncTool = PLANTS.filter(({ search }) => search === 'sync');
const local = PLANTS.filter(({ search }) => search !== 'nfs' && search !== 'sync');

describe('the crash states show', () => {
  it.each(byCrashes)('$name: $mistake', async ({ wrap, search }) => {
    const tally = newTally();
    const goOn = () => tally.states < STATES_LIMIT;
    const codes = search === 'faults' ? ['EIO'] : [];
    const explorer = { layout: spool, wrap, tally, goOn, secondCrash: search === 'exhaustive' };
    const found = await exhaust(explorer, { scenarios: SHORT, profiles: ['weak'], codes });
    expect(found?.violations[0]).toBeDefined();
  });
});

describe('only old beliefs and lost replies show', () => {
  const scenarios = SCENARIOS.filter(({ name }) => ['add-2', 'add-while-adding'].includes(name));
  const explorer = { layout: spool, goOn: () => true, secondCrash: false };
  const profiles = ['lasting'] as const;
  it.each(byNetwork)('$name: $mistake', async ({ wrap }) => {
    const extent = { scenarios, profiles, codes: LOST_REPLIES };
    const alone = await exhaust({ ...explorer, wrap, tally: newTally() }, { scenarios, profiles });
    expect(alone).toBeUndefined();
    const found = await exhaust({ ...explorer, wrap, tally: newTally() }, { ...extent, isOverNetwork: true });
    expect(found?.violations[0]).toBeDefined();
  });
});

describe('only a sync tool shows', () => {
  const search = (wrap: Wrap, network: 'local' | 'sync') =>
    searchSeeds({ layout: spool, wrap }, 1, ({ runs }) => runs < 50, undefined, network);
  it.each(bySyncTool)('$name: $mistake', async ({ wrap }) => {
    expect(await search(wrap, 'local')).toBeUndefined();
    expect((await search(wrap, 'sync'))?.outcome.violations[0]).toBeDefined();
  });
});

describe('random runs show', () => {
  it.each(local)('$name: $mistake', async ({ wrap }) => {
    const failure = await searchSeeds({ layout: spool, wrap }, 1, ({ runs }) => runs < RUNS_LIMIT);
    expect(failure?.outcome.violations[0]).toBeDefined();
  });
});
