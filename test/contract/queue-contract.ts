/** What every layout's `Queue` must do: src/queue/contract.ts as tests. */

import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it, type TestContext } from 'vitest';
import { decodeBytes } from '../../src/os/bytes.ts';
import { readExactly } from '../../src/os/transfer.ts';
import type { Claim, Job, NewJob, PayloadSource, Queue, Session } from '../../src/queue/contract.ts';
import { isQueueError } from '../../src/queue/errors.ts';
import { type Ground, isLack, type Lacks } from './ground.ts';
import { type SharedCapabilities, sharedContract } from './shared-contract.ts';

export type Capabilities = {
  /** It can promise that an accepted job survives a power cut. */
  readonly powerSafe: true | Lacks;
  /** Jobs have the numbers 1, 2, 3 and run by them. */
  readonly numbers: true | Lacks;
  /** A missing number stops the queue. How to make one missing: takes a waiting job away as a disk would. */
  readonly gaps: ((queue: Queue, job: Job) => Promise<void>) | Lacks;
  /** Only one session at a time. */
  readonly exclusive: true | Lacks;
  /** Jobs can also run in the order of their making. */
  readonly creationOrder: true | Lacks;
  /** Params and env may hold any byte but NUL; payloads may hold any. */
  readonly anyBytes: true | Lacks;
  /** Values of env may hold newlines. */
  readonly newlines: true | Lacks;
  /** Variables travel with jobs; those of the command are as Filespooler names them. */
  readonly env: true | Lacks;
  /** Arguments of any length, and any number of them, go into a job. */
  readonly longParams: true | Lacks;
  /** `keepSucceeded` and `keepFailed`. */
  readonly keeping: true | Lacks;
  /** It can be worked beside others; how to make a queue whose jobs may run side by side. */
  readonly shared: (SharedCapabilities & { readonly makeQueue: () => Promise<Ground> }) | Lacks;
};

const MIB = 1024 * 1024;

