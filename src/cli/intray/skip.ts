/** `intray skip`: lets a lane go on past a number that is missing, or a job that is held. */

import { laneName } from '../../spool/home/explain.ts';
import { Operator } from '../../spool/home/operator.ts';
import { QUEUE_LANE } from '../../spool/home/rooms.ts';
import { skipLane } from '../../spool/home/skip.ts';
import type { Context } from '../context.ts';
import { printable } from '../printable.ts';
import { exitStatus } from './exit-codes.ts';
import { type Decoded, decoderOf, type InQueue } from './looking.ts';

type Skip = InQueue & Decoded & { readonly options: { readonly lane: string | undefined } };

export async function skip(context: Context, args: Skip): Promise<number> {
  const operator = new Operator(context.machine, args.operand, await decoderOf(context, args));
  try {
    const { lane, from, to, stem } = await skipLane(operator, args.options.lane ?? QUEUE_LANE);
    const left =
      stem === undefined
        ? `without ${numbers(from, to)}`
        : `without ${stem}, which is among the failed jobs now`;
    await context.print(`${printable(`${laneName(lane)} goes on with job ${to}, ${left}`)}\n`);
    return exitStatus('done');
  } finally {
    await operator.close();
  }
}

/** Those that are left out. */
function numbers(from: bigint, to: bigint): string {
  return to - from === 1n ? `job ${from}` : `jobs ${from} to ${to - 1n}`;
}
