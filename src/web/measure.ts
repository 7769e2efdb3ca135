/** Looks at queues for their numbers. */

import { queuesAt } from '../open/find.ts';
import { openKeeper } from '../open/open.ts';
import type { Machine } from '../os/ports.ts';
import type { KeeperOptions } from '../queue/keeper.ts';
import type { Measured } from './metrics.ts';
import { readRunNumbers } from './run-numbers.ts';

export type MeasureOptions = KeeperOptions & {
  /** Of so many jobs of each queue the records of their runs are read; 0: of none. */
  readonly runs: number;
};

export type Measurement = { readonly queues: readonly Measured[]; readonly problems: readonly unknown[] };

/** Queues, and directories of queues. One that cannot be looked at does not hide the others. */
export async function measure(
  machine: Machine,
  paths: readonly string[],
  options: MeasureOptions,
): Promise<Measurement> {
  const queues = new Map<string, Measured>();
  const problems: unknown[] = [];
  const orUnseen = async (queue: string, look: () => Promise<void>) => {
    try {
      await look();
    } catch (error) {
      problems.push(error);
      queues.set(queue, { kind: 'unseen', queue });
    }
  };
  for (const path of paths) {
    await orUnseen(path, async () => {
      // Named twice, as itself and within its parent, it has its numbers once.
      for (const queue of await queuesAt(machine, [path])) {
        if (queues.has(queue)) continue;
        await orUnseen(queue, async () => {
          queues.set(queue, await measureOne(machine, queue, options));
        });
      }
    });
  }
  return { queues: [...queues.values()], problems };
}

async function measureOne(machine: Machine, queue: string, options: MeasureOptions): Promise<Measured> {
  const keeper = await openKeeper(machine, queue, options);
  const begunMs = machine.clock.monotonicMs();
  const snapshot = await keeper.look();
  const tookMs = machine.clock.monotonicMs() - begunMs;
  return { kind: 'seen', snapshot, runs: await readRunNumbers(keeper, snapshot, options.runs), tookMs };
}
