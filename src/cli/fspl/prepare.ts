import { type Descriptor, type Machine, STDIN, STDOUT } from '../../os/ports.ts';
import { SET_PREFIX } from '../../packet/environment.ts';
import { sequence, type Work } from '../../packet/header.ts';
import { writePacket } from '../../packet/write.ts';
import { QueueError } from '../../queue/errors.ts';
import { newHeader, peekNumber, setNumber } from '../../spool/sender.ts';
import type { Context } from '../context.ts';

type Sender = { readonly options: { readonly seqfile: string } };

export async function prepare(
  { machine }: Context,
  args: Sender & {
    readonly options: { readonly input: string | undefined };
    readonly rest: readonly string[];
  },
): Promise<number> {
  const work: Work = { kind: 'command', params: args.rest, env: variablesToSend(machine) };
  return write(machine, args.options.seqfile, work, await openInput(machine, args.options.input));
}

export async function prepareFail({ machine }: Context, args: Sender): Promise<number> {
  return write(machine, args.options.seqfile, { kind: 'fail' });
}

export async function prepareNop({ machine }: Context, args: Sender): Promise<number> {
  return write(machine, args.options.seqfile, { kind: 'nop' });
}

export async function prepareGetNext({ machine, print }: Context, args: Sender): Promise<number> {
  await print(`${await peekNumber(machine, args.options.seqfile)}\n`);
  return 0;
}

export async function prepareSetNext(
  { machine }: Context,
  args: Sender & { readonly operand: bigint },
): Promise<number> {
  await setNumber(machine, args.options.seqfile, sequence(args.operand));
  return 0;
}

/** The number is taken and its lock given up before the first byte of the payload is read. */
async function write(machine: Machine, seqfile: string, work: Work, input?: Input): Promise<number> {
  const header = await newHeader(machine, seqfile, work);
  await writePacket(machine.files, STDOUT, header, await input?.());
  return 0;
}

/** Gives the payload, once the number has been taken. */
type Input = () => Promise<Descriptor>;

/**
 * A file is opened before a number is taken: one that cannot be sent costs none, and leaves no gap. A named pipe
 * is opened after: that waits for its writer, who may wait for us.
 */
async function openInput({ files }: Machine, input: string | undefined): Promise<Input | undefined> {
  if (input === undefined) return undefined;
  if (input === '-') return async () => STDIN;
  const { kind } = await files.stat(input);
  if (kind === 'fifo') return async () => files.open(input, 'read');
  if (kind === 'directory')
    throw new QueueError('not-a-file', `${input}: it is a directory, not a file to send`);
  const payload = await files.open(input, 'read');
  return async () => payload;
}

/** The FSPL_SET_* variables of our own environment, without that prefix. */
function variablesToSend(machine: Machine): [string, string][] {
  const variables: [string, string][] = [];
  for (const [name, value] of machine.host.env()) {
    if (name.startsWith(SET_PREFIX)) variables.push([name.slice(SET_PREFIX.length), value]);
  }
  return variables;
}
