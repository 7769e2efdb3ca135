/** Workers that share a queue directory of IPC::DirQueue: small cases gone through whole, and random runs. */

import { describe, expect, it } from 'vitest';
import { DIRQUEUE_VARIANTS, dirqueue, dirqueueStale } from '../../sim/layouts/dirqueue.ts';
import { DIRQUEUE_SCENARIOS } from '../../sim/search/dirqueue-scenarios.ts';
import { type Extent, exhaust } from '../../sim/search/exhaust.ts';
import { newTally } from '../../sim/search/explore.ts';
import { LOST_REPLIES } from '../../sim/search/faults.ts';
import { type RandomTally, replayCommand, searchSeeds } from '../../sim/search/random.ts';

/** These show what longer ones would: the crash states of those are too many for every change. */
const SHORT = new Set(['share-1', 'share-2', 'put-free']);
const BESIDE = new Set([
  'share-1-beside-sharing',
  'share-again',
  'share-after-a-killed-one',
  'share-lane-after-a-stopped-one',
]);
const NAMED = new Set(['put-named', 'put-named-after-a-killed-one', 'put-named-beside-putting']);
const short = DIRQUEUE_SCENARIOS.filter(({ name }) => SHORT.has(name));
const some = DIRQUEUE_SCENARIOS.filter(({ name }) => SHORT.has(name) || BESIDE.has(name));
const named = DIRQUEUE_SCENARIOS.filter(({ name }) => NAMED.has(name));
const SEEDS = 60;

const search = (scenario: (typeof DIRQUEUE_SCENARIOS)[number], extent: Extent, layout = dirqueue) => {
  const explorer = { layout, tally: newTally(), goOn: () => true, secondCrash: false };
  return exhaust(explorer, { ...extent, scenarios: [scenario] });
};

describe('a kill at any moment', () => {
  it.each(some)('breaks no promise: $name', async (scenario) => {
    expect(await search(scenario, { profiles: ['lasting'] })).toBeUndefined();
  });
});

describe('a power cut at any moment', () => {
  it.each(short)('breaks no promise: $name', async (scenario) => {
    expect(await search(scenario, { profiles: ['weak', 'ordered'] })).toBeUndefined();
  });
});

describe('a job that is added under a name', () => {
  it.each(named)('is there once, whoever is killed: $name', async (scenario) => {
    expect(await search(scenario, { profiles: ['lasting'], codes: ['EIO'] })).toBeUndefined();
  });

  it.each(named.slice(0, 1))('is there once after a power cut: $name', async (scenario) => {
    expect(await search(scenario, { profiles: ['ordered', 'weak'] })).toBeUndefined();
  });

  it.each(named.slice(0, 1))('is there once, though replies get lost: $name', async (scenario) => {
    const extent = { profiles: ['lasting'] as const, isOverNetwork: true, codes: LOST_REPLIES };
    expect(await search(scenario, extent)).toBeUndefined();
  });
});

describe.each(DIRQUEUE_VARIANTS)('a kill and a power cut, $name', (layout) => {
  it.each(short)('break no promise: $name', async (scenario) => {
    expect(await search(scenario, { profiles: ['lasting', 'ordered'] }, layout)).toBeUndefined();
  });
});

describe('jobs whose worker of the original is dead, taken by one of two workers', () => {
  const two = new Set(['share-1-beside-sharing', 'share-after-a-killed-one']);
  it.each(DIRQUEUE_SCENARIOS.filter(({ name }) => two.has(name)))('$name', async (scenario) => {
    expect(await search(scenario, { profiles: ['lasting'] }, dirqueueStale)).toBeUndefined();
  });
});

describe('a call that fails, and a kill at any moment after it', () => {
  it.each(short)('break no promise: $name', async (scenario) => {
    expect(await search(scenario, { profiles: ['lasting'], codes: ['EIO'] })).toBeUndefined();
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
  const failure = await searchSeeds({ layout: dirqueue }, 1, goOn, undefined, network);
  expect(failure === undefined ? '' : replayCommand(failure, ' --layout dirqueue')).toBe('');
});
