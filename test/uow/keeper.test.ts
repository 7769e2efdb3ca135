import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runMonitor } from '../../src/monitor/monitor.ts';
import { openKeeper, openQueue } from '../../src/open/open.ts';
import { realMachine } from '../../src/os/real/index.ts';
import type { NewJob } from '../../src/queue/contract.ts';
import { makeRoot, unitText } from '../support/roots.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const JOBS = [`job end :: sh -c 'echo said; exit "$1"' sh {CODE}`];

const begin = async () => {
  const root = await makeRoot(temporary.path('root'), JOBS);
  return {
    root,
    queue: await openQueue(realMachine, root.path),
    keeper: await openKeeper(realMachine, root.path),
  };
};

describe('a root as a queue', () => {
  it('takes jobs whose payload is a header, and lists them in their order', async () => {
    const { root, queue } = await begin();
    const first = await queue.add({ payload: 'CODE :: 0\n', env: { WHY: 'a test' }, name: 'first' });
    expect(first).toEqual({ id: 'first', seq: undefined, duplicate: false });
    expect(await queue.add({ name: 'first' })).toMatchObject({ duplicate: true });
    const [urgent] = await queue.addAll([{ payload: 'CODE :: 3', priority: 0 }]);
    expect(root.read('wait-q', 'first')).toBe('==== UNIT OF WORK\nWHY :: a test\nCODE :: 0\n');
    const { jobs } = await queue.jobs();
    expect(jobs.map(({ id }) => id)).toEqual([urgent?.id, 'first']);
    expect(jobs[1]?.work).toEqual({
      kind: 'command',
      params: [],
      env: [
        ['WHY', 'a test'],
        ['CODE', '0'],
      ],
    });
    expect(await queue.stirs()).toBe(true);
    expect(await runMonitor(realMachine, root.path, { once: true })).toEqual({ done: 1, error: 1, fail: 0 });
    expect(await queue.add({ name: 'first' })).toMatchObject({ duplicate: true });
    expect(await queue.stirs()).toBe(false);
  });

  it.each<[string, NewJob]>([
    ['arguments', { params: ['x'] }],
    ['lane', { lane: 'x' }],
    ['time to start', { notBefore: new Date() }],
    ['time to expire', { expires: new Date() }],
    ['cannot be an item', { env: { A: 'two\nlines' } }],
    ['no item', { payload: 'no item' }],
    ['without a slash', { name: '../x' }],
  ])('refuses what a unit of work cannot carry: %s', async (what, job) => {
    const { root, queue } = await begin();
    const expected = what === 'no item' ? 'Expected `NAME :: CONTENT`' : what;
    await expect(queue.add(job)).rejects.toThrow(expected);
    expect(root.names('wait-q')).toEqual([]);
  });

  it('is worked by its Monitor only', async () => {
    const { queue } = await begin();
    await expect(queue.join()).rejects.toMatchObject({ code: 'not-possible' });
    await expect(queue.session()).rejects.toThrow('only a Monitor runs units of work');
  });
});

describe('a root for an operator', () => {
  it('shows what is where, what it said, and what to do', async () => {
    const { root, keeper } = await begin();
    root.put('wait-q', 'bad', unitText({ CODE: '7' }));
    root.put('wait-q', 'good', unitText({ CODE: '0' }));
    await runMonitor(realMachine, root.path, { once: true });
    root.put('wait-q', 'next', unitText({ CODE: '0' }));
    root.put('wait-q', 'junk', 'hello');
    const snapshot = await keeper.look();
    expect(snapshot).toMatchObject({
      layout: 'uow',
      counts: { waiting: 1, failed: 1, done: 1, unreadable: 1 },
    });
    const all = await keeper.everyJob(snapshot);
    expect(all.map(({ id, place }) => `${id} ${place}`)).toEqual([
      'next waiting',
      'bad failed',
      'good done',
      'junk unreadable',
    ]);
    const [next, bad] = all;
    if (next === undefined || bad === undefined) throw new Error('not there');
    expect(await keeper.explain(snapshot, next)).toMatchObject({ cause: 'no-worker' });
    const { records, outputs } = await keeper.runs(bad);
    expect(records).toMatchObject([{ outcome: 'failed', reason: expect.stringMatching(/^exit code 7/) }]);
    expect(outputs).toMatchObject([{ path: join(root.path, 'error-q/bad') }]);
    expect((await keeper.details(bad)).contents?.work).toMatchObject({ env: [['CODE', '7']] });
  });

  it('puts back what has failed, and into the trash what is removed', async () => {
    const { root, keeper } = await begin();
    root.put('wait-q', 'bad', unitText({ CODE: '7' }));
    await runMonitor(realMachine, root.path, { once: true });
    const operation = await keeper.operate();
    const find = async () => (await keeper.everyJob(await keeper.look()))[0];
    const failed = await find();
    if (failed === undefined) throw new Error('not there');
    expect(await operation.retry(failed)).toMatchObject({ kind: 'done' });
    expect(await operation.retry(failed)).toEqual({ kind: 'gone' });
    const waiting = await find();
    if (waiting === undefined) throw new Error('not there');
    expect(await operation.retry(waiting)).toEqual({ kind: 'unchanged' });
    expect(await operation.remove(waiting)).toMatchObject({ kind: 'done' });
    await operation.close();
    expect(root.names('trash')).toEqual(['bad']);
  });

  it('is paused by a file that anybody can make', async () => {
    const { root, keeper } = await begin();
    await keeper.pause();
    expect(existsSync(join(root.path, 'paused'))).toBe(true);
    expect(await keeper.isPaused()).toBe(true);
    root.put('wait-q', 'a', unitText({ CODE: '0' }));
    expect(await runMonitor(realMachine, root.path, { once: true })).toMatchObject({ done: 0 });
    expect(await keeper.resume()).toBe(true);
    expect(await keeper.resume()).toBe(false);
    expect(await keeper.whatRuns()).toEqual({ jobs: 0, abandoned: 0, alone: false });
  });
});
