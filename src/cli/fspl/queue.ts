import { formatLocal } from '../../os/calendar.ts';
import { type Machine, STDIN, STDOUT } from '../../os/ports.ts';
import { copyAll } from '../../os/transfer.ts';
import { packetEnvironment } from '../../packet/environment.ts';
import { sequence } from '../../packet/header.ts';
import { QueueError } from '../../queue/errors.ts';
import { addPacket } from '../../spool/add.ts';
import { type Decoder, decoderFor, type OpenedPacket, openPacket } from '../../spool/open-packet.ts';
import {
  bySequence,
  createQueueDirectory,
  type JobFile,
  refuseDuplicates,
  scanQueue,
} from '../../spool/queue-files.ts';
import { lockQueue } from '../../spool/session.ts';
import type { Context } from '../context.ts';
import { reportUnreadable } from './report.ts';

type InQueue = { readonly options: { readonly queuedir: string } };
type Decoded = { readonly options: { readonly decoder: string | undefined } };
type OneJob = InQueue & Decoded & { readonly options: { readonly job: bigint } };

export async function queueInit(
  { machine }: Context,
  args: InQueue & { readonly options: { readonly 'append-only': boolean } },
): Promise<number> {
  await createQueueDirectory(machine, args.options.queuedir, { appendOnly: args.options['append-only'] });
  return 0;
}

export async function queueWrite({ machine, log }: Context, args: InQueue): Promise<number> {
  const added = await addPacket(machine, args.options.queuedir, STDIN);
  await log('debug', `added ${added.path}, ${added.size} bytes`);
  if (added.nameSync === 'not-permitted') {
    await log(
      'warn',
      `${added.path}: its directory may not be opened, so a power cut now could lose the job`,
    );
  }
  return 0;
}

export async function queueGetNext({ machine, print }: Context, args: InQueue): Promise<number> {
  const file = await lockQueue(machine, args.options.queuedir);
  try {
    await print(`${await file.read()}\n`);
  } finally {
    await file.close();
  }
  return 0;
}

export async function queueSetNext(
  { machine }: Context,
  args: InQueue & { readonly operand: bigint },
): Promise<number> {
  const file = await lockQueue(machine, args.options.queuedir);
  try {
    await file.read();
    await file.write(sequence(args.operand));
  } finally {
    await file.close();
  }
  return 0;
}

/** Widths of the columns, so that scripts that cut them work. */
const ID_WIDTH = 20;
const TIME_WIDTH = 27;

export async function queueLs(context: Context, args: InQueue & Decoded): Promise<number> {
  const { machine, print } = context;
  const { jobs, unreadable } = await scanQueue(
    machine,
    args.options.queuedir,
    await decoderOf(machine, args),
  );
  const rows = ['ID                   creation timestamp          filename\n'];
  for (const { name, header } of jobs.sort(bySequence)) {
    const { seq, ctime } = header;
    const made = formatLocal(ctime, machine.clock.utcOffsetSeconds(ctime));
    rows.push(`${String(seq).padEnd(ID_WIDTH)} ${made.padEnd(TIME_WIDTH)} ${name}\n`);
  }
  await print(rows.join(''));
  await reportUnreadable(context, unreadable);
  return 0;
}

export async function queueInfo({ machine, print }: Context, args: OneJob): Promise<number> {
  const { file, opened } = await openJob(machine, args);
  const place = { queue: args.options.queuedir, filename: file.name, path: file.path };
  const variables = packetEnvironment(opened.header, machine.clock, place);
  await opened.discard();
  await print(variables.map(([name, value]) => `${name}=${value}\n`).join(''));
  return 0;
}

export async function queuePayload({ machine }: Context, args: OneJob): Promise<number> {
  const { file, opened } = await openJob(machine, args);
  await copyAll(machine.files, opened.payload, STDOUT);
  const problem = await opened.finish();
  if (problem !== undefined) throw new QueueError('decoder-failed', `${file.path}: ${problem}`);
  return 0;
}

/** Finds the one job with a number; two with the same number anywhere in the queue are an error. */
async function openJob(
  machine: Machine,
  args: OneJob,
): Promise<{ readonly file: JobFile; readonly opened: OpenedPacket }> {
  const { queuedir, job } = args.options;
  const decoder = await decoderOf(machine, args);
  const { jobs } = await scanQueue(machine, queuedir, decoder);
  refuseDuplicates(queuedir, jobs);
  const file = jobs.find((candidate) => candidate.header.seq === job);
  if (file === undefined) throw new QueueError('job-not-found', `${queuedir}: there is no job ${job}`);
  const opened = await openPacket(machine, file.path, decoder);
  if (opened.kind === 'damaged') throw new QueueError('packet-damaged', `${file.path}: ${opened.message}`);
  return { file, opened };
}

/** The decoder named on the command line, to be run by the user's shell. */
export async function decoderOf(
  machine: Machine,
  args: Decoded,
  stop?: AbortSignal,
): Promise<Decoder | undefined> {
  const { decoder } = args.options;
  return decoder === undefined ? undefined : decoderFor(machine, decoder, stop);
}
