/** `intray skip`: lets a lane go on past a number that is missing, or a job that is held. */

import { laneName, QUEUE_LANE } from '../../queue/words.ts';
import type { Context } from '../context.ts';
import { printable } from '../printable.ts';
import { exitStatus } from './exit-codes.ts';
import { type Decoded, type InQueue, keeperOf } from './looking.ts';
import { cannot } from './operating.ts';

type Skip = InQueue & Decoded & { readonly options: { readonly lane: string | undefined } };

export async function skip(context: Context, args: Skip): Promise<number> {
  const keeper = await keeperOf(context, args);
  const operation = await keeper.operate();
  try {
    const skipLane = operation.skip?.bind(operation) ?? cannot(keeper, 'let a lane go on');
    const { lane, from, to, id } = await skipLane(args.options.lane ?? QUEUE_LANE);
    const left =
      id === undefined ? `without ${numbers(from, to)}` : `without ${id}, which is among the failed jobs now`;
    await context.print(`${printable(`${laneName(lane)} goes on with job ${to}, ${left}`)}\n`);
    return exitStatus('done');
  } finally {
    await operation.close();
  }
}

/** Those that are left out. */
function numbers(from: bigint, to: bigint): string {
  return to - from === 1n ? `job ${from}` : `jobs ${from} to ${to - 1n}`;
}
