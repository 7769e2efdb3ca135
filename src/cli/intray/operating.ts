/** How the commands that change single jobs go about it: one job after the other, each with a sentence. */

import { layoutNamed } from '../../open/layouts.ts';
import { isSystemError } from '../../os/ports.ts';
import { changeJob } from '../../queue/change-job.ts';
import { isQueueError, QueueError } from '../../queue/errors.ts';
import { pickJob } from '../../queue/find-job.ts';
import type { Keeper, Operated, Operation } from '../../queue/keeper.ts';
import type { FoundJob } from '../../queue/snapshot.ts';
import type { Context } from '../context.ts';
import { sentenceOf } from '../failure.ts';
import { printable } from '../printable.ts';
import { type Ending, endingOf, exitStatus } from './exit-codes.ts';
import { type Decoded, type InQueue, keeperOf } from './looking.ts';

export type ManyJobs = InQueue & Decoded & { readonly more: readonly string[] };

export type Change = {
  /** `removed`. */
  readonly past: string;
  /** `is not held`, for a job that is so already. */
  readonly unchanged: string;
  /** What is to be done, as the end of a sentence: `hold single jobs`. */
  readonly what: string;
  /** Undefined where the layout cannot do it. */
  readonly by: (operation: Operation) => ((found: FoundJob) => Promise<Operated>) | undefined;
};

/** Changes the jobs that are named, or that `choose` picks. Ends as the worst of them. */
export async function changeJobs(
  context: Context,
  args: ManyJobs,
  change: Change,
  choose?: (all: readonly FoundJob[]) => readonly FoundJob[],
): Promise<number> {
  const { print, log } = context;
  const keeper = await keeperOf(context, args);
  const look = async () => keeper.everyJob(await keeper.look());
  let seen = await look();
  const wanted = choose === undefined ? args.more : choose(seen);
  const operation = await keeper.operate();
  let ending: Ending = wanted.length === 0 ? 'idle' : 'done';
  try {
    const act = change.by(operation) ?? cannot(keeper, change.what);
    for (const one of wanted) {
      try {
        const found = typeof one === 'string' ? pickJob(keeper.location, seen, one) : one;
        const lookAgain = async () => {
          seen = await look();
          return pickJob(keeper.location, seen, found.id);
        };
        await print(sentence(found, change, await changeJob(found, act, lookAgain)));
      } catch (error) {
        // What is wrong with one job is no reason to leave the others alone.
        const ofOne = isSystemError(error) || isQueueError(error);
        if (!ofOne || isQueueError(error, 'locked', 'not-durable')) throw error;
        await log('error', sentenceOf(error));
        ending = endingOf(error);
      }
    }
  } finally {
    await operation.close();
  }
  if (wanted.length === 0)
    await context.complain(`intray: ${printable(args.operand)}: there is no such job\n`);
  return exitStatus(ending);
}

/** Throws `not-possible`: the layout has no way to do it. */
export function cannot({ location, layout }: Keeper, what: string): never {
  const { title } = layoutNamed(layout);
  throw new QueueError('not-possible', `${location}: a queue of ${title} has no way to ${what}`);
}

function sentence(found: FoundJob, { past, unchanged }: Change, operated: Operated): string {
  const id = printable(found.id);
  if (operated.kind !== 'done') return `${id}: ${unchanged}\n`;
  const more = [];
  if (operated.lane === 'moved-on') more.push('its lane goes on with the next number');
  if (operated.lane === 'place-kept') more.push('its lane goes on past its number when it gets there');
  if (operated.seq !== undefined) more.push(`it is job ${operated.seq} of its lane now`);
  return `${id}: ${[past, ...more].join('; ')}\n`;
}
