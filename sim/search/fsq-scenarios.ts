/** The small cases of a queue of fsq: those of shared queues that need no lanes, and making it. */

import { HOME_SCENARIOS } from './home-scenarios.ts';
import { SCENARIOS } from './scenarios.ts';

const OF_SHARED_QUEUES = new Set([
  'share-1',
  'share-2',
  'share-again',
  'share-failing',
  'put-free',
  'put-named',
  'put-named-after-a-killed-one',
  'put-named-beside-putting',
  'put-all',
  'put-then-share',
  'share-while-putting',
  'put-while-sharing',
  'put-beside-putting',
  'share-beside-sharing',
  'share-after-a-killed-one',
  'share-after-a-stopped-one',
]);
const OF_ALL = new Set(['create', 'create-and-add', 'add-crash-safe']);

export const FSQ_SCENARIOS = [
  ...HOME_SCENARIOS.filter(({ name }) => OF_SHARED_QUEUES.has(name)),
  ...SCENARIOS.filter(({ name }) => OF_ALL.has(name)),
];
