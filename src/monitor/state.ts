/** What the parts of a Monitor share. */

import type { Machine } from '../os/ports.ts';
import type { Root } from '../uow/root.ts';
import type { Survey } from '../uow/survey.ts';
import type { ConfigKeeper } from './config-keeper.ts';
import type { Jobs } from './jobs.ts';
import type { Says } from './says.ts';

export type MonitorState = {
  readonly machine: Machine;
  readonly root: Root;
  readonly says: Says;
  readonly config: ConfigKeeper;
  readonly jobs: Jobs;
  /** Of this turn, or the one before. */
  survey: Survey | undefined;
  /** No more jobs are started, and when none runs all is over. */
  isFinishing: boolean;
};
