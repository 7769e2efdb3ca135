/** How the commands that change single jobs go about it: one job after the other, each with a sentence. */

import { isSystemError } from '../../os/ports.ts';
import { isQueueError, QueueError } from '../../queue/errors.ts';
import { everyJob, type FoundJob, pickJob } from '../../spool/home/find-job.ts';
import type { Operated } from '../../spool/home/operate.ts';
import { Operator } from '../../spool/home/operator.ts';
import { takeSnapshot } from '../../spool/home/snapshot.ts';
import type { QueueSnapshot } from '../../spool/home/snapshot-parts.ts';
import type { Context } from '../context.ts';
import { sentenceOf } from '../failure.ts';
import { printable } from '../printable.ts';
import { type Ending, endingOf, exitStatus } from './exit-codes.ts';
import { type Decoded, decoderOf, type InQueue } from './looking.ts';

export type ManyJobs = InQueue & Decoded & { readonly more: readonly string[] };

export type Change = {
  /** `removed`. */
  readonly past: string;
  /** `is not held`, for a job that is so already. */
  readonly unchanged: string;
  readonly act: (operator: Operator, found: FoundJob) => Promise<Operated>;
};

/** A worker may be faster than we are, but not so often. */
const TRIES = 5;

/** Changes the jobs that are named, or that `choose` picks. Ends as the worst of them. */
export async function changeJobs(
  context: Context,
  args: ManyJobs,
  change: Change,
  choose?: (all: readonly FoundJob[]) => readonly FoundJob[],
): Promise<number> {
  const { machine, print, log } = context;
  const decoder = await decoderOf(context, args);
  const look = async () => {
    const snapshot = await takeSnapshot(machine, args.operand, { decoder });
    return { snapshot, all: await everyJob(machine, snapshot) };
  };
  let seen = await look();
  const wanted = choose === undefined ? args.more : choose(seen.all);
  const operator = new Operator(machine, args.operand, decoder);
  let ending: Ending = wanted.length === 0 ? 'idle' : 'done';
  try {
    for (const one of wanted) {
      try {
        await print(
          await changeOne(operator, one, change, seen, async () => {
            seen = await look();
            return seen;
          }),
        );
      } catch (error) {
        // What is wrong with one job is no reason to leave the others alone.
        const ofOne = isSystemError(error) || isQueueError(error);
        if (!ofOne || isQueueError(error, 'locked', 'not-durable')) throw error;
        await log('error', sentenceOf(error));
        ending = endingOf(error);
      }
    }
  } finally {
    await operator.close();
  }
  if (wanted.length === 0)
    await context.complain(`intray: ${printable(args.operand)}: there is no such job\n`);
  return exitStatus(ending);
}

type Seen = { readonly snapshot: QueueSnapshot; readonly all: readonly FoundJob[] };

async function changeOne(
  operator: Operator,
  wanted: string | FoundJob,
  change: Change,
  seen: Seen,
  lookAgain: () => Promise<Seen>,
): Promise<string> {
  let found = typeof wanted === 'string' ? pickJob(operator.queue, seen.all, wanted) : wanted;
  for (let tried = 1; tried <= TRIES; tried++) {
    const operated = await change.act(operator, found);
    if (operated.kind !== 'gone') return sentence(found, change, operated);
    // It was claimed, given back or removed since we looked: by its whole stem it is the same job.
    found = pickJob(operator.queue, (await lookAgain()).all, found.stem);
  }
  throw new QueueError('not-possible', `${found.path}: it comes and goes; try again`);
}

function sentence(found: FoundJob, { past, unchanged }: Change, operated: Operated): string {
  const id = printable(found.stem);
  if (operated.kind !== 'done') return `${id}: ${unchanged}\n`;
  const more = [];
  if (operated.lane === 'moved-on') more.push('its lane goes on with the next number');
  if (operated.lane === 'place-kept') more.push('its lane goes on past its number when it gets there');
  if (operated.seq !== undefined) more.push(`it is job ${operated.seq} of its lane now`);
  return `${id}: ${[past, ...more].join('; ')}\n`;
}
