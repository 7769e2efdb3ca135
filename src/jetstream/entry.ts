/** Queues on NATS JetStream among the layouts. */

import type { Layout } from '../queue/layout.ts';

const yes = (how: string) => ({ has: true, how });
const no = (how: string) => ({ has: false, how });

export const JETSTREAM: Layout = {
  name: 'jetstream',
  title: 'NATS JetStream',
  marks: [],
  scheme: 'nats:',
  capabilities: {
    order: no('jobs without a lane start by priority and age, several at once'),
    lanes: yes('--lane; each job waits for the one before it, also while that is tried again'),
    parallel: yes('each reads the whole log of the queue, and who is first in it has the job'),
    lease: yes('a worker says again and again that it is alive; --lease'),
    priority: yes('0 to 99'),
    delay: yes('by the clock of whoever would start it'),
    expires: yes('it fails then'),
    names: yes('a message keeps the name until gc'),
    params: yes('a worker takes them with --allow-job-params'),
    variables: yes('the command sees FSPL_SET_NAME'),
    retries: yes('in the log, with how each run has ended'),
    hold: yes('in the log'),
    pause: yes('in the log'),
    failed: yes('in the log, until a person retries or removes them'),
    log: yes('in the log, up to 64 KiB of each output'),
    encoded: no('jobs are not files'),
    durable: no('servers confirm what they have not synced; copies on other servers outlive one that dies'),
    original: no('other programs of NATS may look, and must not write'),
  },
  loadQueue: async () => (await import('./jetstream.ts')).openJetStream,
  loadKeeper: async () => (await import('./keeper.ts')).openJetStreamKeeper,
};
