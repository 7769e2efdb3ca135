import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Files } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import type { NewJob, Queue } from '../../src/queue/contract.ts';
import { QueueError } from '../../src/queue/errors.ts';
import type { Target } from '../../src/relay/target.ts';
import { interceptFiles } from '../support/intercepted-files.ts';
import { machineWithFiles } from '../support/machines.ts';
import { eventually, useTemporary } from '../support/temporary.ts';
import { drained, homeQueue, MAKERS, relayTo, targetAt, waitingAt } from './support.ts';

const temporary = useTemporary();
let source: Queue;
let target: Queue;

beforeEach(async () => {
  source = await homeQueue(temporary.path('source'));
  target = await homeQueue(temporary.path('target'));
});

const moved = async (options = {}) => relayTo(source, await targetAt(target), options);

describe.each(Object.keys(MAKERS))('from a queue of %s', (from) => {
  it.each(Object.keys(MAKERS))(
    'jobs come to one of %s with their arguments and payload, in their order',
    async (to) => {
      const one = await (MAKERS[from] as (path: string) => Promise<Queue>)(temporary.path('one'));
      const other = await (MAKERS[to] as (path: string) => Promise<Queue>)(temporary.path('other'));
      for (const param of ['a', 'b', 'c']) await one.add({ params: [param, 'x y'], payload: `of ${param}` });
      const { pool, told } = await relayTo(one, await targetAt(other), { concurrency: 1 });
      expect(pool.counts).toMatchObject({ succeeded: 3, failed: 0 });
      expect(told.moved.map(({ bytes }) => bytes)).toEqual([4, 4, 4]);
      expect(await waitingAt(one)).toEqual([]);
      expect(await drained(other)).toEqual(
        ['a', 'b', 'c'].map((param) => ({ param, payload: `of ${param}` })),
      );
    },
  );
});

describe('a job that is moved', () => {
  it('has with it all that its adder asked for', async () => {
    const asked: NewJob = {
      params: ['p', ''],
      env: { PLAIN: 'v', __proto__x: 'w' },
      lane: 'alice',
      priority: 7,
      expires: new Date(Date.now() + 3_600_000),
      name: 'invoice 17',
    };
    await source.add(asked);
    await moved();
    const [job] = await waitingAt(target);
    expect(job?.work.kind === 'command' && new Map(job.work.env)).toEqual(
      new Map([
        ['PLAIN', 'v'],
        ['__proto__x', 'w'],
        ['INTRAY_LANE', 'alice'],
        ['INTRAY_PRIORITY', '7'],
        ['INTRAY_EXPIRES', asked.expires?.toISOString()],
        ['INTRAY_ID', 'invoice 17'],
      ]),
    );
    expect(await target.add({ name: 'invoice 17' })).toMatchObject({ duplicate: true });
  });

  it('keeps the priority that another layout has in the name of the file', async () => {
    const one = await (MAKERS.dirqueue as (path: string) => Promise<Queue>)(temporary.path('one'));
    await one.add({ params: ['later'], priority: 80 });
    await one.add({ params: ['first'], priority: 3 });
    await relayTo(one, await targetAt(target));
    expect((await drained(target)).map(({ param }) => param)).toEqual(['first', 'later']);
  });

  it('keeps its bytes, whatever they are', async () => {
    const odd = 'not \udcff UTF-8\nand a line';
    await source.add({ params: [odd], env: { ODD: odd } });
    await moved();
    const [job] = await waitingAt(target);
    expect(job?.work).toMatchObject({ params: [odd] });
  });

  it('goes into the lane that the relay was told', async () => {
    for (const param of ['a', 'b']) await source.add({ params: [param], lane: `its-${param}` });
    await moved({ lane: 'field' });
    const jobs = await waitingAt(target);
    expect(jobs.map(({ seq }) => seq)).toEqual([1n, 2n]);
  });

  it('may go back, and there again', async () => {
    await source.add({ params: ['a'] });
    await moved();
    await relayTo(target, await targetAt(source));
    await moved();
    expect((await drained(target)).map(({ param }) => param)).toEqual(['a']);
  });
});

