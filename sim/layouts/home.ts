/**
 * The same directory, worked by several at once: free jobs beside each other, jobs of a lane one after the other.
 *
 * What is to become of a job stands in its label, since nothing else tells a run before a crash from one after it:
 * `red/...` is in the lane red, `~` fails when it is first started, `!` always fails and is given up, `later` may start in
 * half a second, and `expired` never.
 */

import { encodeBytes } from '../../src/os/bytes.ts';
import { toMs } from '../../src/os/calendar.ts';
import type { Machine } from '../../src/os/ports.ts';
import { sleep } from '../../src/os/sleep.ts';
import type {
  BlockedPolicy,
  Job,
  NewJob,
  Queue,
  RunFacts,
  SharedClaim,
  SharedIdle,
  SharedSession,
} from '../../src/queue/contract.ts';
import { makeRooms, pause, resume, writeSettings } from '../../src/spool/home/rooms.ts';
import { termsIn } from '../../src/spool/home/terms.ts';
import { listRooms } from '../../src/spool/home/worker-room.ts';
import { headerReader } from '../../src/spool/queue-files.ts';
import { createSpool, openSpool } from '../../src/spool/spool.ts';
import type { CommandHandler, Handler } from '../../src/worker/handler.ts';
import { serveQueues } from '../../src/worker/serve.ts';
import type { Payload } from '../history.ts';
import { type Layout, type Manner, numberOf, type Observer, type Runner, type WorkEnd } from './layout.ts';
import { spool, writeFile } from './spool.ts';

const QUEUE = '/queue';
const PAYLOAD_LIMIT_BYTES = 4096;
/** A job that always fails is started so often. */
const RETRIES = 1;
/** Of jobs, in virtual milliseconds: long enough for others to come in between. */
const RUN_MS = 1;
/** No job is given up for having been started too often. */
const ANY_STARTS = 1e6;
/** Longer than any lease here, and than the engine's own for a room without its file. */
const LEASES_OVER_MS = 61_000;
/** More rounds than this nobody needs who gives back what dead workers left. */
const ROUNDS_LIMIT = 6;

const MANNER: Manner = { concurrency: 2, leaseMs: 1000, keepsWaiting: false, isPatient: false };

/** A job that is to start later may do so after this. */
const LATER_MS = 500;

export type HomeVariant = {
  readonly keepSucceeded?: boolean;
  /** What workers do about a lane whose next job has failed. Who recovers skips it. */
  readonly blocked?: BlockedPolicy['action'];
  /** A job that was started so often is what kills its workers. */
  readonly maxStarts?: number;
};

export function homeWith(name: string, variant: HomeVariant): Layout {
  return {
    ...spool,
    name,
    isShared: true,
    create: async (machine) => {
      await createSpool(machine, QUEUE);
      await makeRooms(machine, QUEUE);
      await writeSettings(machine, QUEUE, { order: 'free' });
    },
    laneOf,
    isVain: (payload) => payload.includes('expired'),
    putAway: failedJobs,
    givesUp: variant.maxStarts !== undefined,
    add: async (machine, payload, way) => {
      const durability = way === 'crash-safe' ? 'crash-safe' : 'power-safe';
      const queue = await openSpool(machine, QUEUE);
      return numberOf(await queue.add(newJob(machine, payload), { durability }));
    },
    addAll: async (machine, payloads) => {
      const queue = await openSpool(machine, QUEUE);
      return (await queue.addAll(payloads.map((payload) => newJob(machine, payload)))).map(numberOf);
    },
    pause: (machine) => pause(machine, QUEUE),
    resume: async (machine) => {
      await resume(machine, QUEUE);
    },
    work: async (machine, runner) => {
      const { manner = MANNER } = runner;
      for (let round = 1; ; round++) {
        const idle = await serve(machine, runner, manner, variant);
        if (!manner.isPatient || idle?.reason === 'gap') return endOf(idle);
        const isIdle = idle === undefined || idle.reason === 'empty';
        if (isIdle && (await claimedJobs(machine)) === 0) return { kind: 'empty' };
        if (round === ROUNDS_LIMIT) throw new Error(`after ${round} rounds it is still ${idle?.reason}`);
        await sleep(machine.clock, LEASES_OVER_MS);
      }
    },
    skipTo: async (machine, lane, next) => {
      const path = `${QUEUE}/lanes/${lane}`;
      await writeFile(machine, `${path}.set`, encodeBytes(`${next}\n`));
      await machine.files.rename(`${path}.set`, path);
      const directory = await machine.files.open(`${QUEUE}/lanes`, 'directory');
      await machine.files.fsync(directory);
      await machine.files.close(directory);
    },
    notes: ['log'],
    listed: [`${QUEUE}/work`, `${QUEUE}/lanes`],
    fixedNames: ['nextseq.lock', 'settings.json', 'paused', ...lanes()].map((file) => `${QUEUE}/${file}`),
  };
}

