/** A claimed job, as whoever runs it sees it. */

import { fromMs } from '../os/calendar.ts';
import { closeQuietly } from '../os/close-quietly.ts';
import type { Descriptor } from '../os/ports.ts';
import { packetEnvironment } from '../packet/environment.ts';
import { sequence } from '../packet/header.ts';
import type { Job, JobId, OutputFile, RunFacts, Settled, SharedClaim } from '../queue/contract.ts';
import { type Ended, type GivingUp, giveUp, runOf } from './give-up.ts';
import type { Change } from './log.ts';
import type { Entry } from './picture.ts';
import { withRun } from './runs.ts';
import { openSaid, type Said } from './said.ts';
import type { JobState } from './subjects.ts';

export type ClaimParts = GivingUp & {
  /** Whether jobs that succeeded are kept. */
  readonly keepSucceeded: boolean;
  readonly onSettled: (entry: Entry) => void;
  /** Told where what a run says can be read: while it goes on, and when it has ended what was kept. */
  readonly onSaid: (id: string, attempt: number, outputs: readonly OutputFile[]) => void;
};

/** `before` is how it was before the claim. */
export function claimOf(parts: ClaimParts, entry: Entry, before: JobState, payload: Descriptor): SharedClaim {
  const { machine, log } = parts;
  const seen = { generation: entry.generation, state: entry.state };
  const { attempts: attempt } = seen.state;
  let said: Said | undefined;
  let isOpen = true;
  let payloadIsOpen = true;
  // One that fails, since nobody answers say, leaves the claim as it is, and can be tried again.
  const settleOnce = async (act: () => Promise<boolean>, keepsSaid: boolean): Promise<Settled> => {
    if (!isOpen) throw new Error(`${log.place}/${entry.id}: this claim is settled already`);
    if (payloadIsOpen) await closeQuietly(machine.files, payload);
    payloadIsOpen = false;
    if (said !== undefined) parts.onSaid(entry.id, attempt, await said.end(keepsSaid));
    said = undefined;
    const isDone = await act();
    isOpen = false;
    parts.onSettled(entry);
    return isDone ? 'settled' : 'lost';
  };
  const change = (next: Change) => log.change(entry, seen.generation, seen.state, next, parts.insists);
  const recorded = (ended: Ended) => withRun(before.runs, runOf(parts, seen, ended));
  const succeed = async (): Promise<boolean> => {
    if (parts.keepSucceeded) {
      return change({ place: 'done', deaths: 0, runs: recorded({ outcome: 'succeeded' }) });
    }
    if (!(await change({ place: 'over' }))) return false;
    log.aside(log.bury(entry));
    return true;
  };
  const job = jobOf(log.place, entry);
  return {
    kind: 'claim',
    job,
    lane: entry.job.lane,
    attempt,
    env: environmentOf(parts, entry, job, attempt),
    payload,
    payloadProblem: async () => undefined,
    anticipate: async () => {},
    openOutput: async () => {
      said ??= await openSaid(machine, log, entry.id, attempt);
      parts.onSaid(entry.id, attempt, said.now);
      return said;
    },
    succeed: () => settleOnce(succeed, parts.keepSucceeded),
    fail: (reason = 'it failed', facts: RunFacts = {}) =>
      settleOnce(() => giveUp(parts, entry, seen, { outcome: 'failed', reason, ...facts }), true),
    retry: (atMs, reason, facts: RunFacts = {}) =>
      settleOnce(
        () =>
          change({
            place: 'waiting',
            deaths: 0,
            untilMs: Math.max(0, Math.ceil(atMs)),
            runs: recorded({ outcome: 'retry', reason, ...facts }),
          }),
        true,
      ),
    release: () => settleOnce(() => change({ ...before, place: 'waiting' }), false),
  };
}

export function jobOf(place: string, { id, seq, job }: Entry): Job {
  return {
    id: id as JobId,
    seq: sequence(seq),
    createdAt: fromMs(job.madeMs),
    work: { kind: 'command', params: job.params, env: job.env },
    terms: {
      lane: job.lane,
      priority: job.priority,
      notBeforeMs: job.notBeforeMs,
      expiresMs: job.expiresMs,
      id: job.name,
    },
    path: `${place}/${id}`,
  };
}

function environmentOf(
  { machine, log }: ClaimParts,
  { job: { lane } }: Entry,
  job: Job,
  attempt: number,
): (readonly [name: string, value: string])[] {
  const header = { seq: job.seq ?? sequence(0), ctime: job.createdAt, work: job.work };
  const place = { queue: log.place, filename: job.id, path: job.path };
  return [
    ...packetEnvironment(header, machine.clock, place),
    ...(lane === undefined ? [] : [['INTRAY_LANE', lane] as const]),
    ['INTRAY_JOB', job.id],
    ['INTRAY_ATTEMPT', String(attempt)],
  ];
}
