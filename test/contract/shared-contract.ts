/** What every layout's `join` must do: the shared half of src/queue/contract.ts as tests. */

import { describe, expect, it } from 'vitest';
import { decodeBytes } from '../../src/os/bytes.ts';
import { toMs } from '../../src/os/calendar.ts';
import { readExactly } from '../../src/os/transfer.ts';
import type {
  FailingJob,
  Job,
  JoinOptions,
  NewJob,
  Queue,
  SharedClaim,
  SharedIdle,
  SharedSession,
} from '../../src/queue/contract.ts';
import { type Ground, isLack, type Lacks, needing } from './ground.ts';

/** Of a queue whose jobs may run side by side, but for those of a lane. */
export type SharedCapabilities = {
  readonly lanes: true | Lacks;
  readonly priority: true | Lacks;
  readonly notBefore: true | Lacks;
  readonly expires: true | Lacks;
  /** The adder's own names for jobs. */
  readonly names: true | Lacks;
  /** A lane waits for a missing number. How to make one missing: takes a waiting job away as a disk would. */
  readonly gaps: ((queue: Queue, job: Job) => Promise<void>) | Lacks;
  /** Whoever works the queue alone, and those who work it beside others, keep each other out. */
  readonly alone: true | Lacks;
  /** Jobs do not start while the queue is paused. */
  readonly pause: { pause(queue: Queue): Promise<void>; resume(queue: Queue): Promise<void> } | Lacks;
  /** Takes a claim away from its worker, as others do who think that it is dead. */
  readonly lose: ((queue: Queue, claim: SharedClaim) => Promise<void>) | Lacks;
  /** Puts something into the queue that looks like a job and cannot be read. */
  readonly spoil: ((queue: Queue) => Promise<void>) | Lacks;
};

/** Long enough for a claim to come before it is over, on a slow disk too. */
const A_WHILE_MS = process.env.INTRAY_SLOW_DISK === '1' ? 10_000 : 400;
const DEADLINE_MS = 60_000;
const never = new AbortController().signal;