describe('the order of a lane', () => {
  it('is kept, though many jobs are on their way at once', async () => {
    for (let number = 0; number < 30; number++) {
      await source.add({ params: [`${number}`], lane: 'abc'[number % 3] ?? '' });
    }
    const { pool } = await moved({ concurrency: 8 });
    expect(pool.counts.succeeded).toBe(30);
    const order = (await drained(target)).map(({ param }) => Number(param));
    for (const lane of [0, 1, 2]) {
      const ofLane = order.filter((number) => number % 3 === lane);
      expect(ofLane).toEqual([...ofLane].sort((a, b) => a - b));
    }
  });

  it('is that of the numbers, in a queue that keeps them', async () => {
    const ordered = await homeQueue(temporary.path('ordered'), 'sequence');
    for (let number = 1; number <= 9; number++) await ordered.add({ params: [`${number}`] });
    await relayTo(ordered, await targetAt(target), { lane: 'from ordered', concurrency: 8 });
    expect((await drained(target)).map(({ param }) => param)).toEqual([...'123456789']);
  });

  it('of each sender is kept where several come together', async () => {
    const other = await homeQueue(temporary.path('other'));
    for (let number = 1; number <= 6; number++) {
      await source.add({ params: [`s${number}`], lane: 's' });
      await other.add({ params: [`o${number}`], lane: 'o' });
    }
    await Promise.all([moved(), relayTo(other, await targetAt(target))]);
    const order = (await drained(target)).map(({ param }) => param);
    expect(order.filter((param) => param.startsWith('s'))).toEqual(['s1', 's2', 's3', 's4', 's5', 's6']);
    expect(order.filter((param) => param.startsWith('o'))).toEqual(['o1', 'o2', 'o3', 'o4', 'o5', 'o6']);
  });
});

/** As if the relay died between the two queues. */
async function dyingTarget(): Promise<Target> {
  const whole = await targetAt(target);
  return {
    ...whole,
    deliver: async (...args) => {
      await whole.deliver(...args);
      throw new Error('we are dead');
    },
  };
}

describe('a relay that dies between the two queues', () => {
  it('leaves the job in both, and the next one brings nothing twice', async () => {
    await source.add({ params: ['a'], payload: 'once' });
    await relayTo(source, await dyingTarget());
    expect(await waitingAt(source)).toHaveLength(1);
    expect(await waitingAt(target)).toHaveLength(1);
    const { told } = await moved();
    expect(told.moved).toMatchObject([{ duplicate: true, bytes: 0 }]);
    expect(await waitingAt(source)).toEqual([]);
    expect(await drained(target)).toEqual([{ param: 'a', payload: 'once' }]);
  });

  it.each(['dirqueue', 'fsq'])('leaves nothing twice in a queue of %s either', async (layout) => {
    target = await (MAKERS[layout] as (path: string) => Promise<Queue>)(temporary.path('other'));
    await source.add({ params: ['a'], payload: 'once' });
    await source.add({ params: ['b'], payload: 'once too' });
    await relayTo(source, await dyingTarget(), { concurrency: 1 });
    const { told } = await moved({ concurrency: 1 });
    expect(told.moved.map(({ duplicate, bytes }) => [duplicate, bytes])).toEqual([
      [true, 0],
      [false, 8],
    ]);
    expect(await drained(target)).toHaveLength(2);
  });

  it('brings nothing twice either when the job has been run meanwhile', async () => {
    await source.add({ params: ['a'] });
    await relayTo(source, await dyingTarget());
    expect(await drained(target)).toHaveLength(1);
    await moved();
    expect(await drained(target)).toEqual([]);
  });
});

