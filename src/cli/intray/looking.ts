/** How the commands of operators begin: with a picture of the queue, and the job that is meant. */

import type { PacketHeader } from '../../packet/header.ts';
import { type FoundJob, findJob } from '../../spool/home/find-job.ts';
import { takeSnapshot } from '../../spool/home/snapshot.ts';
import type { QueueSnapshot } from '../../spool/home/snapshot-parts.ts';
import { type Decoder, decoderFor } from '../../spool/open-packet.ts';
import type { Context } from '../context.ts';
import { shellQuote } from '../shell.ts';
import { headersOf, knownOf } from './job-words.ts';

export type Decoded = { readonly options: { readonly decoder: string | undefined } };

export type InQueue = { readonly operand: string };

export type OneJob = InQueue & Decoded & { readonly more: readonly string[] };

export async function decoderOf(
  { machine }: Context,
  { options }: Decoded,
  stop?: AbortSignal,
): Promise<Decoder | undefined> {
  return options.decoder === undefined ? undefined : decoderFor(machine, options.decoder, stop);
}

export type LookedUp = {
  readonly snapshot: QueueSnapshot;
  readonly found: FoundJob;
  readonly header: PacketHeader | undefined;
  readonly decoder: Decoder | undefined;
};

/** The one job that the second operand names. */
export async function lookUp(context: Context, args: OneJob): Promise<LookedUp> {
  const { machine } = context;
  const decoder = await decoderOf(context, args);
  const snapshot = await takeSnapshot(machine, args.operand, { decoder });
  const found = await findJob(machine, snapshot, args.more[0] ?? '');
  return { snapshot, found, decoder, header: await headersOf(machine, decoder)(found) };
}

/** Advice as it can be pasted into a shell. */
export function adviceFor(advice: string | undefined, queue: string, found: FoundJob): string | undefined {
  const words: Record<string, string> = { DIR: queue, JOB: found.stem, LANE: knownOf(found).lane ?? '' };
  // All at once: a queue may well be called JOB.
  return advice?.replace(/\b(?:DIR|JOB|LANE)\b/g, (word) => shellQuote(words[word] ?? word));
}
