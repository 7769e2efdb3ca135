import { STDIN, STDOUT } from '../../os/ports.ts';
import { copyAll } from '../../os/transfer.ts';
import { packetEnvironment } from '../../packet/environment.ts';
import type { PacketHeader } from '../../packet/header.ts';
import { readHeader } from '../../packet/read.ts';
import { QueueError } from '../../queue/errors.ts';
import type { Context } from '../context.ts';

/** Reads the header of the packet on standard input and leaves standard input at its payload. */
export async function headerFromStdin({ machine }: Context): Promise<PacketHeader> {
  const result = await readHeader(machine.files, STDIN);
  if (result.kind === 'header') return result.header;
  throw new QueueError('packet-damaged', `the packet on standard input cannot be read: ${result.message}`);
}

export async function stdinInfo(context: Context): Promise<number> {
  const header = await headerFromStdin(context);
  const variables = packetEnvironment(header, context.machine.clock);
  await context.print(variables.map(([name, value]) => `${name}=${value}\n`).join(''));
  return 0;
}

export async function stdinPayload(context: Context): Promise<number> {
  await headerFromStdin(context);
  await copyAll(context.machine.files, STDIN, STDOUT);
  return 0;
}
