/** Roots of a simple-job-q among the layouts. */

import type { Layout } from '../queue/layout.ts';

const yes = (how: string) => ({ has: true, how });
const no = (how: string) => ({ has: false, how });

export const UOW: Layout = {
  name: 'uow',
  title: 'simple-job-q',
  marks: [['wait-q', 'currently-executing']],
  worked: 'never',
  capabilities: {
    order: no('they have no numbers; they run one at a time, by timestamp'),
    lanes: no('there is one line, and one beside it that goes first'),
    parallel: no('one Monitor works a root; it runs several at once if its config says so'),
    lease: no('a Monitor that dies leaves its lock, which is all that tells'),
    priority: yes('below 50 they go into priority-q, others into wait-q'),
    delay: no('there is no place for what must not start yet'),
    expires: no('a unit of work has no end but its own'),
    names: yes('the name of the file, as long as it lies in any queue'),
    params: no('a unit of work has named items; its job type says which are arguments'),
    variables: yes('as items; the command sees UOW_NAME'),
    retries: no('only a person puts back what has failed'),
    hold: no('take it out of wait-q, and put it back'),
    pause: yes('the file paused'),
    failed: yes('error-q and fail-q'),
    log: yes('in the file of the unit'),
    encoded: no('units of work are plain text'),
    durable: yes('file and name are synced'),
    original: no('it was never finished; people with ls, cat and mv may'),
  },
  loadQueue: async () => (await import('./queue.ts')).openUowQueue,
  loadKeeper: async () => (await import('./keeper.ts')).openUowKeeper,
};
