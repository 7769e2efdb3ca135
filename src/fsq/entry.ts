/** Queues of fsq among the layouts. */

import type { Layout } from '../queue/layout.ts';

const yes = (how: string) => ({ has: true, how });
const no = (how: string) => ({ has: false, how });

export const FSQ: Layout = {
  name: 'fsq',
  title: 'fsq',
  // As they are called where no variable of the environment says otherwise.
  marks: [['tmp', 'queue', 'done', 'fail']],
  capabilities: {
    order: no('the oldest item starts first, and others start beside it'),
    lanes: no('items have no lanes'),
    parallel: yes('each item is locked by who runs it'),
    lease: no('only the locks of the file system tell'),
    priority: no('the oldest item is the first'),
    delay: yes('intray/until/; original scanners do not look there'),
    expires: no('FSQ_TTL is for all items'),
    names: no('items are named by who adds them, when and where'),
    params: yes('in the name of the file, which has 255 bytes'),
    variables: no('an item has arguments and content'),
    retries: yes('in the name of the file; a start whose worker died is not counted'),
    hold: yes('intray/held/; original scanners do not look there'),
    pause: yes('the file down, as `fsq down` makes it'),
    failed: yes('fail/; those that are done are in done/'),
    log: yes('intray/log/'),
    encoded: no('an item is its content'),
    durable: yes('file and name are synced'),
    original: yes('fsq, at the same time; its scanners may run again what ours have just done'),
  },
  loadQueue: async () => (await import('./fsq.ts')).openFsq,
  loadKeeper: async () => (await import('./keeper.ts')).openFsqKeeper,
};
