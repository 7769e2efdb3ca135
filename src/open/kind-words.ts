import type { QueueSnapshot } from '../queue/snapshot.ts';
import { QUEUE_LANE } from '../queue/words.ts';
import { layoutNamed } from './layouts.ts';

/** What sort of queue it is, in a few words. */
export function kindWords({ layout, kind, order, lanes }: QueueSnapshot): string {
  if (kind === 'append-only') return 'a queue that jobs are only added to here';
  const next = lanes.find(({ lane }) => lane === QUEUE_LANE)?.next;
  const words =
    order === 'free'
      ? 'jobs in any order'
      : `jobs in the order of their numbers${next === undefined ? '' : `, next is ${next}`}`;
  if (kind === 'home') return `${words}; parallel workers`;
  if (layout === 'filespooler') return `a Filespooler queue, ${words}`;
  return `a queue of ${layoutNamed(layout).title}, ${words}`;
}
