/** Filespooler queues among the layouts. */

import type { Layout } from '../queue/layout.ts';

const yes = (how: string) => ({ has: true, how });

export const FILESPOOLER: Layout = {
  name: 'filespooler',
  title: 'Filespooler',
  marks: [['jobs']],
  remains: ['nextseq', 'nextseq.lock'],
  worked: ['nextseq.lock'],
  capabilities: {
    order: yes('if made with --ordered, or by fspl'),
    lanes: yes('--lane; a sender with fspl names it in FSPL_SET_INTRAY_LANE'),
    parallel: yes('each has a room in work/; fspl works it alone'),
    lease: yes('a worker touches a file of its own; --lease'),
    priority: yes('0 to 99, in the name of the file'),
    delay: yes('in the name of the file'),
    expires: yes('it fails then'),
    names: yes('receipts/ remembers them until gc'),
    params: yes('in the packet; a worker takes them with --allow-job-params'),
    variables: yes('in the packet; the command sees FSPL_SET_NAME'),
    retries: yes('in the name of the file'),
    hold: yes('in the name of the file; not where there are no rooms'),
    pause: yes('the file paused; fspl does not know it'),
    failed: yes('failed/'),
    log: yes('log/'),
    encoded: yes('--decoder'),
    durable: yes('file and name are synced'),
    original: yes('fspl, one after the other with our workers'),
  },
  loadQueue: async () => (await import('./spool.ts')).openSpool,
  loadKeeper: async () => (await import('./home/keeper.ts')).openSpoolKeeper,
};
