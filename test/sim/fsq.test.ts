/** A queue of fsq: small cases gone through whole, and random runs. `npm run sim` searches further. */

import { describe, expect, it } from 'vitest';
import { fsq } from '../../sim/layouts/fsq.ts';
import { type Extent, exhaust } from '../../sim/search/exhaust.ts';
import { newTally } from '../../sim/search/explore.ts';
import { LOST_REPLIES } from '../../sim/search/faults.ts';
import { FSQ_SCENARIOS } from '../../sim/search/fsq-scenarios.ts';
import { type RandomTally, replayCommand, searchSeeds } from '../../sim/search/random.ts';

/** These show what longer ones would: the crash states of those are too many for every change. */
const SHORT = new Set(['share-1', 'share-2', 'put-free', 'create-and-add']);
const short = FSQ_SCENARIOS.filter(({ name }) => SHORT.has(name));
/** And this one takes longer than all others together. */
const LONG = new Set(['share-after-a-stopped-one']);
const SEEDS = 50;

const search = (scenario: (typeof FSQ_SCENARIOS)[number], extent: Extent) => {
  const explorer = { layout: fsq, tally: newTally(), goOn: () => true, secondCrash: false };
  return exhaust(explorer, { ...extent, scenarios: [scenario] });
};

describe('a kill at any moment', () => {
  it.each(FSQ_SCENARIOS.filter(({ name }) => !LONG.has(name)))(
    'breaks no promise: $name',
    async (scenario) => {
      expect(await search(scenario, { profiles: ['lasting'] })).toBeUndefined();
    },
  );
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

describe.each(FSQ_SCENARIOS.filter(({ name }) => name === 'put-named'))(
  'an item that is added under a name: $name',
  (scenario) => {
    it.each([
      ['after a power cut', { profiles: ['weak', 'ordered'] }],
      ['though a call fails', { profiles: ['lasting'], codes: ['EIO'] }],
      ['though replies get lost', { profiles: ['lasting'], isOverNetwork: true, codes: LOST_REPLIES }],
    ] as const)('is there once %s', async (_, extent) => {
      expect(await search(scenario, extent)).toBeUndefined();
    });
  },
);

it.each(['local', 'nfs'] as const)(`seeds 1 to ${SEEDS} break no promise: %s`, async (network) => {
  const goOn = ({ runs }: RandomTally) => runs < SEEDS;
  const failure = await searchSeeds({ layout: fsq }, 1, goOn, undefined, network);
  expect(failure === undefined ? '' : replayCommand(failure, ' --layout fsq')).toBe('');
});
