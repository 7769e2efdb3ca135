import { findGarbage, removeGarbage } from '../../fsq/garbage.ts';
import { hostPlaceAt, type Place } from '../../fsq/place.ts';
import { hosts } from '../../fsq/queues.ts';
import { printable } from '../printable.ts';
import { type FsqArguments, type FsqContext, note, queuePlace } from './context.ts';

type Options = {
  readonly verbose: boolean;
  readonly 'older-than': number | undefined;
  readonly 'keep-done': number | undefined;
  readonly failed: boolean;
  readonly 'dry-run': boolean;
};

const A_WEEK_SECONDS = 604_800;

export async function pruneQueues(context: FsqContext, args: FsqArguments<Options>): Promise<number> {
  const { machine, constants, print } = context;
  const { options } = args;
  for (const name of [args.operand, ...args.more]) {
    for (const place of await placesOf(context, name)) {
      const garbage = await findGarbage(machine, place, constants, {
        keepDone: options['keep-done'] ?? 0,
        olderThanMs: (options['older-than'] ?? A_WEEK_SECONDS) * 1000,
        failed: options.failed,
      });
      if (options['dry-run']) {
        await print(garbage.map(({ path }) => `${printable(path)}\n`).join(''));
        continue;
      }
      const removed = await removeGarbage(machine, garbage);
      await note(context, options.verbose, `${place.directory}: removed ${removed.length} files`);
    }
  }
  return constants.success;
}

/** The queue and the parts of its hosts. */
async function placesOf(context: FsqContext, name: string): Promise<Place[]> {
  const queue = await queuePlace(context, name);
  const all = await hosts(context.machine, queue.directory, context.constants);
  return [queue, ...all.map((host) => hostPlaceAt(queue.directory, host, context.constants))];
}
