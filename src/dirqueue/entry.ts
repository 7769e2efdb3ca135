/** Queues of IPC::DirQueue among the layouts. */

import type { Layout } from '../queue/layout.ts';

const yes = (how: string) => ({ has: true, how });
const no = (how: string) => ({ has: false, how });

export const DIRQUEUE: Layout = {
  name: 'dirqueue',
  title: 'IPC::DirQueue',
  marks: [
    ['queue', 'data'],
    ['queue', 'active'],
  ],
  remains: ['active', 'data'],
  capabilities: {
    order: no('jobs have no numbers; they start by priority and age'),
    lanes: no('the original knows none, and would not keep their order'),
    parallel: yes('a lock file in active/ for each job that runs'),
    lease: yes(
      'a worker of ours touches its lock files; those of the original on other hosts are kept for ever',
    ),
    priority: yes('0 to 99, in the name of the file'),
    delay: yes('in intray/later until then, where the original does not look'),
    expires: yes('it fails then; the original does not know it'),
    names: yes('intray/names remembers them until gc; those of dq-submit have none'),
    params: yes('as metadata INTRAY_PARAMS; a worker takes them with --allow-job-params'),
    variables: yes('as metadata; the command sees FSPL_SET_NAME and DQ_META_NAME'),
    retries: yes('counted in intray/starts'),
    hold: yes('in intray/held, where the original does not look'),
    pause: yes('the file intray/paused; the original does not know it'),
    failed: yes('intray/failed'),
    log: yes('intray/log'),
    encoded: no('control files are plain text'),
    durable: yes('file and name are synced'),
    original: yes('dq-server and the Perl module, at the same time as our workers'),
  },
  loadQueue: async () => (await import('./dirqueue.ts')).openDirQueue,
  loadKeeper: async () => (await import('./keeper.ts')).openDirQueueKeeper,
};
