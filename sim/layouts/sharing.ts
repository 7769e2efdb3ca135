/**
 * Working a queue that is shared, whatever its layout, so that an observer sees all of it.
 *
 * What is to become of a job stands in its label, since nothing else tells a run before a crash from one after it:
 * `~` fails when it is first started, `!` always fails and is given up, `named x` is added under that name. Those that a layout has besides are in its file.
 */

import { toMs } from '../../src/os/calendar.ts';
import type { Machine } from '../../src/os/ports.ts';
import { sleep } from '../../src/os/sleep.ts';
import type {
  BlockedPolicy,
  Job,
  Queue,
  RunFacts,
  SharedClaim,
  SharedIdle,
  SharedSession,
} from '../../src/queue/contract.ts';
import type { CommandHandler, Handler } from '../../src/worker/handler.ts';
import { serveQueues } from '../../src/worker/serve.ts';
import type { Payload } from '../history.ts';
import type { Manner, Observer, Runner, WorkEnd } from './layout.ts';

const PAYLOAD_LIMIT_BYTES = 4096;
/** A job that always fails is started so often. */
const RETRIES = 1;
/** No job is given up for having been started too often. */
const ANY_STARTS = 1e6;
/** Of jobs, in virtual milliseconds: long enough for others to come in between. */
const RUN_MS = 1;
/** Longer than any lease here, and than the engine's own for a worker that has not said who it is. */
const LEASES_OVER_MS = 61_000;
/** More rounds than this nobody needs who gives back what dead workers left. */
const ROUNDS_LIMIT = 6;

const MANNER: Manner = { concurrency: 2, leaseMs: 1000, keepsWaiting: false, isPatient: false };

/** Of a job in a layout that gives none: as its command says it too. */
const NO_PLACE = -1n;

export function placeOf({ seq }: { readonly seq: bigint | undefined }): bigint {
  return seq ?? NO_PLACE;
}

export type Shared = {
  readonly open: (machine: Machine) => Promise<Queue>;
  /** How many jobs are in the hands of workers, dead or alive. */
  readonly claimedJobs: (machine: Machine) => Promise<number>;
  readonly variant?: SharedVariant;
  /** Before this it must not run: ms since 1970. */
  readonly startsAtMs?: (job: Job) => number | undefined;
};

/** A way to work the queue. */
export type SharedVariant = {
  readonly keepSucceeded?: boolean;
  /** What workers do about a lane whose next job has failed. Who recovers skips it. */
  readonly blocked?: BlockedPolicy['action'];
  /** A job that was started so often is what kills its workers. */
  readonly maxStarts?: number;
};

/** Works until there is nothing to do; a patient one, until also what dead workers had is done. */
export async function workShared(shared: Shared, machine: Machine, runner: Runner): Promise<WorkEnd> {
  const { manner = MANNER } = runner;
  for (let round = 1; ; round++) {
    const idle = await serve(shared, machine, runner, manner);
    if (!manner.isPatient || idle?.reason === 'gap') return endOf(idle);
    const isIdle = idle === undefined || idle.reason === 'empty';
    if (isIdle && (await shared.claimedJobs(machine)) === 0) return { kind: 'empty' };
    if (round === ROUNDS_LIMIT) throw new Error(`after ${round} rounds it is still ${idle?.reason}`);
    await sleep(machine.clock, LEASES_OVER_MS);
  }
}

/** The name under which a job is added. */
export function nameIn(payload: Payload): string | undefined {
  return /named (\w+)/.exec(payload)?.[1];
}

export function payloadOf({ work }: Pick<Job, 'work'>): Payload {
  return (work.kind === 'command' ? work.params[0] : undefined) ?? '';
}

async function serve(
  shared: Shared,
  machine: Machine,
  runner: Runner,
  manner: Manner,
): Promise<SharedIdle | undefined> {
  const { blocked = 'skip', maxStarts, ...rest } = shared.variant ?? {};
  const queue = observed(await shared.open(machine), runner.observer, maxStarts);
  const attempts = new Map<string, number>();
  const { idle } = await serveQueues(machine, [queue], handlerFor(shared, machine, runner, attempts), {
    ...rest,
    concurrency: manner.concurrency,
    leaseMs: manner.leaseMs,
    keepWaiting: manner.keepsWaiting,
    retries: RETRIES,
    backoff: { firstMs: 5 },
    blocked: { action: manner.isPatient ? 'skip' : blocked },
    onStarted: (job, _queue, attempt) => attempts.set(job.id, attempt),
  });
  return idle.get(queue);
}

function handlerFor(
  { startsAtMs }: Shared,
  machine: Machine,
  runner: Runner,
  attempts: ReadonlyMap<string, number>,
): Handler | CommandHandler {
  if (runner.kind === 'command') return { program: runner.program };
  const { observer } = runner;
  return async (job, payload) => {
    if ((startsAtMs?.(job) ?? 0) > toMs(machine.clock.now())) {
      observer.broken('terms', `${payloadOf(job)} runs before its time`);
    }
    const run = observer.started(placeOf(job), await payload.bytes(PAYLOAD_LIMIT_BYTES));
    await sleep(machine.clock, RUN_MS);
    const [, mark] = /^job (?:\w+\/)?([~!]?)/.exec(payloadOf(job)) ?? [];
    const fails = mark === '!' || (mark === '~' && attempts.get(job.id) === 1);
    observer.ended(run, !fails);
    if (fails) throw new Error('as its label says');
  };
}

/** The queue, telling of each job that it has been settled. */
function observed(queue: Queue, observer: Observer, maxStarts = ANY_STARTS): Queue {
  return {
    ...queue,
    join: async (options) => observedSession(await queue.join({ ...options, maxStarts }), observer),
  };
}

function observedSession(session: SharedSession, observer: Observer): SharedSession {
  const observe = (claim: SharedClaim): SharedClaim => {
    const which = { payload: payloadOf(claim.job) };
    return {
      ...claim,
      succeed: async () => {
        const settled = await claim.succeed();
        if (settled === 'settled') observer.finished(which);
        return settled;
      },
      fail: async (reason?: string, facts?: RunFacts) => {
        observer.givenUp(which);
        const settled = await claim.fail(reason, facts);
        if (settled === 'settled') observer.finished(which);
        return settled;
      },
    };
  };
  return {
    get unreadable() {
      return session.unreadable;
    },
    get fenced() {
      return session.fenced;
    },
    ...(session.lock === undefined ? {} : { lock: session.lock }),
    claim: async () => {
      const since = observer.now();
      const claim = await session.claim();
      if (claim.kind !== 'claim') return claim;
      observer.claimed({ payload: payloadOf(claim.job) }, since);
      return observe(claim);
    },
    changed: (atMostMs, signal) => session.changed(atMostMs, signal),
    close: () => session.close(),
  };
}

function endOf(idle: SharedIdle | undefined): WorkEnd {
  if (idle?.reason !== 'gap') return { kind: 'empty' };
  return { kind: 'gap', lane: idle.lane, missing: idle.missing, next: idle.next };
}