describe('a job that the target does not take', () => {
  it('fails with the reason, and the others go on', async () => {
    const plain = await (MAKERS.dirqueue as (path: string) => Promise<Queue>)(temporary.path('plain'));
    await source.add({ params: ['laned'], lane: 'l' });
    await source.add({ params: ['free'] });
    const { pool, told } = await relayTo(source, await targetAt(plain));
    expect(pool.counts).toMatchObject({ succeeded: 1, failed: 1 });
    expect(told.refused).toEqual([expect.stringContaining('has no lanes')]);
    expect((await drained(plain)).map(({ param }) => param)).toEqual(['free']);
  });

  it('is taken without what it was refused for, where that is to be left out', async () => {
    const plain = await (MAKERS.dirqueue as (path: string) => Promise<Queue>)(temporary.path('plain'));
    await source.add({ params: ['laned'], lane: 'l' });
    await relayTo(source, await targetAt(plain), { leaveOut: ['lane'] });
    expect((await drained(plain)).map(({ param }) => param)).toEqual(['laned']);
  });

  it('fails when its payload cannot be read to its end, and nothing of it is there', async () => {
    await source.add({ params: ['a'], payload: 'x'.repeat(10) });
    // So much at once is read of payloads alone.
    const files: Files = {
      ...realMachine.files,
      read: (descriptor, buffer, offset, length) => {
        if (length > 100_000) throw Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'read' });
        return realMachine.files.read(descriptor, buffer, offset, length);
      },
    };
    const { told } = await relayTo(source, await targetAt(target), { machine: machineWithFiles(files) });
    expect(told.refused).toEqual([expect.stringContaining('its payload cannot be read')]);
    expect(await waitingAt(target)).toEqual([]);
    expect(readdirSync(join(source.location, 'failed'))).toHaveLength(1);
  });

  it('is stepped over and told when nobody can read it at all', async () => {
    await source.add({ params: ['good'] });
    writeFileSync(join(source.location, 'jobs/fspl-bad.fspl'), 'no packet');
    const { told } = await moved();
    expect(told.unreadable[0]).toMatchObject({ path: expect.stringContaining('fspl-bad') });
    expect((await drained(target)).map(({ param }) => param)).toEqual(['good']);
  });
});

describe('a target in trouble', () => {
  const full = () => Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' });

  function fillingUp(times: number) {
    let left = times;
    return machineWithFiles(
      interceptFiles(realMachine.files, ({ name, path }) => {
        if (name === 'write' && path.startsWith(`${target.location}/jobs/`) && left-- > 0) throw full();
      }),
    );
  }

  it('ends a relay that does not keep waiting, and the jobs are as they were', async () => {
    for (const param of ['a', 'b']) await source.add({ params: [param] });
    const onFull = await targetAt(target, { machine: fillingUp(100) });
    const { pool, trouble } = await relayTo(source, onFull, { concurrency: 1 });
    expect(trouble).toMatchObject({ code: 'ENOSPC' });
    expect(pool.counts).toMatchObject({ succeeded: 0, failed: 0, 'given-back': 1 });
    expect(await waitingAt(source)).toHaveLength(2);
    expect(readdirSync(join(target.location, 'jobs'))).toEqual([]);
  });

  it('is tried again by one that keeps waiting', async () => {
    await source.add({ params: ['a'] });
    const stop = new AbortController();
    const relay = relayTo(source, await targetAt(target, { machine: fillingUp(1) }), {
      keepWaiting: true,
      stop: stop.signal,
    });
    await eventually(async () => expect(await waitingAt(target)).toHaveLength(1));
    stop.abort();
    const { told } = await relay;
    expect(told.troubles).toMatchObject([{ code: 'ENOSPC' }]);
  });

  it('that is paused takes jobs, which wait there', async () => {
    writeFileSync(join(target.location, 'paused'), '');
    await source.add({ params: ['a'] });
    await moved();
    expect(await waitingAt(target)).toHaveLength(1);
  });

  it('gets no more jobs than it has room for, until there is room again', async () => {
    for (let number = 0; number < 10; number++) await source.add({ params: [`${number}`] });
    const stop = new AbortController();
    let told = 0;
    const small = await targetAt(target, { maxWaiting: 3, onFull: () => (told += 1) });
    const relay = relayTo(source, small, { keepWaiting: true, stop: stop.signal, concurrency: 4 });
    await eventually(() => expect(told).toBeGreaterThan(0));
    await eventually(async () => expect(await waitingAt(target)).toHaveLength(3));
    expect(await drained(target)).toHaveLength(3);
    await eventually(async () => expect(await waitingAt(target)).toHaveLength(3));
    stop.abort();
    const { pool } = await relay;
    expect(pool.counts.succeeded).toBe(6);
    expect((await waitingAt(source)).length + 6).toBe(10);
  });
});

describe('a source', () => {
  it('that is paused keeps its jobs', async () => {
    await source.add({ params: ['a'] });
    writeFileSync(join(source.location, 'paused'), '');
    const { pool } = await moved();
    expect([...pool.idle.values()]).toMatchObject([{ reason: 'paused', waiting: 1 }]);
    expect(await waitingAt(target)).toEqual([]);
  });

  it('that has something wrong is told', async () => {
    await source.add({});
    rmSync(join(source.location, 'work'), { recursive: true });
    rmSync(join(source.location, 'nextseq.lock'));
    const { told } = await moved();
    expect(told.troubles).toEqual([expect.any(QueueError)]);
  });
});