export function queueContract(
  name: string,
  makeQueue: () => Promise<Ground>,
  capabilities: Capabilities,
): void {
  const skipUnless = ({ skip }: TestContext, capability: unknown): void => {
    if (isLack(capability)) skip(capability.lacks);
  };

  const { shared } = capabilities;
  if (isLack(shared)) it.skip(`${name}: working beside others: ${shared.lacks}`, () => {});
  else sharedContract(name, shared.makeQueue, { ...shared, env: capabilities.env });

  describe(`${name}: adding and listing`, () => {
    it('is empty at first', async () => {
      const { queue } = await makeQueue();
      expect(await queue.jobs()).toEqual({ jobs: [], unreadable: [] });
    });

    it('lists what was added, whole, in order', async () => {
      const ground = await makeQueue();
      const added = [];
      const env = isLack(capabilities.env) ? {} : { FOO: 'bar', EMPTY: '' };
      for (const params of [['a'], ['b', 'c'], []]) added.push(await ground.queue.add({ params, env }));
      const { jobs, unreadable } = await (await ground.reopen()).jobs();
      expect(unreadable).toEqual([]);
      expect(added).toMatchObject(jobs.map(({ id, seq }) => ({ id, seq, duplicate: false })));
      expect(jobs.map(({ work }) => work)).toEqual(
        [['a'], ['b', 'c'], []].map((params) => ({ kind: 'command', params, env: Object.entries(env) })),
      );
      expect(new Set(jobs.map(({ id }) => id)).size).toBe(3);
    });

    it('numbers jobs 1, 2, 3', async (context) => {
      skipUnless(context, capabilities.numbers);
      const { queue } = await makeQueue();
      expect((await queue.add({})).seq).toBe(1n);
      expect((await queue.add({})).seq).toBe(2n);
      expect((await queue.add({})).seq).toBe(3n);
    });

    it('says when a job was made', async () => {
      const { queue, machine } = await makeQueue();
      const before = machine.clock.now();
      await queue.add({});
      const after = machine.clock.now();
      const made = theOnly((await queue.jobs()).jobs).createdAt;
      expect(made.seconds).toBeGreaterThanOrEqual(before.seconds);
      expect(made.seconds).toBeLessThanOrEqual(after.seconds);
    });

    it('knows its location', async () => {
      const { queue, reopen } = await makeQueue();
      expect((await reopen()).location).toBe(queue.location);
    });

    it.for(['power-safe', 'crash-safe'] as const)('adds with durability %s', async (durability, context) => {
      if (durability === 'power-safe') skipUnless(context, capabilities.powerSafe);
      const ground = await makeQueue();
      await ground.queue.add({ payload: 'x' }, { durability });
      expect(await payloadsOf(ground)).toEqual(['x']);
    });

    it('takes every job of 8 senders at once, each with a number of its own', async () => {
      const ground = await makeQueue();
      const queues = await Promise.all(Array.from({ length: 8 }, () => ground.reopen()));
      const added = await Promise.all(queues.map((queue, sender) => queue.add({ payload: `${sender}` })));
      const { jobs, unreadable } = await ground.queue.jobs();
      expect(unreadable).toEqual([]);
      expect(new Set(jobs.map(({ id }) => id))).toEqual(new Set(added.map(({ id }) => id)));
      expect((await payloadsOf(ground)).sort()).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
      if (isLack(capabilities.numbers)) return;
      expect(jobs.map(({ seq }) => seq)).toEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n]);
    });
  });

  describe(`${name}: payloads`, () => {
    const sources: [string, () => PayloadSource, string][] = [
      ['nothing', () => '', ''],
      ['a string', () => 'héllo', 'héllo'],
      ['bytes', () => new TextEncoder().encode('bytes'), 'bytes'],
      ['a Buffer', () => Buffer.from('buffer'), 'buffer'],
      ['a list of chunks', () => ['a', 'b', '', 'c'].map((text) => Buffer.from(text)), 'abc'],
      ['a generator', () => chunks('x', 'y'), 'xy'],
      ['an async generator', () => slowChunks('x', 'y', 'z'), 'xyz'],
      ['a Node stream', () => Readable.from([Buffer.from('no'), Buffer.from('de')]), 'node'],
      ['a pipe', () => piped('through a pipe'), 'through a pipe'],
      ['a web stream', () => new Blob(['web']).stream(), 'web'],
    ];

    it.each(sources)('come from %s', async (_, source, expected) => {
      const ground = await makeQueue();
      await ground.queue.add({ payload: source() });
      expect(await payloadsOf(ground)).toEqual([expected]);
    });

    it('are empty when left out', async () => {
      const ground = await makeQueue();
      await ground.queue.add({});
      expect(await payloadsOf(ground)).toEqual(['']);
    });

    it.each([0, 1, 65_536, MIB, MIB + 1])('of %i bytes come out as they went in', async (size) => {
      const ground = await makeQueue();
      const payload = someBytes(size);
      await ground.queue.add({ payload });
      const read = await withClaim(ground, ({ payload }) =>
        readExactly(ground.machine.files, payload, 2 * MIB),
      );
      expect(Buffer.compare(read, payload)).toBe(0);
    });

    it('need not be text', async () => {
      const ground = await makeQueue();
      const payload = Uint8Array.from({ length: 256 }, (_, byte) => byte);
      await ground.queue.add({ payload });
      const read = await withClaim(ground, ({ payload }) => readExactly(ground.machine.files, payload, 1000));
      expect([...read]).toEqual([...payload]);
    });

    it('as strings may hold bytes that are not UTF-8', async () => {
      const ground = await makeQueue();
      await ground.queue.add({ payload: 'a\udcffb' });
      const read = await withClaim(ground, ({ payload }) => readExactly(ground.machine.files, payload, 10));
      expect([...read]).toEqual([0x61, 0xff, 0x62]);
    });

    const failing: [string, () => PayloadSource][] = [
      ['at once', () => failingChunks()],
      ['after some', () => failingChunks('some', 'more')],
      ['as a Node stream', () => Readable.from(failingChunks('some'))],
    ];

    it.each(failing)('that fail %s leave nothing and use no number', async (_, source) => {
      const ground = await makeQueue();
      await ground.queue.add({ payload: 'before' });
      await expect(ground.queue.add({ payload: source() })).rejects.toThrow('the payload broke off');
      expect((await ground.queue.jobs()).jobs).toHaveLength(1);
      await ground.queue.add({ payload: 'after' });
      expect(await payloadsOf(ground)).toEqual(['before', 'after']);
    });

    it('that fail with a system error are told as that error', async () => {
      const { queue } = await makeQueue();
      const missing = Object.assign(new Error('ENOENT: no such payload'), {
        code: 'ENOENT',
        syscall: 'open',
      });
      await expect(queue.add({ payload: failingWith(missing) })).rejects.toBe(missing);
    });
  });

  describe(`${name}: params and env`, () => {
    const jobs: [string, NewJob][] = [
      ['none', { params: [], env: {} }],
      ['empty', { params: ['', ''], env: { EMPTY: '' } }],
      [
        'with blanks, quotes and newlines',
        { params: ['a b', '"\'', '\n', '--', '$(x)'], env: { A: 'x"\'\ty=z' } },
      ],
      ['in any script', { params: ['é', '日本', '🎉'], env: { ÉTÉ: 'ça' } }],
      ['many', { params: Array.from({ length: 500 }, (_, n) => `p${n}`) }],
      ['long', { params: ['x'.repeat(100_000)] }],
    ];

    it.for(jobs)('%s come out as they went in', async ([size, whole], context) => {
      if (size === 'many' || size === 'long') skipUnless(context, capabilities.longParams);
      const { env = {}, ...rest } = whole;
      const job: NewJob = isLack(capabilities.env) ? rest : { ...rest, env };
      const ground = await makeQueue();
      await ground.queue.add(job);
      expect(await withClaim(ground, ({ job }) => job.work)).toEqual({
        kind: 'command',
        params: job.params ?? [],
        env: Object.entries(job.env ?? {}),
      });
    });

    it('may hold newlines', async (context) => {
      skipUnless(context, capabilities.newlines);
      const ground = await makeQueue();
      await ground.queue.add({ env: { A: 'x\ny=z' } });
      const { work } = await withClaim(ground, (claim) => claim.job);
      expect(work).toMatchObject({ env: [['A', 'x\ny=z']] });
    });

    it('may hold bytes that are not UTF-8', async (context) => {
      skipUnless(context, capabilities.anyBytes);
      const ground = await makeQueue();
      const job = { params: ['\udcff\udc80', 'x\udcfey'], env: { 'N\udcff': 'v\udc81' } };
      await ground.queue.add(job);
      const { work } = await withClaim(ground, (claim) => claim.job);
      expect(work).toEqual({ kind: 'command', params: job.params, env: Object.entries(job.env) });
    });

    it('that nobody could read again are refused', async () => {
      const { queue } = await makeQueue();
      await expect(queue.add({ params: ['x'.repeat(2 * MIB)] })).rejects.toSatisfy(isQueueError);
      expect(await queue.jobs()).toEqual({ jobs: [], unreadable: [] });
      await queue.add({});
      expect((await queue.jobs()).jobs).toHaveLength(1);
    });

    it('reach a command as variables', async (context) => {
      skipUnless(context, capabilities.env);
      const ground = await makeQueue();
      const { seq } = await ground.queue.add({ params: ['p'], env: { FOO: 'bar' } });
      const env = new Map(await withClaim(ground, (claim) => claim.env));
      expect(env.get('FSPL_SEQ')).toBe(seq === undefined ? undefined : String(seq));
      expect(env.get('FSPL_PARAM_1')).toBe('p');
      expect(env.get('FSPL_SET_FOO')).toBe('bar');
    });
  });

  describe(`${name}: working`, () => {
    it('has nothing to claim when it is empty', async () => {
      const { queue } = await makeQueue();
      const session = await queue.session();
      expect(await session.claim()).toEqual({ kind: 'idle', reason: 'empty' });
      expect(await session.claim()).toEqual({ kind: 'idle', reason: 'empty' });
      await session.close();
    });

    it('offers jobs in order, each once it is settled', async () => {
      const ground = await makeQueue();
      for (const payload of ['1', '2', '3', '4']) await ground.queue.add({ payload });
      expect(await payloadsOf(ground)).toEqual(['1', '2', '3', '4']);
    });

    it('is rid of a job that succeeded', async () => {
      const ground = await makeQueue();
      await ground.queue.add({});
      await inSession(ground, async (session) => {
        await (await claimed(session)).succeed();
        expect(await session.claim()).toEqual({ kind: 'idle', reason: 'empty' });
      });
      expect(await ground.queue.jobs()).toEqual({ jobs: [], unreadable: [] });
      expect(await payloadsOf(ground)).toEqual([]);
    });

    it('is rid of a job that failed, and goes on', async () => {
      const ground = await makeQueue();
      await ground.queue.add({ payload: 'fails' });
      await ground.queue.add({ payload: 'next' });
      await inSession(ground, async (session) => {
        await (await claimed(session)).fail();
      });
      expect(await payloadsOf(ground)).toEqual(['next']);
    });

    it('offers a released job again, in the same session and the next', async () => {
      const ground = await makeQueue();
      await ground.queue.add({ payload: 'again' });
      await ground.queue.add({ payload: 'later' });
      await inSession(ground, async (session) => {
        for (const _ of [1, 2, 3]) {
          const claim = await claimed(session);
          expect(await textOf(ground, claim)).toBe('again');
          await claim.release();
        }
      });
      expect(await payloadsOf(ground)).toEqual(['again', 'later']);
    });

    it('forgets nothing when a release follows what was anticipated', async () => {
      const ground = await makeQueue();
      await ground.queue.add({ payload: 'again' });
      await inSession(ground, async (session) => {
        const claim = await claimed(session);
        await claim.anticipate();
        await claim.release();
      });
      expect(await payloadsOf(ground)).toEqual(['again']);
    });

    it('is as it was when a session ends without settling its claim', async () => {
      const ground = await makeQueue();
      await ground.queue.add({ payload: 'mine' });
      const before = await ground.queue.jobs();
      await inSession(ground, async (session) => {
        expect(await textOf(ground, await claimed(session))).toBe('mine');
      });
      expect(await ground.queue.jobs()).toEqual(before);
      expect(await payloadsOf(ground)).toEqual(['mine']);
    });

    it('can be listed and added to while it is worked', async () => {
      const ground = await makeQueue();
      await ground.queue.add({ payload: 'first' });
      await inSession(ground, async (session) => {
        const claim = await claimed(session);
        const other = await ground.reopen();
        const { id } = await other.add({ payload: 'second' });
        const listing = await other.jobs();
        expect(listing.unreadable).toEqual([]);
        expect(listing.jobs.map((job) => job.id)).toContain(id);
        await claim.succeed();
        expect((await other.jobs()).jobs.map((job) => job.id)).toEqual([id]);
      });
      expect(await payloadsOf(ground)).toEqual(['second']);
    });

    it('does not care how much of a payload was read', async () => {
      const ground = await makeQueue();
      await ground.queue.add({ payload: someBytes(3 * MIB) });
      await ground.queue.add({ payload: 'next' });
      await inSession(ground, async (session) => {
        const claim = await claimed(session);
        await readExactly(ground.machine.files, claim.payload, 10);
        expect(await claim.payloadProblem()).toBeUndefined();
        await claim.succeed();
      });
      expect(await payloadsOf(ground)).toEqual(['next']);
    });

    it('has one session at a time', async (context) => {
      skipUnless(context, capabilities.exclusive);
      const ground = await makeQueue();
      await ground.queue.add({ payload: 'x' });
      const other = await ground.reopen();
      await inSession(ground, async () => {
        await expect(other.session()).rejects.toMatchObject({ name: 'QueueError', code: 'locked' });
        expect((await other.jobs()).jobs).toHaveLength(1);
      });
      const session = await other.session();
      expect((await session.claim()).kind).toBe('claim');
      await session.close();
    });

    it('stops at a missing number and says so', async (context) => {
      skipUnless(context, capabilities.gaps);
      if (isLack(capabilities.gaps)) return;
      const ground = await makeQueue();
      for (const payload of ['1', '2', '3', '4']) await ground.queue.add({ payload });
      const second = (await ground.queue.jobs()).jobs[1] as Job;
      await capabilities.gaps(ground.queue, second);
      const gap = { kind: 'idle', reason: 'gap', missing: 2n, next: 3n, waiting: 2 };
      await inSession(ground, async (session) => {
        await (await claimed(session)).succeed();
        expect(await session.claim()).toEqual(gap);
        expect(await session.claim()).toEqual(gap);
      });
    });

    it('by creation order does not look at numbers', async (context) => {
      skipUnless(context, capabilities.creationOrder);
      const ground = await makeQueue();
      for (const payload of ['1', '2', '3']) await ground.queue.add({ payload });
      if (!isLack(capabilities.gaps)) {
        await capabilities.gaps(ground.queue, (await ground.queue.jobs()).jobs[0] as Job);
      }
      const payloads = await payloadsOf(ground, { order: 'creation' });
      expect(payloads).toEqual(isLack(capabilities.gaps) ? ['1', '2', '3'] : ['2', '3']);
    });

    it.for(['sequence', 'creation'] as const)(
      'keeps finished jobs when asked, by %s',
      async (order, context) => {
        skipUnless(context, capabilities.keeping);
        if (order === 'creation') skipUnless(context, capabilities.creationOrder);
        const ground = await makeQueue();
        const good = await ground.queue.add({});
        const bad = await ground.queue.add({});
        const keep = { order, keepSucceeded: true, keepFailed: true };
        await inSession(
          ground,
          async (session) => {
            await (await claimed(session)).succeed();
            await (await claimed(session)).fail();
            expect(await session.claim()).toEqual({ kind: 'idle', reason: 'empty' });
          },
          keep,
        );
        expect((await ground.queue.jobs()).jobs.map(({ id }) => id)).toEqual([good.id, bad.id]);
      },
    );

    it('holds one claim at a time', async () => {
      const ground = await makeQueue();
      await ground.queue.add({});
      await ground.queue.add({});
      await inSession(ground, async (session) => {
        const claim = await claimed(session);
        await expect(session.claim()).rejects.toThrow(/settled/);
        await claim.succeed();
        expect((await session.claim()).kind).toBe('claim');
      });
    });

    it.each(['succeed', 'fail', 'release'] as const)(
      'settles a claim once, then not by %s',
      async (settle) => {
        const ground = await makeQueue();
        for (const payload of ['1', '2', '3']) await ground.queue.add({ payload });
        await inSession(ground, async (session) => {
          const claim = await claimed(session);
          await claim.succeed();
          await expect(claim[settle]()).rejects.toThrow(/settled/);
        });
        expect(await payloadsOf(ground)).toEqual(['2', '3']);
      },
    );
  });
}

