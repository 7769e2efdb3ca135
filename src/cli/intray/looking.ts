/** How the commands of operators begin: with a picture of the queue, and the job that is meant. */

import { openKeeper } from '../../open/open.ts';
import { pickJob } from '../../queue/find-job.ts';
import type { Keeper } from '../../queue/keeper.ts';
import type { FoundJob, QueueSnapshot } from '../../queue/snapshot.ts';
import type { Context } from '../context.ts';

export type Decoded = { readonly options: { readonly decoder: string | undefined } };

export type InQueue = { readonly operand: string };

export type OneJob = InQueue & Decoded & { readonly more: readonly string[] };

export function keeperOf({ machine }: Context, { operand, options }: InQueue & Decoded): Promise<Keeper> {
  return openKeeper(machine, operand, { decoder: options.decoder });
}

export type LookedUp = {
  readonly keeper: Keeper;
  readonly snapshot: QueueSnapshot;
  readonly found: FoundJob;
};

/** The one job that the second operand names. */
export async function lookUp(context: Context, args: OneJob): Promise<LookedUp> {
  const keeper = await keeperOf(context, args);
  const snapshot = await keeper.look();
  const found = pickJob(keeper.location, await keeper.everyJob(snapshot), args.more[0] ?? '');
  return { keeper, snapshot, found };
}