export function sharedContract(
  name: string,
  makeQueue: () => Promise<Ground>,
  capabilities: SharedCapabilities & { readonly env: true | Lacks },
): void {
  const needs = needing(capabilities);

  describe(`${name}: working beside others`, () => {
    it('has nothing to claim when it is empty', async () => {
      await inSession(await makeQueue(), async (session) => {
        const empty = { kind: 'idle', reason: 'empty', waiting: 0 };
        expect(await session.claim()).toEqual(empty);
        expect(await session.claim()).toEqual(empty);
      });
    });

    it('gives several claims at once, to be settled in any order', async () => {
      const ground = await filled('1', '2', '3');
      await inSession(ground, async (session) => {
        const claims = [await claimed(session), await claimed(session), await claimed(session)];
        expect(claims.map(param)).toEqual(['1', '2', '3']);
        expect(await session.claim()).toMatchObject({ reason: 'empty', waiting: 0 });
        for (const claim of claims.reverse()) expect(await claim.succeed()).toBe('settled');
      });
      expect((await ground.queue.jobs()).jobs).toEqual([]);
    });

    it('lets calls of claim overlap', async () => {
      const ground = await filled(...numbers(8));
      await inSession(ground, async (session) => {
        const claims = await Promise.all(numbers(8).map(() => claimed(session)));
        expect(claims.map(param).sort()).toEqual(numbers(8));
        await Promise.all(claims.map((claim) => claim.succeed()));
      });
    });

    it('gives each job to one of several workers', async () => {
      const ground = await filled(...numbers(40));
      const ran: string[] = [];
      await Promise.all(
        [1, 2, 3, 4].map(() =>
          inSession(ground, async (session) => {
            ran.push(...(await drain(session)));
          }),
        ),
      );
      expect(ran.sort()).toEqual(numbers(40).sort());
    });

    it('describes the job, its command and its start', async () => {
      const ground = await makeQueue();
      const { id, seq } = await ground.queue.add({
        params: ['p', 'q'],
        env: isLack(capabilities.env) ? {} : { FOO: 'bar' },
        payload: 'text',
      });
      await inSession(ground, async (session) => {
        const claim = await claimed(session);
        expect(claim.job).toMatchObject({ id, seq, work: { kind: 'command', params: ['p', 'q'] } });
        expect(claim.attempt).toBe(1);
        const env = new Map(claim.env);
        if (!isLack(capabilities.env)) {
          expect(env.get('FSPL_PARAM_2')).toBe('q');
          expect(env.get('FSPL_SET_FOO')).toBe('bar');
        }
        expect(env.get('INTRAY_ATTEMPT')).toBe('1');
        expect(env.get('INTRAY_JOB')).toBe(id);
        expect(decodeBytes(await readExactly(ground.machine.files, claim.payload, 100))).toBe('text');
        expect(await claim.payloadProblem()).toBeUndefined();
      });
    });

    it('can be listed and added to meanwhile, and finds what was added', async () => {
      const ground = await filled('1');
      await inSession(ground, async (session) => {
        const first = await claimed(session);
        const other = await ground.reopen();
        await other.add({ params: ['2'] });
        expect((await other.jobs()).jobs.map((job) => param({ job }))).toContain('2');
        expect(param(await claimed(session))).toBe('2');
        await first.succeed();
      });
    });

    it('keeps out who wants it alone, and is kept out', async (context) => {
      needs(context, 'alone');
      const ground = await makeQueue();
      const other = await ground.reopen();
      await inSession(ground, async () => {
        await expect(other.session()).rejects.toMatchObject({ code: 'locked' });
        await (await other.join()).close();
        await expect(other.session()).rejects.toMatchObject({ code: 'locked' });
      });
      const alone = await other.session();
      await expect(ground.queue.join()).rejects.toMatchObject({ code: 'locked' });
      await alone.close();
      await (await ground.queue.join()).close();
    });

    it('does not start a job while it is paused', async (context) => {
      needs(context, 'pause');
      if (isLack(capabilities.pause)) return;
      const ground = await filled('1');
      await inSession(ground, async (session) => {
        if (isLack(capabilities.pause)) return;
        await capabilities.pause.pause(ground.queue);
        expect(await session.claim()).toMatchObject({ kind: 'idle', reason: 'paused' });
        await capabilities.pause.resume(ground.queue);
        expect(param(await later(session))).toBe('1');
      });
    });

    it('says what cannot be read, and goes on beside it', async (context) => {
      needs(context, 'spoil');
      if (isLack(capabilities.spoil)) return;
      const ground = await filled('1');
      await capabilities.spoil(ground.queue);
      await inSession(ground, async (session) => {
        expect(await drain(session)).toEqual(['1']);
        expect(session.unreadable).toHaveLength(1);
        expect(session.unreadable[0]).toMatchObject({
          path: expect.any(String),
          message: expect.any(String),
        });
      });
      expect((await ground.queue.jobs()).unreadable).toHaveLength(1);
    });
  });

  describe(`${name}: settling beside others`, () => {
    it('offers a job that is to be tried again, the start counted, not before its time', async () => {
      const ground = await filled('1');
      await inSession(ground, async (session) => {
        const claim = await claimed(session);
        const atMs = nowMs(ground) + A_WHILE_MS;
        expect(await claim.retry(atMs, 'no luck')).toBe('settled');
        expect(await session.claim()).toMatchObject({
          reason: 'delayed',
          untilMs: Math.ceil(atMs),
          waiting: 1,
        });
        const again = await later(session);
        expect(nowMs(ground)).toBeGreaterThanOrEqual(atMs);
        expect(again.attempt).toBe(2);
        expect(new Map(again.env).get('INTRAY_ATTEMPT')).toBe('2');
        expect(again.job.id).toBe(claim.job.id);
        await again.succeed();
        expect(await session.claim()).toMatchObject({ reason: 'empty' });
      });
    });

    it('offers a released job again, as if it had not been claimed, to others too', async () => {
      const ground = await filled('1');
      const before = await ground.queue.jobs();
      await inSession(ground, async (session) => {
        for (const _ of [1, 2, 3]) {
          const claim = await claimed(session);
          expect(claim.attempt).toBe(1);
          expect(await claim.release()).toBe('settled');
        }
      });
      expect(await ground.queue.jobs()).toEqual(before);
      await inSession(ground, async (session) => {
        expect((await claimed(session)).attempt).toBe(1);
      });
    });

    it('releases what is not settled when it is closed', async () => {
      const ground = await filled('1', '2', '3');
      const before = await ground.queue.jobs();
      await inSession(ground, async (session) => {
        await claimed(session);
        await claimed(session);
      });
      expect(await ground.queue.jobs()).toEqual(before);
    });

    it('is rid of a job that failed for good', async () => {
      const ground = await filled('fails', 'next');
      await inSession(ground, async (session) => {
        expect(await (await claimed(session)).fail('it is broken')).toBe('settled');
        expect(await drain(session)).toEqual(['next']);
      });
      await inSession(ground, async (session) => {
        expect(await session.claim()).toMatchObject({ reason: 'empty' });
      });
    });

    it('gives up a job that was started too often', async () => {
      const ground = await filled('1');
      const options = { maxStarts: 3 };
      const attempts: number[] = [];
      await inSession(
        ground,
        async (session) => {
          for (let answer = await session.claim(); answer.kind === 'claim'; answer = await session.claim()) {
            attempts.push(answer.attempt);
            await answer.retry(0, 'again');
          }
        },
        options,
      );
      expect(attempts).toEqual([1, 2, 3]);
      expect((await ground.queue.jobs()).jobs).toEqual([]);
    });

    it('tells of a job that it gives up, before it does', async () => {
      const ground = await filled('1');
      const told: FailingJob[] = [];
      const startTwice = async (onRefused: (job: FailingJob) => Promise<void>) =>
        inSession(
          ground,
          async (session) => {
            const first = await session.claim();
            if (first.kind === 'claim') await first.retry(0, 'again');
            await session.claim();
          },
          { maxStarts: 1, onRefused },
        );
      const refusal = new Error('nobody can be told');
      await expect(startTwice(() => Promise.reject(refusal))).rejects.toBe(refusal);
      expect((await ground.queue.jobs()).jobs).toHaveLength(1);
      await startTwice(async (job) => void told.push(job));
      expect(told).toMatchObject([{ attempt: 1, reason: expect.stringMatching(/1 time/) }]);
      expect((await ground.queue.jobs()).jobs).toEqual([]);
    });

    it.each(['succeed', 'fail', 'release', 'retry'] as const)(
      'happens once, not again by %s',
      async (how) => {
        const ground = await filled('1');
        await inSession(ground, async (session) => {
          const claim = await claimed(session);
          await claim.succeed();
          await expect(how === 'retry' ? claim.retry(0, '') : claim[how]()).rejects.toThrow(/settled/);
        });
        expect((await ground.queue.jobs()).jobs).toEqual([]);
      },
    );

    it.for(['succeed', 'fail', 'release', 'retry'] as const)(
      'by %s changes nothing when others have the job by now',
      async (how, context) => {
        needs(context, 'lose');
        if (isLack(capabilities.lose)) return;
        const ground = await filled('1');
        await inSession(ground, async (session) => {
          if (isLack(capabilities.lose)) return;
          const claim = await claimed(session);
          await capabilities.lose(ground.queue, claim);
          const before = await ground.queue.jobs();
          expect(before.jobs).toHaveLength(1);
          expect(await (how === 'retry' ? claim.retry(1, '') : claim[how]())).toBe('lost');
          expect(await ground.queue.jobs()).toEqual(before);
          const again = await claimed(session);
          expect([again.job.id, again.attempt]).toEqual([claim.job.id, 2]);
        });
      },
    );

    it('keeps what a run says, and lets it be written at the same time', async () => {
      const ground = await filled('1');
      await inSession(ground, async (session) => {
        const claim = await claimed(session);
        const { stdout, stderr } = await claim.openOutput();
        for (const descriptor of [stdout, stderr])
          await ground.machine.files.write(descriptor, Buffer.from('said'));
        expect(await claim.fail('no')).toBe('settled');
      });
    });
  });

  describe(`${name}: what adders ask for`, () => {
    it('priority, then first come, first served', async (context) => {
      needs(context, 'priority');
      const ground = await makeQueue();
      await ground.queue.addAll([
        { params: ['last'], priority: 99 },
        { params: ['usual'] },
        { params: ['usual too'], priority: 50 },
        { params: ['first'], priority: 0 },
      ]);
      await inSession(ground, async (session) => {
        const ran = await drain(session);
        expect([ran[0], ran.slice(1, 3).sort(), ran[3]]).toEqual(['first', ['usual', 'usual too'], 'last']);
      });
    });

    it.each([-1, 100, 0.5, Number.NaN])('no priority of %d', async (priority) => {
      const { queue } = await makeQueue();
      await expect(queue.add({ priority })).rejects.toMatchObject({ code: 'not-written' });
      expect((await queue.jobs()).jobs).toEqual([]);
    });

    it('no start before its time', async (context) => {
      needs(context, 'notBefore');
      const ground = await makeQueue();
      const tomorrow = new Date(Math.ceil(nowMs(ground)) + 24 * 3_600_000);
      await ground.queue.addAll([{ params: ['tomorrow'], notBefore: tomorrow }, { params: ['now'] }]);
      await inSession(ground, async (session) => {
        expect(await drain(session)).toEqual(['now']);
        expect(await session.claim()).toMatchObject({ reason: 'delayed', untilMs: tomorrow.getTime() });
        const notBefore = new Date(Math.ceil(nowMs(ground)) + A_WHILE_MS);
        await ground.queue.add({ params: ['soon'], notBefore });
        expect(param(await later(session))).toBe('soon');
        expect(nowMs(ground)).toBeGreaterThanOrEqual(notBefore.getTime());
      });
    });

    it('no start after its time', async (context) => {
      needs(context, 'expires');
      const ground = await makeQueue();
      await ground.queue.addAll([
        { params: ['too late'], expires: new Date(nowMs(ground) - 1) },
        { params: ['in time'], expires: new Date(nowMs(ground) + 3_600_000) },
      ]);
      await inSession(ground, async (session) => {
        expect(await drain(session)).toEqual(['in time']);
      });
      expect((await ground.queue.jobs()).jobs).toEqual([]);
    });

    it('to be added once under a name', async (context) => {
      needs(context, 'names');
      const ground = await makeQueue();
      const first = await ground.queue.add({ name: 'a', params: ['1'] });
      const second = await (await ground.reopen()).add({ name: 'a', params: ['2'] });
      expect(first.duplicate).toBe(false);
      expect(second).toEqual({ ...first, duplicate: true });
      await inSession(ground, async (session) => {
        expect(await drain(session)).toEqual(['1']);
      });
      expect(await ground.queue.add({ name: 'a' })).toMatchObject({ duplicate: true });
      expect(await ground.queue.add({ name: 'b' })).toMatchObject({ duplicate: false });
    });
  });

  describe(`${name}: lanes`, () => {
    const inLane = (lane: string, ...params: string[]): NewJob[] =>
      params.map((param) => ({ lane, params: [param] }));

    it('run one job at a time, in the order in which they were added, beside each other', async (context) => {
      needs(context, 'lanes');
      const ground = await makeQueue();
      await ground.queue.addAll([
        ...inLane('a', 'a1', 'a2', 'a3'),
        ...inLane('b', 'b1', 'b2'),
        { params: ['free'] },
      ]);
      await inSession(ground, async (session) => {
        const first = [await claimed(session), await claimed(session), await claimed(session)];
        expect(first.map(param).sort()).toEqual(['a1', 'b1', 'free']);
        expect(await session.claim()).toMatchObject({ kind: 'idle', reason: 'busy', waiting: 3 });
        const [a1] = first.filter((claim) => param(claim) === 'a1') as [SharedClaim];
        expect(new Map(a1.env).get('INTRAY_LANE')).toBe('a');
        await a1.succeed();
        const a2 = await claimed(session);
        expect(param(a2)).toBe('a2');
        await a2.succeed();
        expect(param(await claimed(session))).toBe('a3');
      });
    });

    it('do so across workers', async (context) => {
      needs(context, 'lanes');
      const ground = await makeQueue();
      await ground.queue.addAll(inLane('a', 'a1', 'a2'));
      await inSession(ground, async (one) => {
        await inSession(ground, async (other) => {
          const a1 = await claimed(one);
          expect(await other.claim()).toMatchObject({ reason: 'busy', waiting: 1 });
          await a1.succeed();
          expect(param(await claimed(other))).toBe('a2');
          expect(await one.claim()).toMatchObject({ kind: 'idle' });
        });
      });
    });

    it('of any name are told apart', async (context) => {
      needs(context, 'lanes');
      const ground = await makeQueue();
      const lanes = ['a', 'A', 'a b', 'é', '../x', 'x'.repeat(200), `${'x'.repeat(199)}y`, '%', '.'];
      await ground.queue.addAll(lanes.flatMap((lane) => inLane(lane, lane, 'second')));
      await inSession(ground, async (session) => {
        const claims: SharedClaim[] = [];
        for (const _ of lanes) claims.push(await claimed(session));
        expect(claims.map(param).sort()).toEqual([...lanes].sort());
        expect(await session.claim()).toMatchObject({ reason: 'busy', waiting: lanes.length });
        await inSession(ground, async (other) => {
          expect(await other.claim()).toMatchObject({ reason: 'busy' });
        });
      });
    });

    it('wait for a job that is tried again: it keeps its place', async (context) => {
      needs(context, 'lanes');
      const ground = await makeQueue();
      await ground.queue.addAll(inLane('a', 'a1', 'a2'));
      await inSession(ground, async (session) => {
        await (await claimed(session)).retry(nowMs(ground) + A_WHILE_MS, 'no luck');
        expect(await session.claim()).toMatchObject({ reason: 'delayed', waiting: 2 });
        await inSession(ground, async (other) => {
          expect(await other.claim()).toMatchObject({ reason: 'delayed', waiting: 2 });
        });
        const again = await later(session);
        expect([param(again), again.attempt]).toEqual(['a1', 2]);
        await again.succeed();
        expect(await drain(session)).toEqual(['a2']);
      });
    });

    it('go on with a job that was released', async (context) => {
      needs(context, 'lanes');
      const ground = await makeQueue();
      await ground.queue.addAll(inLane('a', 'a1', 'a2'));
      await inSession(ground, async (session) => {
        await (await claimed(session)).release();
        expect(await drain(session)).toEqual(['a1', 'a2']);
      });
    });

    it('are held at a job that failed, unless told otherwise', async (context) => {
      needs(context, 'lanes');
      const ground = await makeQueue();
      await ground.queue.addAll([...inLane('a', 'a1', 'a2', 'a3'), ...inLane('b', 'b1')]);
      await inSession(ground, async (session) => {
        const [first] = [await claimed(session)];
        await first.fail('broken');
        expect(await drain(session)).toEqual([param(first) === 'a1' ? 'b1' : 'a1']);
      });
      // (Which lane comes first is nobody's business; the rest is about lane a.)
    });

    it('say how many jobs wait for a person', async (context) => {
      needs(context, 'lanes');
      const ground = await makeQueue();
      await ground.queue.addAll(inLane('a', 'a1', 'a2', 'a3'));
      await inSession(ground, async (session) => {
        await (await claimed(session)).fail('broken');
        const held = { kind: 'idle', reason: 'held', jobs: 3, waiting: 3 };
        expect(await session.claim()).toEqual(held);
        await inSession(ground, async (other) => expect(await other.claim()).toEqual(held));
      });
    });

    it.for(['skip', 'drop'] as const)(
      'go on after a job that failed, told to %s it',
      async (action, context) => {
        needs(context, 'lanes');
        const ground = await makeQueue();
        await ground.queue.addAll(inLane('a', 'a1', 'a2'));
        const work = async (session: SharedSession) => {
          await (await claimed(session)).fail('broken');
          expect(await drain(session)).toEqual(['a2']);
        };
        await inSession(ground, work, { blocked: { action } });
        expect((await ground.queue.jobs()).jobs).toEqual([]);
      },
    );

    it.for(['skip', 'drop'] as const)('%s a job that failed after a while', async (action, context) => {
      needs(context, 'lanes');
      const ground = await makeQueue();
      await ground.queue.addAll(inLane('a', 'a1', 'a2'));
      const work = async (session: SharedSession) => {
        await (await claimed(session)).fail('broken');
        const beganMs = ground.machine.clock.monotonicMs();
        expect(await session.claim()).toMatchObject({ reason: 'held' });
        expect(param(await later(session))).toBe('a2');
        expect(ground.machine.clock.monotonicMs() - beganMs).toBeGreaterThanOrEqual(A_WHILE_MS);
      };
      await inSession(ground, work, { blocked: { action, afterMs: A_WHILE_MS } });
    });

    it('wait for a missing number and say so', async (context) => {
      needs(context, 'lanes', 'gaps');
      const ground = await makeQueue();
      await withGap(ground, 'hold');
      await inSession(ground, async (session) => {
        expect(await drain(session)).toEqual(['a1']);
        const gap = { kind: 'idle', reason: 'gap', lane: 'a', missing: 2n, next: 3n, waiting: 2 };
        expect(await session.claim()).toEqual(gap);
      });
    });

    it('wait for it for ever when told to skip what failed, but not for how long to wait', async (context) => {
      needs(context, 'lanes', 'gaps');
      const ground = await makeQueue();
      await withGap(ground, 'skip');
      const work = async (session: SharedSession) => {
        await drain(session);
        for (const _ of [1, 2, 3]) expect(await session.claim()).toMatchObject({ reason: 'gap' });
      };
      await inSession(ground, work, { blocked: { action: 'skip' } });
    });

    it('skip it after a while when told to', async (context) => {
      needs(context, 'lanes', 'gaps');
      const ground = await makeQueue();
      await withGap(ground, 'skip');
      const work = async (session: SharedSession) => {
        expect(await drain(session)).toEqual(['a1']);
        expect(await session.claim()).toMatchObject({ reason: 'gap' });
        const next = await later(session);
        expect(param(next)).toBe('a3');
        await next.succeed();
        expect(await drain(session)).toEqual(['a4']);
      };
      await inSession(ground, work, { blocked: { action: 'skip', afterMs: A_WHILE_MS } });
    });

    it.for(['a', 'x'.repeat(200)])(
      'never skip a job that is running elsewhere (lane %s)',
      async (lane, context) => {
        needs(context, 'lanes');
        const ground = await makeQueue();
        await ground.queue.addAll(inLane(lane, 'a1', 'a2'));
        const options: JoinOptions = { blocked: { action: 'skip', afterMs: 0 } };
        await inSession(ground, async (one) => {
          const a1 = await claimed(one);
          await inSession(
            ground,
            async (other) => {
              for (const _ of [1, 2, 3]) expect(await other.claim()).toMatchObject({ reason: 'busy' });
              await a1.succeed();
              expect(await drain(other)).toEqual(['a2']);
            },
            options,
          );
        });
      },
    );

    async function withGap(ground: Ground, _: string): Promise<void> {
      if (isLack(capabilities.gaps)) return;
      await ground.queue.addAll(inLane('a', 'a1', 'a2', 'a3', 'a4'));
      const second = (await ground.queue.jobs()).jobs.find((job) => param({ job }) === 'a2');
      await capabilities.gaps(ground.queue, second as Job);
    }
  });

  describe(`${name}: waiting for a change`, () => {
    it('ends when told to stop, and at the latest after the time that was given', async () => {
      const ground = await makeQueue();
      await inSession(ground, async (session) => {
        const stop = new AbortController();
        const changed = session.changed(DEADLINE_MS, stop.signal);
        stop.abort();
        await changed;
        await session.changed(DEADLINE_MS, stop.signal);
        await session.changed(1, never);
      });
    });

    it('ends when something comes in', async () => {
      const ground = await makeQueue();
      await inSession(
        ground,
        async (session) => {
          expect(await session.claim()).toMatchObject({ reason: 'empty' });
          const [claim] = await Promise.all([later(session), ground.queue.add({ params: ['1'] })]);
          expect(param(claim)).toBe('1');
        },
        { watch: true },
      );
    });

    it('ends when a claim is settled', async () => {
      const ground = await filled('1');
      await inSession(ground, async (session) => {
        const claim = await claimed(session);
        await Promise.all([session.changed(DEADLINE_MS, never), claim.succeed()]);
      });
    });
  });

  async function filled(...params: string[]): Promise<Ground> {
    const ground = await makeQueue();
    for (const param of params) await ground.queue.add({ params: [param] });
    return ground;
  }
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => `${n + 1}`);

