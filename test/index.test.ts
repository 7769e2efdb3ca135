/** The library as its users see it: only what `intray` exports. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  type Added,
  type AddOptions,
  type Claim,
  type CommandHandler,
  createQueue,
  type Durability,
  type ErrorCode,
  type Handler,
  type Idle,
  isQueueError,
  type Job,
  type JobId,
  type Listing,
  type NewJob,
  openQueue,
  type Payload,
  type PayloadSource,
  type ProcessReport,
  type Queue,
  QueueError,
  type Sequence,
  type Session,
  type Timestamp,
  type Work,
  type WorkOptions,
  work,
} from '../src/index.ts';
import type { LayoutName } from '../src/queue/snapshot.ts';
import { notedPid } from './support/commands.ts';
import { isRunning, useTemporary } from './support/temporary.ts';

const temporary = useTemporary();

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('a queue', () => {
  it('is made, filled, listed and worked with a function', async () => {
    const queue = await createQueue(temporary.path('thumbnails'));
    expect(queue.location).toBe(temporary.path('thumbnails'));
    await queue.add({ params: ['holiday.jpg'], env: { SIZE: '200' }, payload: Uint8Array.of(1, 2, 3) });
    await queue.add({ params: ['party.jpg'], payload: 'text' });

    const same = await openQueue(temporary.path('thumbnails'));
    const { jobs } = await same.jobs();
    expect(jobs.map(({ work }) => (work.kind === 'command' ? work.params : []))).toEqual([
      ['holiday.jpg'],
      ['party.jpg'],
    ]);

    const seen: [string, number][] = [];
    const report = await work(same, async (job, payload) => {
      if (job.work.kind === 'command') seen.push([job.work.params[0] ?? '', (await payload.bytes()).length]);
    });
    expect(seen).toEqual([
      ['holiday.jpg', 3],
      ['party.jpg', 4],
    ]);
    expect(report).toEqual({
      unreadable: [],
      succeeded: 2,
      failed: 0,
      ended: { kind: 'idle', reason: 'empty' },
    });
    expect((await queue.jobs()).jobs).toEqual([]);
  });

  it('is worked with a command', async () => {
    const queue = await createQueue(temporary.path('queue'));
    await queue.add({ payload: 'exactly this' });
    await queue.add({ payload: 'something else' });
    const report = await work(queue, { program: 'grep', args: ['-qx', 'exactly this'] });
    expect(report).toMatchObject({
      succeeded: 1,
      failed: 1,
      ended: { kind: 'failed', job: { seq: 2n }, reason: 'it ended with exit code 1' },
    });
    expect(await work(queue, { program: 'cat', args: ['/dev/null'] })).toMatchObject({ succeeded: 1 });
  });

  it('says in its report what is missing', async () => {
    const queue = await createQueue(temporary.path('queue'));
    writeFileSync(temporary.path('sender'), '5\n');
    await queue.add({}, { sequenceFile: temporary.path('sender'), durability: 'crash-safe' });
    expect((await work(queue, () => {})).ended).toEqual({
      kind: 'idle',
      reason: 'gap',
      missing: 1n,
      next: 5n,
      waiting: 1,
    });
  });

  it('can be worked claim by claim', async () => {
    const queue = await createQueue(temporary.path('queue'));
    await queue.add({});
    const session = await queue.session();
    const claim = await session.claim();
    expect(claim.kind).toBe('claim');
    if (claim.kind === 'claim') await claim.succeed();
    expect(await session.claim()).toEqual({ kind: 'idle', reason: 'empty' });
    await session.close();
  });

  it('can be for adding only', async () => {
    const queue = await createQueue(temporary.path('queue'), { appendOnly: true });
    await queue.add({});
    expect(await failure(work(queue, () => {}))).toMatchObject({ code: 'append-only' });
    expect((await queue.jobs()).jobs).toHaveLength(1);
  });
});

describe('errors', () => {
  it('not-a-queue', async () => {
    mkdirSync(temporary.path('plain'));
    const whys = {
      none: 'there is no such directory',
      plain: 'it has no jobs directory, so it is not a queue',
    };
    for (const [name, why] of Object.entries(whys)) {
      const error = await failure(openQueue(temporary.path(name)));
      expect(isQueueError(error, 'not-a-queue')).toBe(true);
      expect(error).toBeInstanceOf(QueueError);
      expect(error).toMatchObject({
        message: `${temporary.path(name)}: ${why}`,
        hint: expect.stringContaining('queue-init'),
      });
    }
  });

  it('exists', async () => {
    await createQueue(temporary.path('queue'));
    const error = await failure(createQueue(temporary.path('queue')));
    expect(isQueueError(error, 'exists')).toBe(true);
  });

  it('locked', async () => {
    const queue = await createQueue(temporary.path('queue'));
    await queue.add({});
    const session = await queue.session();
    const error = await failure(work(queue, () => {}));
    expect(isQueueError(error, 'locked')).toBe(true);
    await session.close();
    expect((await work(queue, () => {})).succeeded).toBe(1);
  });

  it('command-not-started', async () => {
    const queue = await createQueue(temporary.path('queue'));
    await queue.add({});
    const error = await failure(work(queue, { program: 'intray-no-such-command' }, { onFailure: 'delete' }));
    expect(isQueueError(error, 'command-not-started')).toBe(true);
    expect((await queue.jobs()).jobs).toHaveLength(1);
  });
});

describe('an AbortSignal', () => {
  it('ends a running command, and its job stays', async () => {
    const queue = await createQueue(temporary.path('queue'));
    await queue.add({ payload: 'mine' });
    const controller = new AbortController();
    const args = ['-c', `echo $$ > ${temporary.path('pid')}; exec sleep 1000`];
    const working = work(queue, { program: 'sh', args }, { signal: controller.signal });
    const pid = await notedPid(temporary.path('pid'));
    controller.abort();
    expect(await working).toEqual({ unreadable: [], succeeded: 0, failed: 0, ended: { kind: 'stopped' } });
    expect(isRunning(pid)).toBe(false);

    const payloads: string[] = [];
    await work(queue, async (_, payload) => payloads.push(await payload.text()));
    expect(payloads).toEqual(['mine']);
  });

  it('that was aborted before runs nothing', async () => {
    const queue = await createQueue(temporary.path('queue'));
    await queue.add({});
    const report = await work(queue, () => {}, { signal: AbortSignal.abort() });
    expect(report).toEqual({ unreadable: [], succeeded: 0, failed: 0, ended: { kind: 'stopped' } });
  });
});

describe('types', () => {
  it('of the functions', () => {
    expectTypeOf(createQueue).parameters.toEqualTypeOf<
      [
        path: string,
        options?:
          | ({ readonly appendOnly?: boolean; readonly order?: 'free' | 'sequence' } & {
              readonly layout?: LayoutName;
            })
          | undefined,
      ]
    >();
    expectTypeOf(createQueue).returns.resolves.toEqualTypeOf<Queue>();
    expectTypeOf(openQueue).toEqualTypeOf<(path: string) => Promise<Queue>>();
    expectTypeOf(work).parameters.toEqualTypeOf<
      [queue: Queue, handler: Handler | CommandHandler, options?: WorkOptions | undefined]
    >();
    expectTypeOf(work).returns.resolves.toEqualTypeOf<ProcessReport>();
    expectTypeOf<Handler>().parameters.toEqualTypeOf<[job: Job, payload: Payload, signal: AbortSignal]>();
  });

  it('of a queue', () => {
    expectTypeOf<Queue['add']>().parameters.toEqualTypeOf<[job: NewJob, options?: AddOptions | undefined]>();
    expectTypeOf<Queue['add']>().returns.resolves.toEqualTypeOf<Added>();
    expectTypeOf<Queue['jobs']>().returns.resolves.toEqualTypeOf<Listing>();
    expectTypeOf<Queue['session']>().returns.resolves.toEqualTypeOf<Session>();
    expectTypeOf<Session['claim']>().returns.resolves.toEqualTypeOf<Claim | Idle>();
    expectTypeOf<Durability>().toEqualTypeOf<'power-safe' | 'crash-safe'>();
  });

  it('of payloads take what Node and the web have', () => {
    expectTypeOf<Buffer>().toExtend<PayloadSource>();
    expectTypeOf<NodeJS.ReadableStream & AsyncIterable<Buffer>>().toExtend<PayloadSource>();
    expectTypeOf<Uint8Array[]>().toExtend<PayloadSource>();
    expectTypeOf<string[]>().toExtend<PayloadSource>();
    expectTypeOf<number[]>().not.toExtend<PayloadSource>();
    expectTypeOf<Payload>().toExtend<AsyncIterable<Uint8Array>>();
  });

  it('of a job: numbers are no plain bigints, ids no plain strings', () => {
    expectTypeOf<Job['seq']>().toEqualTypeOf<Sequence | undefined>();
    expectTypeOf<bigint>().not.toExtend<Sequence>();
    expectTypeOf<Sequence>().toExtend<bigint>();
    expectTypeOf<string>().not.toExtend<JobId>();
    expectTypeOf<JobId>().toExtend<string>();
    expectTypeOf<Job['createdAt']>().toEqualTypeOf<Timestamp>();
    expectTypeOf<Work['kind']>().toEqualTypeOf<'command' | 'nop' | 'fail'>();
  });

  it('of errors and ends narrow by their names', () => {
    const error: unknown = new QueueError('locked', 'x');
    if (isQueueError(error, 'locked')) expectTypeOf(error).toEqualTypeOf<QueueError>();
    expectTypeOf<QueueError['code']>().toEqualTypeOf<ErrorCode>();
    expectTypeOf<'locked'>().toExtend<ErrorCode>();
    expectTypeOf<'no-such-code'>().not.toExtend<ErrorCode>();
    expectTypeOf<Extract<Idle, { reason: 'gap' }>['missing']>().toEqualTypeOf<Sequence>();
  });
});