async function inSession(
  ground: Ground,
  work: (session: Session) => Promise<void>,
  options: Parameters<Queue['session']>[0] = {},
): Promise<void> {
  const session = await ground.queue.session(options);
  try {
    await work(session);
  } finally {
    await session.close();
  }
}

async function claimed(session: Session): Promise<Claim> {
  const claim = await session.claim();
  if (claim.kind !== 'claim') throw new Error(`nothing to claim: ${claim.reason}`);
  return claim;
}

async function withClaim<T>(ground: Ground, look: (claim: Claim) => T | Promise<T>): Promise<T> {
  const session = await ground.queue.session();
  try {
    const claim = await claimed(session);
    const seen = await look(claim);
    await claim.release();
    return seen;
  } finally {
    await session.close();
  }
}

/** Works the whole queue: what each job's payload was, in the order they came. */
async function payloadsOf(ground: Ground, options: Parameters<Queue['session']>[0] = {}): Promise<string[]> {
  const payloads: string[] = [];
  await inSession(
    ground,
    async (session) => {
      for (let claim = await session.claim(); claim.kind === 'claim'; claim = await session.claim()) {
        payloads.push(await textOf(ground, claim));
        await claim.succeed();
      }
    },
    options,
  );
  return payloads;
}

async function textOf(ground: Ground, claim: Claim): Promise<string> {
  return decodeBytes(await readExactly(ground.machine.files, claim.payload, MIB));
}

function theOnly<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined || items.length !== 1) throw new Error(`expected one item, got ${items.length}`);
  return item;
}

function someBytes(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => (at * 31 + (at >> 8)) & 0xff);
}

function* chunks(...texts: string[]): Generator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function* slowChunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    await new Promise((resolve) => setImmediate(resolve));
    yield Buffer.from(text);
  }
}

async function* failingChunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  yield* slowChunks(...texts);
  throw new Error('the payload broke off');
}

function failingWith(error: Error): AsyncIterable<Uint8Array> {
  return (async function* () {
    yield Buffer.from('some');
    throw error;
  })();
}

function piped(text: string): PassThrough {
  const pipe = new PassThrough();
  pipe.write(text.slice(0, 3));
  setImmediate(() => pipe.end(text.slice(3)));
  return pipe;
}
