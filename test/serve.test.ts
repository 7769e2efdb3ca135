/** Parallel work as users of the library see it: only what `intray` exports. */

import { readdirSync, writeFileSync } from 'node:fs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  type CommandHandler,
  createQueue,
  type FindQueues,
  type Handler,
  isQueueError,
  type Queue,
  type Ran,
  type ServeOptions,
  type ServeReport,
  serve,
  work,
} from '../src/index.ts';
import { notedPid } from './support/commands.ts';
import { isRunning, useTemporary } from './support/temporary.ts';

const temporary = useTemporary();

const free = (name: string) => createQueue(temporary.path(name), { order: 'free' });

/** Resolves for all who have called it when `count` have. */
function meeting(count: number): () => Promise<void> {
  let come = () => {};
  const all = new Promise<void>((resolve) => {
    come = resolve;
  });
  let here = 0;
  return () => {
    here += 1;
    if (here === count) come();
    return all;
  };
}

describe('createQueue', () => {
  it('with an order makes the rooms at once', async () => {
    await createQueue(temporary.path('ordered'), { order: 'sequence' });
    const names = readdirSync(temporary.path('ordered'));
    expect(names).toEqual(expect.arrayContaining(['lanes', 'receipts', 'settings.json', 'work']));
  });

  it('refuses what is there, and an order for a queue that is never worked', async () => {
    await free('q');
    await expect(free('q')).rejects.toMatchObject({ code: 'exists' });
    await expect(createQueue(temporary.path('r'), { order: 'free', appendOnly: true })).rejects.toThrow(
      RangeError,
    );
  });
});

