/** The small cases of a simple-job-q: those of shared queues that need neither lanes nor terms, nor that a second one works it. */

import { HOME_SCENARIOS } from './home-scenarios.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';

const OF_SHARED_QUEUES = new Set([
  'share-1',
  'share-2',
  'put-free',
  'put-then-share',
  'share-while-putting',
  'put-while-sharing',
  'put-beside-putting',
  'share-beside-sharing',
  'share-after-a-killed-one',
]);

export const UOW_SCENARIOS: readonly Scenario[] = [
  ...HOME_SCENARIOS.filter(({ name }) => OF_SHARED_QUEUES.has(name)),
  ...SCENARIOS.filter(({ name }) => name === 'add-crash-safe'),
];
