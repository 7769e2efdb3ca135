/** The small cases of a queue directory of IPC::DirQueue: those of a shared queue. */

import { HOME_SCENARIOS } from './home-scenarios.ts';
import { processing, type Scenario } from './scenarios.ts';

export const DIRQUEUE_SCENARIOS: readonly Scenario[] = [
  { name: 'share-1-beside-sharing', jobsBefore: ['1'], main: processing, between: processing },
  ...HOME_SCENARIOS,
];
