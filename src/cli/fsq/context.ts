/** What every subcommand of fsq has, and what they have in common. */

import type { Constants } from '../../fsq/constants.ts';
import { checkName, hostPlaceAt, join, type Place, placeAt, requirePlace } from '../../fsq/place.ts';
import type { Context } from '../context.ts';

export type FsqContext = Context & { readonly constants: Constants };

/** Runs a subcommand; the words behind its options are its operands. */
export type FsqArguments<O> = {
  readonly options: O;
  readonly operand: string;
  readonly more: readonly string[];
};

/** A queue in FSQ_ROOT, by its name. Throws `bad-setting`, and `not-a-queue`. */
export async function queuePlace(context: FsqContext, name: string): Promise<Place> {
  const place = placeAt(pathOf(context, name), context.constants);
  await requirePlace(context.machine, place);
  return place;
}

export async function hostPlace(context: FsqContext, queue: string, host: string): Promise<Place> {
  const place = hostPlaceAt(pathOf(context, queue), host, context.constants);
  await requirePlace(context.machine, place);
  return place;
}

export function pathOf({ constants }: FsqContext, name: string): string {
  checkName('queue', name);
  return join(constants.root, name);
}

/** Says something only when asked to with -v. */
export async function note(context: FsqContext, isVerbose: boolean, text: string): Promise<void> {
  if (isVerbose) await context.complain(`fsq: ${text}\n`);
}
