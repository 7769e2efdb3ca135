/** Queues of fsq among the layouts. */

import type { Layout } from '../queue/layout.ts';

const yes = (how: string) => ({ has: true, how });
const no = (how: string) => ({ has: false, how });

export const FSQ: Layout = {
  name: 'fsq',
  title: 'fsq',
  // As the standard names them. With FSQ_QUEUE and its like they have other names, which only the fsq command knows.
  marks: [['tmp', 'queue', 'done', 'fail']],
  capabilities: {
    order: no('items have no numbers: the oldest is the first, and several run at once'),
    lanes: no('the format has no place for them'),
    parallel: yes('each item is locked while it runs'),
    lease: no('a lock is the kernel of one machine; over NFS the server of the file keeps it'),
    priority: no('the oldest item is the first'),
    delay: yes('in intray/until, where the original does not look'),
    expires: no('FSQ_TTL is for all items'),
    names: yes('intray/names remembers them until gc; those of fsq enqueue have none'),
    params: yes('in the name of the item'),
    variables: no('arguments and content travel, nothing else'),
    retries: yes('in the name of the item; the wait before one in intray/until'),
    hold: yes('in intray/held, where the original does not look'),
    pause: yes('the file down, as fsq down makes it'),
    failed: yes('fail/'),
    log: yes('intray/log'),
    encoded: no('the content of an item is its file'),
    durable: yes('file and name are synced'),
    original: yes('at the same time as our workers'),
  },
  loadQueue: async () => (await import('./fsq.ts')).openFsq,
  loadKeeper: async () => (await import('./keeper.ts')).openFsqKeeper,
};
