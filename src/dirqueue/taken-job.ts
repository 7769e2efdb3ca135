/**
 * Jobs for a program that lives long and does one after the other.
 *
 *     take --> taken --finish--> over
 *                    --fail----> kept with the reason, in intray/failed/
 *                    --retry---> waits again, until its time
 *                    --return--> as it was
 */

import { decodeBytes } from '../os/bytes.ts';
import { toDate, toMs } from '../os/calendar.ts';
import type { Machine } from '../os/ports.ts';
import { readChunks, readExactly } from '../os/transfer.ts';
import type { Job, Settled } from '../queue/contract.ts';
import type { DirQueueClaim } from './claim.ts';
import { controlPath, hasFanout } from './fanout.ts';
import { listControls } from './look.ts';
import { type DirQueueJoinOptions, type DirQueueSession, joinQueue } from './session.ts';

export type TakeOptions = Omit<DirQueueJoinOptions, 'watch'> & {
  /** Keep waiting for jobs. Default: yes for `take`. */
  readonly wait?: boolean;
  /** How long to wait for a job before the end. Default: for ever. */
  readonly timeoutMs?: number;
  /** Aborted: the end, when the job that is taken is settled. */
  readonly signal?: AbortSignal;
};

export type TakenJob = {
  readonly job: Job;
  readonly id: string;
  readonly metadata: ReadonlyMap<string, string>;
  /** The file with what the job carries, and its size in bytes. */
  readonly dataPath: string;
  readonly size: number;
  readonly submittedAt: Date;
  readonly submittedOn: string | undefined;
  /** How often it was started, this time included. */
  readonly attempt: number;
  /** All of it, as UTF-8. Throws a RangeError when it is longer than `limitBytes`, by default 16 MiB. */
  text(limitBytes?: number): Promise<string>;
  bytes(limitBytes?: number): Promise<Uint8Array>;
  stream(): AsyncIterable<Uint8Array>;
  /** Each of these is called once, and says `lost` when others have taken the job over meanwhile. */
  finish(): Promise<Settled>;
  fail(reason?: string): Promise<Settled>;
  retry(after?: Date, reason?: string): Promise<Settled>;
  returnToQueue(): Promise<Settled>;
};

const DEFAULT_LIMIT_BYTES = 16 * 1024 * 1024;
/** Asked again after so long at the latest. */
const WAIT_MS = 60_000;

export async function* takeJobs(
  machine: Machine,
  queue: string,
  { wait = true, timeoutMs, signal = new AbortController().signal, ...joining }: TakeOptions,
): AsyncGenerator<TakenJob, void, undefined> {
  const session = await joinQueue(machine, queue, { ...joining, watch: wait });
  try {
    for (;;) {
      const claim = await nextClaim(machine, session, { wait, timeoutMs, signal });
      if (claim === undefined) return;
      let isSettled = false;
      yield takenJob(machine, claim, async () => {
        isSettled = true;
      });
      if (!isSettled) await claim.release();
    }
  } finally {
    await session.close();
  }
}

/** That very job, by its id or the path of its control file; settling it ends the session it was taken in. */
export async function pickUpJob(
  machine: Machine,
  queue: string,
  job: string,
  { wait: _, timeoutMs: __, signal: ___, ...joining }: TakeOptions,
): Promise<TakenJob | undefined> {
  const id = job.slice(job.lastIndexOf('/') + 1);
  const session = await joinQueue(machine, queue, joining);
  let claim: DirQueueClaim | undefined;
  try {
    const path = await controlPath(machine, queue, await hasFanout(machine, queue), id);
    const listed = (await listControls(machine, queue)).get(id);
    claim = await session.claimJob(listed ?? { id, path });
    return claim === undefined ? undefined : takenJob(machine, claim, () => session.close());
  } finally {
    if (claim === undefined) await session.close();
  }
}

function takenJob({ files }: Machine, claim: DirQueueClaim, onSettled: () => Promise<void>): TakenJob {
  const bytes = async (limitBytes = DEFAULT_LIMIT_BYTES) => {
    if (claim.size > limitBytes) throw new RangeError(`The data are longer than ${limitBytes} bytes`);
    return readExactly(files, claim.payload, claim.size);
  };
  const ended = async (settled: Promise<Settled>): Promise<Settled> => {
    const result = await settled;
    await onSettled();
    return result;
  };
  return {
    job: claim.job,
    id: claim.job.id,
    metadata: new Map(claim.metadata),
    dataPath: claim.dataPath,
    size: claim.size,
    submittedAt: toDate(toMs(claim.job.createdAt)),
    submittedOn: claim.submittedOn,
    attempt: claim.attempt,
    bytes,
    text: async (limitBytes) => decodeBytes(await bytes(limitBytes)),
    stream: () => readChunks(files, claim.payload),
    finish: () => ended(claim.succeed()),
    fail: (reason) => ended(claim.fail(reason)),
    retry: (after, reason = 'to be tried again') => ended(claim.retry(after?.getTime() ?? 0, reason)),
    returnToQueue: () => ended(claim.release()),
  };
}

async function nextClaim(
  { clock }: Machine,
  session: DirQueueSession,
  {
    wait,
    timeoutMs = Number.POSITIVE_INFINITY,
    signal,
  }: { readonly wait: boolean; readonly timeoutMs: number | undefined; readonly signal: AbortSignal },
): Promise<DirQueueClaim | undefined> {
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  while (!signal.aborted) {
    const answer = await session.claim();
    if (answer.kind === 'claim') return answer;
    const leftMs = deadlineMs - clock.monotonicMs();
    if (!wait || leftMs <= 0) return undefined;
    await session.changed(Math.min(leftMs, WAIT_MS), signal);
  }
  return undefined;
}
