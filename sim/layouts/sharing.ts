/**
 * Working a queue that is shared, whatever its layout, so that an observer sees all of it.
 *
 * What is to become of a job stands in its label, since nothing else tells a run before a crash from one after it:
 * `~` fails when it is first started, `!` always fails and is given up.
 */

import type { Machine } from '../../src/os/ports.ts';
import { sleep } from '../../src/os/sleep.ts';
import type {
  Job,
  Queue,
  RunFacts,
  SharedClaim,
  SharedIdle,
  SharedSession,
} from '../../src/queue/contract.ts';
import type { CommandHandler, Handler } from '../../src/worker/handler.ts';
import { type ServeOptions, serveQueues } from '../../src/worker/serve.ts';
import type { Payload } from '../history.ts';
import type { Manner, Observer, Runner, WorkEnd } from './layout.ts';

const PAYLOAD_LIMIT_BYTES = 4096;
/** A job that always fails is started so often. */
const RETRIES = 1;
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
  readonly options?: Pick<ServeOptions, 'keepSucceeded'>;
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

function payloadOf({ work }: Job): Payload {
  return (work.kind === 'command' ? work.params[0] : undefined) ?? '';
}

async function serve(
  { open, options }: Shared,
  machine: Machine,
  runner: Runner,
  { concurrency, leaseMs, keepsWaiting }: Manner,
): Promise<SharedIdle | undefined> {
  const queue = observed(await open(machine), runner.observer);
  const attempts = new Map<string, number>();
  const { idle } = await serveQueues(machine, [queue], handlerFor(machine, runner, attempts), {
    ...options,
    concurrency,
    leaseMs,
    keepWaiting: keepsWaiting,
    retries: RETRIES,
    backoff: { firstMs: 5 },
    blocked: { action: 'skip' },
    onStarted: (job, _queue, attempt) => attempts.set(job.id, attempt),
  });
  return idle.get(queue);
}

function handlerFor(
  machine: Machine,
  runner: Runner,
  attempts: ReadonlyMap<string, number>,
): Handler | CommandHandler {
  if (runner.kind === 'command') return { program: runner.program };
  const { observer } = runner;
  return async (job, payload) => {
    const run = observer.started(placeOf(job), await payload.bytes(PAYLOAD_LIMIT_BYTES));
    await sleep(machine.clock, RUN_MS);
    const [, mark] = /^job (?:\w+\/)?([~!]?)/.exec(payloadOf(job)) ?? [];
    const fails = mark === '!' || (mark === '~' && attempts.get(job.id) === 1);
    observer.ended(run, !fails);
    if (fails) throw new Error('as its label says');
  };
}

/** The queue, telling of each job that it has been settled; no job is given up for having been started too often. */
function observed(queue: Queue, observer: Observer): Queue {
  return {
    ...queue,
    join: async (options) => observedSession(await queue.join({ ...options, maxStarts: 1e6 }), observer),
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