function nowMs({ machine }: Ground): number {
  return toMs(machine.clock.now());
}

async function inSession(
  ground: Ground,
  work: (session: SharedSession) => Promise<void>,
  options: JoinOptions = {},
): Promise<void> {
  const session = await (await ground.reopen()).join(options);
  try {
    await work(session);
  } finally {
    await session.close();
  }
}

function param({ job }: { readonly job: Job }): string {
  return job.work.kind === 'command' ? (job.work.params[0] ?? '') : job.work.kind;
}

async function claimed(session: SharedSession): Promise<SharedClaim> {
  const answer = await session.claim();
  if (answer.kind !== 'claim') throw new Error(`nothing to claim: ${answer.reason}`);
  return answer;
}

/** Waits, as a worker does, until there is something to claim. */
async function later(session: SharedSession): Promise<SharedClaim> {
  const deadline = performance.now() + DEADLINE_MS;
  let last: SharedIdle | undefined;
  while (performance.now() < deadline) {
    const answer = await session.claim();
    if (answer.kind === 'claim') return answer;
    last = answer;
    await session.changed(DEADLINE_MS, never);
  }
  throw new Error(`nothing to claim: ${last?.reason}`);
}

async function drain(session: SharedSession): Promise<string[]> {
  const params: string[] = [];
  for (let answer = await session.claim(); answer.kind === 'claim'; answer = await session.claim()) {
    params.push(param(answer));
    await answer.succeed();
  }
  return params;
}