describe('serve', () => {
  it('runs so many jobs of several queues at once', async () => {
    const queues = [await free('a'), await free('b')];
    for (const queue of queues) await queue.addAll([{ payload: '1' }, { payload: '2' }]);
    const meet = meeting(4);
    const report = await serve(queues, meet, { concurrency: 4 });
    expect(report.counts).toEqual({ succeeded: 4, failed: 0, again: 0, 'given-back': 0, lost: 0 });
    expect(report.ended).toBe('idle');
    expect(queues.map((queue) => report.idle.get(queue)?.reason)).toEqual(['empty', 'empty']);
  });

  it('keeps the order of each lane', async () => {
    const queue = await free('q');
    for (let n = 0; n < 5; n++)
      for (const lane of ['a', 'b', 'c']) await queue.add({ lane, payload: `${lane}${n}` });
    const seen: string[] = [];
    const running = new Set<string>();
    await serve(
      queue,
      async (_job, payload) => {
        const text = await payload.text();
        const lane = text[0] as string;
        expect(running.has(lane)).toBe(false);
        running.add(lane);
        await new Promise(setImmediate);
        running.delete(lane);
        seen.push(text);
      },
      { concurrency: 3 },
    );
    for (const lane of ['a', 'b', 'c']) {
      const ofLane = seen.filter((text) => text.startsWith(lane));
      expect(ofLane).toEqual([0, 1, 2, 3, 4].map((n) => `${lane}${n}`));
    }
  });

  it('tells of each run, and runs a failed job again', async () => {
    const queue = await free('q');
    await queue.add({});
    const told: unknown[] = [];
    let runs = 0;
    const report = await serve(
      queue,
      () => {
        runs += 1;
        if (runs < 3) throw new Error(`no ${runs}`);
      },
      { retries: 5, backoff: { firstMs: 1 }, onEnded: (_job, _queue, end) => void told.push(end) },
    );
    expect(told).toEqual([
      { ran: 'again', attempt: 1, reason: 'no 1' },
      { ran: 'again', attempt: 2, reason: 'no 2' },
      { ran: 'succeeded', attempt: 3 },
    ]);
    expect(report.counts).toMatchObject({ succeeded: 1, again: 2 });
  });

  it('works queues that come later, and forgets those that go', async () => {
    const queues = new Map<string, Queue>();
    const stop = new AbortController();
    const done: string[] = [];
    const first = await free('a');
    queues.set('a', first);
    await first.add({ payload: 'a' });
    const find: FindQueues = async () => [...queues.values()];
    const report = await serve(
      find,
      async (_job, payload) => {
        done.push(await payload.text());
        if (done.length === 1) {
          const second = await free('b');
          await second.add({ payload: 'b' });
          queues.set('b', second);
          queues.delete('a');
        } else stop.abort();
      },
      { keepWaiting: true, signal: stop.signal },
    );
    expect(done).toEqual(['a', 'b']);
    expect([...report.idle.keys()].map(({ location }) => location)).not.toContain(first.location);
  });

  it('lets what runs finish when the queues cannot be found any more', async () => {
    const queue = await free('q');
    await queue.add({ payload: 'x' });
    let asked = 0;
    let finished = false;
    let goOn = () => {};
    const failed = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const find: FindQueues = async () => {
      asked += 1;
      if (asked === 1) return [queue];
      goOn();
      throw new Error('the disk is gone');
    };
    const handle = async () => {
      await failed;
      await new Promise(setImmediate);
      finished = true;
    };
    await expect(serve(find, handle, { keepWaiting: true })).rejects.toThrow('the disk is gone');
    expect(finished).toBe(true);
    expect((await queue.jobs()).jobs).toEqual([]);
  });

  it('tells what cannot be read as a job', async () => {
    const queue = await free('q');
    writeFileSync(temporary.path('q', 'jobs', 'fspl-junk.fspl'), 'junk');
    const paths: string[] = [];
    await serve(queue, () => {}, {
      onUnreadable: (_queue, files) => paths.push(...files.map(({ path }) => path)),
    });
    expect(new Set(paths)).toEqual(new Set([temporary.path('q', 'jobs', 'fspl-junk.fspl')]));
  });

  it('ends a command when told to stop, and its job stays', async () => {
    const queue = await free('q');
    await queue.add({ payload: 'mine' });
    const stop = new AbortController();
    const args = ['-c', `echo $$ > ${temporary.path('pid')}; exec sleep 1000`];
    const serving = serve(queue, { program: 'sh', args }, { signal: stop.signal, graceMs: 0 });
    const pid = await notedPid(temporary.path('pid'));
    stop.abort();
    expect((await serving).counts).toMatchObject({ 'given-back': 1, failed: 0 });
    expect(isRunning(pid)).toBe(false);
    expect((await queue.jobs()).jobs).toHaveLength(1);
  });

  it('rejects when somebody works the queue alone, or tells and goes on', async () => {
    const [theirs, ours] = [await free('a'), await free('b')];
    await ours.add({ payload: 'ours' });
    await theirs.add({});
    const session = await theirs.session({ order: 'creation' });
    try {
      await expect(serve([theirs, ours], () => {})).rejects.toMatchObject({ code: 'locked' });
      const told: [string, boolean][] = [];
      const report = await serve([theirs, ours], () => {}, {
        onTrouble: (queue, error) => void told.push([queue.location, isQueueError(error, 'locked')]),
      });
      expect(told).toEqual([[theirs.location, true]]);
      expect((await ours.jobs()).jobs).toEqual([]);
      expect(report.ended).toBe('idle');
    } finally {
      await session.close();
    }
  });

  it.each([
    [{ concurrency: 0 }, 'concurrency'],
    [{ retries: -1 }, 'retries'],
    [{ maxJobs: Number.NaN }, 'maxJobs'],
  ])('refuses %j', async (options, name) => {
    const queue = await free('q');
    await expect(serve(queue, () => {}, options)).rejects.toThrow(`Expected \`${name}\``);
  });

  it('passes what a job asks for on with its variables', async () => {
    const [from, to] = [await free('a'), await free('b')];
    await from.add({ lane: 'alice', name: 'once', payload: 'x' });
    const relay: Handler = async (job, payload) => {
      const env = job.work.kind === 'command' ? Object.fromEntries(job.work.env) : {};
      expect((await to.add({ env, payload })).duplicate).toBe(false);
      expect((await to.add({ env, payload: '' })).duplicate).toBe(true);
      expect((await to.addAll([{ env, payload: '' }]))[0]?.duplicate).toBe(true);
    };
    await serve(from, relay);
    // In its lane it is the first, not a job whose number is missing something before it.
    const report = await serve(to, () => {});
    expect(report.counts.succeeded).toBe(1);
    await expect(work(to, () => {})).resolves.toMatchObject({ succeeded: 0 });
  });
});

it('has the types that it says', () => {
  expectTypeOf(serve).parameters.toEqualTypeOf<
    [
      queues: Queue | readonly Queue[] | FindQueues,
      handler: Handler | CommandHandler,
      options?: ServeOptions | undefined,
    ]
  >();
  expectTypeOf(serve).returns.resolves.toEqualTypeOf<ServeReport>();
  expectTypeOf<Ran>().toEqualTypeOf<'succeeded' | 'failed' | 'again' | 'given-back' | 'lost'>();
});
