/** `intray cat`: a job's payload, as a command would read it. */

import { STDOUT } from '../../os/ports.ts';
import { copyAll } from '../../os/transfer.ts';
import { QueueError } from '../../queue/errors.ts';
import type { Context } from '../context.ts';
import { exitStatus } from './exit-codes.ts';
import { lookUp, type OneJob } from './looking.ts';

export async function cat(context: Context, args: OneJob): Promise<number> {
  const { keeper, found } = await lookUp(context, args);
  const { payload, finish } = await keeper.openPayload(found);
  await copyAll(context.machine.files, payload, STDOUT);
  const problem = await finish();
  if (problem !== undefined) throw new QueueError('decoder-failed', `${found.path}: ${problem}`);
  return exitStatus('done');
}
