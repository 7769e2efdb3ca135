/** Workers that share a queue: small cases gone through whole, and random runs. `npm run sim` searches further. */

import { describe, expect, it } from 'vitest';
import { home } from '../../sim/layouts/home.ts';
import { type Extent, exhaust } from '../../sim/search/exhaust.ts';
import { newTally } from '../../sim/search/explore.ts';
import { LOST_REPLIES } from '../../sim/search/faults.ts';
import { HOME_SCENARIOS } from '../../sim/search/home-scenarios.ts';
import { type RandomTally, replayCommand, searchSeeds } from '../../sim/search/random.ts';

/** These show what longer ones would: the crash states of those are too many for every change. */
const SHORT = new Set([
  'share-1',
  'share-2',
  'share-lane',
  'put-free',
  'put-in-lane',
  'put-named',
  'put-all',
]);
const short = HOME_SCENARIOS.filter(({ name }) => SHORT.has(name));
const SEEDS = 100;

const search = (scenario: (typeof HOME_SCENARIOS)[number], extent: Extent) => {
  const explorer = { layout: home, tally: newTally(), goOn: () => true, secondCrash: false };
  return exhaust(explorer, { ...extent, scenarios: [scenario] });
};

describe('a kill at any moment', () => {
  it.each(HOME_SCENARIOS)('breaks no promise: $name', async (scenario) => {
    expect(await search(scenario, { profiles: ['lasting'] })).toBeUndefined();
  });
});

describe('a power cut at any moment', () => {
  it.each(short)('breaks no promise: $name', async (scenario) => {
    expect(await search(scenario, { profiles: ['weak', 'ordered'] })).toBeUndefined();
  });
});

describe('a call that fails, and a kill at any moment after it', () => {
  it.each(short)('break no promise: $name', async (scenario) => {
    expect(await search(scenario, { profiles: ['lasting'], codes: ['EIO', 'ENOSPC'] })).toBeUndefined();
  });
});

describe('hosts with old beliefs, a reply that gets lost, and a kill after it', () => {
  it.each(short)('break no promise: $name', async (scenario) => {
    const extent = { profiles: ['lasting'] as const, isOverNetwork: true, codes: LOST_REPLIES };
    expect(await search(scenario, extent)).toBeUndefined();
  });
});

it.each(['local', 'nfs'] as const)(`seeds 1 to ${SEEDS} break no promise: %s`, async (network) => {
  const goOn = ({ runs }: RandomTally) => runs < SEEDS;
  const failure = await searchSeeds({ layout: home }, 1, goOn, undefined, network);
  expect(failure === undefined ? '' : replayCommand(failure, ' --layout home')).toBe('');
});