export const home: Layout = homeWith('home', {});

/** The other ways to work it that the library offers. */
export const HOME_VARIANTS: readonly Layout[] = [
  homeWith('home-keep', { keepSucceeded: true }),
  homeWith('home-hold', { blocked: 'hold' }),
  homeWith('home-drop', { blocked: 'drop' }),
];

/** A job whose worker is killed is not started again. For cases without lanes: the history does not see one go on. */
export const homeOnce: Layout = homeWith('home-once', { maxStarts: 1 });

function lanes(): string[] {
  return ['red', 'blue'].flatMap((lane) =>
    [lane, `${lane}.lock`, `${lane}.added`].map((name) => `lanes/${name}`),
  );
}

function laneOf(payload: Payload): string | undefined {
  return /(red|blue)\//.exec(payload)?.[1];
}

/** What it was added with goes along as a parameter too, so that whoever settles it knows which one it is. */
function newJob({ clock }: Machine, payload: Payload): NewJob {
  const lane = laneOf(payload);
  const name = /named (\w+)/.exec(payload)?.[1];
  return {
    payload,
    params: [payload],
    ...(lane === undefined ? {} : { lane }),
    ...(name === undefined ? {} : { name }),
    ...(payload.includes('later') ? { notBefore: new Date(toMs(clock.now()) + LATER_MS) } : {}),
    ...(payload.includes('expired') ? { expires: new Date(0) } : {}),
  };
}

function payloadOf({ work }: Pick<Job, 'work'>): Payload {
  return (work.kind === 'command' ? work.params[0] : undefined) ?? '';
}

async function serve(
  machine: Machine,
  runner: Runner,
  manner: Manner,
  variant: HomeVariant,
): Promise<SharedIdle | undefined> {
  const { blocked = 'skip', maxStarts, ...rest } = variant;
  const queue = observed(await openSpool(machine, QUEUE), runner.observer, maxStarts);
  const attempts = new Map<string, number>();
  const { idle } = await serveQueues(machine, [queue], handlerFor(machine, runner, attempts), {
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

async function claimedJobs(machine: Machine): Promise<number> {
  const rooms = await listRooms(machine, QUEUE);
  return rooms.reduce((count, { jobs }) => count + jobs.length, 0);
}

function handlerFor(
  machine: Machine,
  runner: Runner,
  attempts: ReadonlyMap<string, number>,
): Handler | CommandHandler {
  if (runner.kind === 'command') return { program: runner.program };
  const { observer } = runner;
  return async (job, payload) => {
    const { notBeforeMs = 0 } = job.work.kind === 'command' ? termsIn(job.work.env) : {};
    if (notBeforeMs > toMs(machine.clock.now())) {
      observer.broken('terms', `${payloadOf(job)} runs before its time`);
    }
    const run = observer.started(numberOf(job), await payload.bytes(PAYLOAD_LIMIT_BYTES));
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
    lock: session.lock,
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

async function failedJobs(machine: Machine): Promise<Payload[]> {
  const read = headerReader(machine);
  const payloads: Payload[] = [];
  for (const { name } of await machine.files.readdir(`${QUEUE}/failed`)) {
    const result = await read(`${QUEUE}/failed/${name}`);
    if (result.kind === 'header') payloads.push(payloadOf(result.header));
  }
  return payloads;
}

function endOf(idle: SharedIdle | undefined): WorkEnd {
  if (idle?.reason !== 'gap') return { kind: 'empty' };
  return { kind: 'gap', lane: idle.lane, missing: idle.missing, next: idle.next };
}
