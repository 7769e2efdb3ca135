/** `intray status --html`. */

import { toMs } from '../../os/calendar.ts';
import { replaceNamedFile } from '../../queue/replace-file.ts';
import { type Sight, seeQueues } from '../../web/see.ts';
import { snapshotPage } from '../../web/snapshot-page.ts';
import type { Context } from '../context.ts';
import { sentenceOf } from '../failure.ts';
import type { Decoded, InQueue } from './looking.ts';

/** Also where a queue cannot be looked at: the page says so, and so do we. */
export async function writePage(
  { machine, log }: Context,
  { operand, more, options }: InQueue & Decoded & { readonly more: readonly string[] },
  path: string,
): Promise<Sight> {
  const sight = await seeQueues(machine, [operand, ...more], { decoder: options.decoder });
  await replaceNamedFile(machine, path, await snapshotPage(sight.queues, toMs(machine.clock.now())));
  for (const problem of sight.problems) await log('error', sentenceOf(problem));
  return sight;
}
