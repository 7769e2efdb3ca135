/** Workers that share a queue: small cases gone through whole, and random runs. `npm run sim` searches further. */

import { describe, expect, it } from 'vitest';
import { HOME_VARIANTS, home, homeOnce, homeTorn } from '../../sim/layouts/home.ts';
import { type Extent, exhaust } from '../../sim/search/exhaust.ts';
import { newTally } from '../../sim/search/explore.ts';
import { LOST_REPLIES } from '../../sim/search/faults.ts';
import { FREE_SCENARIOS, HOME_SCENARIOS, TWO_MEET } from '../../sim/search/home-scenarios.ts';
import { type RandomTally, replayCommand, searchSeeds } from '../../sim/search/random.ts';

/** These show what longer ones would: the crash states of those are too many for every change. */
const SHORT = new Set([
  'share-1',
  'share-2',
  'share-lane',
  'share-later',
  'share-expired',
  'put-free',
  'put-in-lane',
  'put-named',
  'put-all',
]);
const short = HOME_SCENARIOS.filter(({ name }) => SHORT.has(name));
const SEEDS = 100;

const search = (scenario: (typeof HOME_SCENARIOS)[number], extent: Extent, layout = home) => {
  const explorer = { layout, tally: newTally(), goOn: () => true, secondCrash: false };
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

describe('a power cut on a disk that tears renames between directories', () => {
  const those = short.filter(({ name }) =>
    ['share-1', 'share-2', 'share-expired', 'put-free'].includes(name),
  );
  it.each(those)('breaks no promise: $name', async (scenario) => {
    expect(await search(scenario, { profiles: ['torn'] })).toBeUndefined();
  });
});

describe('jobs under two names, and a kill at any moment', () => {
  const those = HOME_SCENARIOS.filter(({ name }) => ['share-2', 'share-again', 'share-lane'].includes(name));
  it.each([...those, TWO_MEET])('break no promise: $name', async (scenario) => {
    expect(await search(scenario, { profiles: ['lasting'] }, homeTorn)).toBeUndefined();
  });
});

describe.each(HOME_VARIANTS)('a kill at any moment, with $name', (layout) => {
  const failing = HOME_SCENARIOS.filter(({ name }) => /failing|again/.test(name));
  it.each(failing)('breaks no promise: $name', async (scenario) => {
    expect(await search(scenario, { profiles: ['lasting'] }, layout)).toBeUndefined();
  });
});

describe('a job that is not started again when its worker was killed', () => {
  it.each(FREE_SCENARIOS)('is put away, and breaks no promise: $name', async (scenario) => {
    expect(await search(scenario, { profiles: ['lasting', 'ordered'] }, homeOnce)).toBeUndefined();
  });
});

describe('a second cut, in the middle of the recovery from the first', () => {
  const shortest = HOME_SCENARIOS.filter(({ name }) => ['share-1', 'put-free', 'put-named'].includes(name));
  it.each(shortest)('breaks no promise: $name', async (scenario) => {
    const explorer = { layout: home, tally: newTally(), goOn: () => true, secondCrash: true };
    expect(await exhaust(explorer, { profiles: ['ordered'], scenarios: [scenario] })).toBeUndefined();
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
