/** `intray cat`: a job's payload, as a command would read it. */

import { STDOUT } from '../../os/ports.ts';
import { copyAll } from '../../os/transfer.ts';
import { QueueError } from '../../queue/errors.ts';
import { openPacket } from '../../spool/open-packet.ts';
import type { Context } from '../context.ts';
import { exitStatus } from './exit-codes.ts';
import { lookUp, type OneJob } from './looking.ts';

export async function cat(context: Context, args: OneJob): Promise<number> {
  const { machine } = context;
  const { found, decoder } = await lookUp(context, args);
  const opened = await openPacket(machine, found.path, decoder);
  if (opened.kind === 'damaged') throw new QueueError('packet-damaged', `${found.path}: ${opened.message}`);
  await copyAll(machine.files, opened.payload, STDOUT);
  const problem = await opened.finish();
  if (problem !== undefined) throw new QueueError('decoder-failed', `${found.path}: ${problem}`);
  return exitStatus('done');
}
