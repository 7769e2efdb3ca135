/** Looks at queues. One that cannot be looked at does not hide the others. */

import { queuesAt } from '../open/find.ts';
import { openKeeper } from '../open/open.ts';
import type { Machine } from '../os/ports.ts';
import { reasonOf } from '../queue/errors.ts';
import type { Keeper, KeeperOptions } from '../queue/keeper.ts';
import { type SeenQueue, slugsOf } from './seen.ts';

export type Sight = { readonly queues: readonly SeenQueue[]; readonly problems: readonly unknown[] };

type Found = SeenQueue extends infer One ? (One extends unknown ? Omit<One, 'slug'> : never) : never;

/**
 * `paths` are queues and directories of queues; a queue that is named twice is seen once. `known`: keepers from before,
 * which need not be opened again; those of queues that have gone are forgotten.
 */
export async function seeQueues(
  machine: Machine,
  paths: readonly string[],
  options: KeeperOptions,
  known: Map<string, Keeper> = new Map(),
): Promise<Sight> {
  const found = new Map<string, Found>();
  const problems: unknown[] = [];
  const orUnseen = async (location: string, look: () => Promise<void>) => {
    try {
      await look();
    } catch (error) {
      problems.push(error);
      known.delete(location);
      found.set(location, { kind: 'unseen', location, problem: reasonOf(error) });
    }
  };
  for (const path of paths) {
    await orUnseen(path, async () => {
      for (const location of await queuesAt(machine, [path])) {
        if (found.has(location)) continue;
        await orUnseen(location, async () => {
          const keeper = known.get(location) ?? (await openKeeper(machine, location, options));
          known.set(location, keeper);
          const begunMs = machine.clock.monotonicMs();
          const snapshot = await keeper.look();
          const tookMs = machine.clock.monotonicMs() - begunMs;
          found.set(location, { kind: 'seen', location, keeper, snapshot, tookMs });
        });
      }
    });
  }
  for (const location of known.keys()) if (!found.has(location)) known.delete(location);
  const slugs = slugsOf([...found.keys()]);
  const queues = [...found.values()].map((one) => ({ ...one, slug: slugs.get(one.location) ?? '' }));
  return { queues, problems };
}
