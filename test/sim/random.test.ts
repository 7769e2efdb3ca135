/** Random runs: the same for the same seed, and none that breaks a promise. */

import { expect, it } from 'vitest';
import { spool } from '../../sim/layouts/spool.ts';
import { PLANTS } from '../../sim/planted/plants.ts';
import { differences, NETWORKS, planFor, planWith } from '../../sim/search/plan.ts';
import { type RandomTally, replayCommand, searchSeeds, shrink } from '../../sim/search/random.ts';
import { randomRun } from '../../sim/search/random-run.ts';

const SEEDS = 150;

it.each(NETWORKS)(`seeds 1 to ${SEEDS} break no promise: %s`, async (network) => {
  const goOn = ({ runs }: RandomTally) => runs < SEEDS;
  const failure = await searchSeeds({ layout: spool }, 1, goOn, undefined, network);
  expect(failure === undefined ? '' : replayCommand(failure)).toBe('');
});

it.each(NETWORKS)('a seed goes the same way each time: %s', async (network) => {
  const run = { layout: spool, seed: 7, plan: planFor(7, network) };
  expect(await randomRun(run)).toEqual(await randomRun(run));
});

it('shrinks a failure, and the command it prints leads there again', async () => {
  const wrap = PLANTS.find(({ name }) => name === 'no-directory-sync')?.wrap;
  const options = { layout: spool, ...(wrap === undefined ? {} : { wrap }) };
  const failure = await searchSeeds(options, 1, ({ runs }) => runs < 200);
  if (failure === undefined) throw new Error('nothing found to shrink');
  const { seed, plan, outcome } = await shrink(options, failure);
  const again = await randomRun({ ...options, seed, plan: planWith(seed, differences(plan, seed)) });
  expect(again).toEqual(outcome);
  expect(again.violations).not.toEqual([]);
  expect(plan.processors).toBeLessThanOrEqual(failure.plan.processors);
});
