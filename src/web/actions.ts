/** What can be done to a job through the dashboard, as data: what a layout cannot do is not offered. */

import { stateOf } from '../queue/job-words.ts';
import type { Operated, Operation } from '../queue/keeper.ts';
import type { Capabilities } from '../queue/layout.ts';
import type { FoundJob } from '../queue/snapshot.ts';

export type JobAction = {
  readonly name: 'retry' | 'hold' | 'release' | 'delete';
  /** On its button. */
  readonly label: string;
  /** What has become of the job, as the end of a sentence. */
  readonly past: string;
  readonly isOffered: (job: FoundJob, capabilities: Capabilities) => boolean;
  /** Undefined where the layout cannot do it. */
  readonly by: (operation: Operation) => ((job: FoundJob) => Promise<Operated>) | undefined;
};

/** In the order of their buttons. */
export const JOB_ACTIONS: readonly JobAction[] = [
  {
    name: 'retry',
    label: 'Run again',
    past: 'waits to be run again',
    isOffered: (job) => ['failed', 'delayed'].includes(stateOf(job)),
    by: (operation) => operation.retry.bind(operation),
  },
  {
    name: 'hold',
    label: 'Hold',
    past: 'is held',
    isOffered: (job, { hold }) => hold.has && job.place === 'waiting' && !job.held,
    by: (operation) => operation.hold?.bind(operation),
  },
  {
    name: 'release',
    label: 'Release',
    past: 'is released',
    isOffered: (job, { hold }) => hold.has && stateOf(job) === 'held',
    by: (operation) => operation.release?.bind(operation),
  },
  {
    name: 'delete',
    label: 'Delete…',
    past: 'is deleted',
    isOffered: (job) => job.place !== 'running',
    by: (operation) => operation.remove.bind(operation),
  },
];

export function jobActionNamed(name: string): JobAction | undefined {
  return JOB_ACTIONS.find((action) => action.name === name);
}

/** Of all that failed, so many at most are run again at once. */
export const MOST_RETRIED = 10_000;
export const USUALLY_RETRIED = 100;
