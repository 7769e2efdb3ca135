/** The small cases of a queue directory of IPC::DirQueue: those of a shared queue. */

import { HOME_SCENARIOS, TWO_MEET } from './home-scenarios.ts';
import type { Scenario } from './scenarios.ts';

export const DIRQUEUE_SCENARIOS: readonly Scenario[] = [TWO_MEET, ...HOME_SCENARIOS];
