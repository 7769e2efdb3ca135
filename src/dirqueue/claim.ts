/** A claimed job, as whoever runs it sees it. */

import { formatUtc, fromMs } from '../os/calendar.ts';
import { closeQuietly } from '../os/close-quietly.ts';
import type { Descriptor, Machine, Timestamp } from '../os/ports.ts';
import { SET_PREFIX } from '../packet/environment.ts';
import type { Job, JobId, RunFacts, Settled, SharedClaim } from '../queue/contract.ts';
import { openOutput, type RunNotes, type RunOutput, type RunRecord } from '../queue/run-log.ts';
import { type Control, fromMetadata, type Metadata } from './control-file.ts';
import { parseJobId } from './job-id.ts';
import { ownRoom } from './layout.ts';
import type { Settling, Taken } from './settle.ts';
import type { WaitingJob } from './waiting.ts';

/** A claim that knows what is particular to this format. */
export type DirQueueClaim = SharedClaim & {
  readonly metadata: Metadata;
  readonly dataPath: string;
  /** Bytes. */
  readonly size: number;
  readonly submittedOn: string | undefined;
};

export type ClaimParts = {
  readonly machine: Machine;
  readonly queue: string;
  readonly settling: Settling;
  /** Told when it is settled. */
  readonly onSettled: (claim: SharedClaim) => void;
};

export function jobOf({ id, path }: WaitingJob, control: Control): Job {
  const { work, expiresMs, name } = fromMetadata(control.metadata);
  return {
    id: id as JobId,
    seq: undefined,
    createdAt: submittedAt(id, control),
    work,
    terms: { priority: parseJobId(id).priority, expiresMs, id: name },
    path,
  };
}

function submittedAt(id: string, { submitted }: Control): Timestamp {
  return submitted ?? fromMs(parseJobId(id).addedMs ?? 0);
}

export function claimOf(
  parts: ClaimParts,
  taken: Taken,
  opened: { readonly data: Descriptor; readonly path: string },
): DirQueueClaim {
  const { machine, queue, settling } = parts;
  const { control, attempt } = taken;
  let output: RunOutput | undefined;
  let open = true;
  let dataIsOpen = true;
  // One that fails, on a full disk say, leaves the claim as it is, and can be tried again.
  const settleOnce = async (
    outcome: RunRecord['outcome'],
    settle: () => Promise<Settled>,
    notes: RunNotes = {},
  ): Promise<Settled> => {
    if (!open) throw new Error(`${taken.path}: this claim is settled already`);
    if (dataIsOpen) await closeQuietly(machine.files, opened.data);
    dataIsOpen = false;
    const settled = await settle();
    open = false;
    await settling.keepRecord(taken, settled === 'lost' ? 'lost' : outcome, notes, output);
    parts.onSettled(claim);
    return settled;
  };
  const claim: DirQueueClaim = {
    kind: 'claim',
    job: jobOf(taken, control),
    attempt,
    metadata: control.metadata,
    dataPath: opened.path,
    size: control.size,
    submittedOn: control.host,
    // Asked for by those that run commands only.
    get env() {
      return environmentOf(queue, taken, opened.path);
    },
    payload: opened.data,
    payloadProblem: async () => undefined,
    anticipate: async () => {},
    openOutput: async () => {
      output ??= await openOutput(machine, ownRoom(queue, 'log'), taken.id, attempt);
      return output;
    },
    succeed: () => settleOnce('succeeded', () => settling.succeed(taken)),
    fail: (reason = 'it failed', facts: RunFacts = {}) =>
      settleOnce('failed', () => settling.fail(taken), { reason, ...facts }),
    retry: (atMs, reason, facts: RunFacts = {}) =>
      settleOnce('retry', () => settling.retry(taken, Math.max(0, Math.ceil(atMs))), { reason, ...facts }),
    release: () => settleOnce('released', () => settling.release(taken)),
  };
  return claim;
}

/**
 * What a command is told of its job: `FSPL_PARAM_N` and `FSPL_SET_NAME` as in every queue, and `DQ_...` for what is this
 * format's: metadata under names that a shell takes, each odd character a `_`.
 */
export function environmentOf(
  queue: string,
  { id, path, control, attempt }: Taken,
  dataPath: string,
): (readonly [name: string, value: string])[] {
  const { work } = fromMetadata(control.metadata);
  const submitted = submittedAt(id, control);
  return [
    ['FSPL_JOB_FILENAME', id],
    ['FSPL_JOB_QUEUEDIR', queue],
    ['FSPL_JOB_FULLPATH', path],
    ...work.params.map((param, at) => [`FSPL_PARAM_${at + 1}`, param] as const),
    ...work.env
      .filter(([name]) => !name.includes('='))
      .map(([name, value]) => [SET_PREFIX + name, value] as const),
    ['DQ_ID', id],
    ['DQ_DATA', dataPath],
    ['DQ_SIZE', String(control.size)],
    ['DQ_HOST', control.host ?? ''],
    ['DQ_SUBMITTED', formatUtc(submitted)],
    ...work.env.map(([name, value]) => [`DQ_META_${name.replace(/[^A-Za-z0-9_]/g, '_')}`, value] as const),
    ['INTRAY_JOB', id],
    ['INTRAY_ATTEMPT', String(attempt)],
  ];
}
