import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../src/fsq/constants.ts';
import { openFsq } from '../../src/fsq/fsq.ts';
import { install } from '../../src/fsq/install.ts';
import { openFsqKeeper } from '../../src/fsq/keeper.ts';
import type { Place } from '../../src/fsq/place.ts';
import { recognise } from '../../src/open/recognise.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { readSmallFile } from '../../src/os/transfer.ts';
import type { FoundJob } from '../../src/queue/snapshot.ts';
import { serveQueues } from '../../src/worker/serve.ts';
import { useTemporary } from '../support/temporary.ts';
import { newQueue, put, rooms, scanned } from './support.ts';

const temporary = useTemporary();

async function keeperOf(place: Place) {
  return openFsqKeeper(realMachine, place.directory);
}

async function theJob(place: Place, name: string): Promise<FoundJob> {
  const keeper = await keeperOf(place);
  const found = (await keeper.everyJob(await keeper.look())).find((job) => job.name === name);
  if (found === undefined) throw new Error(`there is no job ${name}`);
  return found;
}

async function operate(place: Place, name: string, act: 'hold' | 'release' | 'retry' | 'remove') {
  const operation = await (await keeperOf(place)).operate();
  try {
    return await operation[act]?.(await theJob(place, name));
  } finally {
    await operation.close();
  }
}

describe('what is seen of a queue of fsq', () => {
  it('is what waits, runs, has failed and is done', async () => {
    const place = await newQueue(temporary.path('queue'));
    expect((await recognise(realMachine, place.directory))?.name).toBe('fsq');
    await put(place, '', 'done');
    await scanned(place);
    const failed = await put(place, '', 'fails');
    await scanned(place, (work) => work.fail('it broke'));
    const runs = await put(place, 'content', 'runs');
    const waits = await put(place, 'content', 'waits');
    writeFileSync(`${place.waiting}/odd`, '');
    const keeper = await keeperOf(place);
    const session = await (await openFsq(realMachine, place.directory)).session();
    // What cannot be an item goes as soon as somebody works the queue: it is put there again.
    const claim = await session.claim();
    expect(claim).toMatchObject({ kind: 'claim', job: { id: runs } });
    writeFileSync(`${place.waiting}/odd`, '');
    const snapshot = await keeper.look();
    expect(snapshot.counts).toMatchObject({
      waiting: 1,
      ready: 1,
      running: 1,
      failed: 2,
      done: 1,
      unreadable: 1,
    });
    expect(snapshot.waiting.map(({ name }) => name)).toEqual([waits]);
    expect(snapshot.running).toMatchObject([
      { name: runs, attempts: 1, worker: { pid: process.pid, life: 'alive', jobs: 1 } },
    ]);
    expect(await keeper.whatRuns()).toEqual({ jobs: 1, abandoned: 0, alone: false });
    expect(await keeper.explain(snapshot, await theJob(place, failed))).toMatchObject({ cause: 'failed' });
    expect((await keeper.explain(snapshot, await theJob(place, failed))).sentence).toContain('it broke');
    expect(await keeper.details(await theJob(place, waits))).toMatchObject({
      contents: { work: { params: ['waits'] } },
      bytes: 7,
      more: [
        ['host', realMachine.host.name],
        ['process', String(process.pid)],
      ],
    });
    const { payload, finish } = await keeper.openPayload(await theJob(place, waits));
    expect(
      Buffer.from(await readSmallFile(realMachine.files, `/proc/self/fd/${payload}`, 10)).toString(),
    ).toBe('content');
    expect(await finish()).toBeUndefined();
    await session.close();
  });

  it('is paused as `fsq down` does it', async () => {
    const place = await newQueue(temporary.path('queue'));
    const keeper = await keeperOf(place);
    await keeper.pause();
    expect([await keeper.isPaused(), (await keeper.look()).paused]).toEqual([true, true]);
    await put(place, '', 'a');
    expect(await scanned(place)).toEqual([]);
    expect([await keeper.resume(), await keeper.resume()]).toEqual([true, false]);
    expect(await scanned(place)).toEqual(['a']);
  });
});

describe('what an operator does to an item', () => {
  it('is to hold it and release it', async () => {
    const place = await newQueue(temporary.path('queue'));
    const name = await put(place, '', 'a');
    expect(await operate(place, name, 'hold')).toMatchObject({ kind: 'done' });
    expect(await operate(place, name, 'hold')).toMatchObject({ kind: 'unchanged' });
    expect(await theJob(place, name)).toMatchObject({ standing: { kind: 'held' } });
    const queue = await openFsq(realMachine, place.directory);
    const session = await queue.join();
    expect(await session.claim()).toMatchObject({ reason: 'held', jobs: 1 });
    expect(await operate(place, name, 'release')).toMatchObject({ kind: 'done' });
    expect(await session.claim()).toMatchObject({ kind: 'claim' });
    await session.close();
  });

  it('is to try it again, its tries forgotten', async () => {
    const place = await newQueue(temporary.path('queue'));
    const name = await put(place, '', 'a');
    const again = name.replace('_0_a', '_1_a');
    await scanned(place, (work) => work.failTmp(), { maxTries: 0 });
    expect(await operate(place, again, 'retry')).toMatchObject({ kind: 'done' });
    expect(rooms(place).waiting).toEqual([name]);
    expect(await operate(place, name, 'retry')).toMatchObject({ kind: 'unchanged' });
    await scanned(place, (work) => work.fail());
    expect(await operate(place, name, 'retry')).toMatchObject({ kind: 'done' });
    expect(await scanned(place)).toEqual(['a']);
    await expect(operate(place, name, 'retry')).rejects.toMatchObject({ code: 'not-possible' });
  });

  it('is to make one due that would wait', async () => {
    const place = await newQueue(temporary.path('queue'));
    const queue = await openFsq(realMachine, place.directory);
    const { id } = await queue.add({ params: ['a'], notBefore: new Date('2100-01-01') });
    expect(await theJob(place, id)).toMatchObject({ standing: { kind: 'delayed' } });
    expect(await operate(place, id, 'retry')).toMatchObject({ kind: 'done' });
    expect(await theJob(place, id)).toMatchObject({ standing: { kind: 'ready' } });
  });

  it('is to remove it, and its log', async () => {
    const place = await newQueue(temporary.path('queue'));
    const name = await put(place, '', 'a');
    await scanned(place, (work) => work.fail('no'));
    expect(await operate(place, name, 'remove')).toMatchObject({ kind: 'done' });
    expect(rooms(place)).toEqual({ tmp: [], waiting: [], done: [], fail: [] });
    expect((await (await keeperOf(place)).findGarbage({ keepDone: 0, olderThanMs: 0 })).length).toBe(0);
  });

  it('is refused while it runs', async () => {
    const place = await newQueue(temporary.path('queue'));
    const name = await put(place, '', 'a');
    const before = await theJob(place, name);
    await scanned(place, async (work) => {
      for (const act of ['hold', 'release', 'retry', 'remove'] as const) {
        await expect(operate(place, name, act)).rejects.toMatchObject({ code: 'job-running' });
      }
      const operation = await (await keeperOf(place)).operate();
      await expect(operation.remove(before)).rejects.toMatchObject({ code: 'job-running' });
      await operation.close();
      await work.done();
    });
  });

  it('is to move it to another queue', async () => {
    const place = await newQueue(temporary.path('queue'));
    const other = await newQueue(temporary.path('other'));
    const name = await put(place, 'content', 'a');
    const operation = await (await keeperOf(place)).operate();
    await operation.move?.(await theJob(place, name), other.directory);
    await operation.close();
    expect([rooms(place).waiting, rooms(other).waiting]).toEqual([[], [name]]);
  });

  it('is to put away what cannot be an item', async () => {
    const place = await newQueue(temporary.path('queue'));
    writeFileSync(`${place.waiting}/odd`, '');
    const keeper = await keeperOf(place);
    const findings = await keeper.findDisorder();
    expect(findings).toMatchObject([{ kind: 'not-an-item', path: `${place.waiting}/odd` }]);
    const operation = await keeper.operate();
    expect(await operation.repair(findings)).toMatchObject([{ result: 'done' }]);
    expect(await operation.repair(findings)).toMatchObject([{ result: 'not-needed' }]);
    await operation.close();
    expect(rooms(place).fail).toEqual(['odd']);
  });
});

it('what nobody needs any more is found and removed', async () => {
  const place = await newQueue(temporary.path('queue'));
  for (const arg of ['1', '2', '3']) await put(place, '', arg);
  await scanned(place);
  const failed = await put(place, '', 'fails');
  await scanned(place, (work) => work.fail('no'));
  mkdirSync(`${place.own}/until`);
  writeFileSync(`${place.own}/until/gone`, '1\n');
  writeFileSync(`${place.tmp}/young`, '');
  const keeper = await keeperOf(place);
  expect(await keeper.findGarbage({ keepDone: 3, olderThanMs: 3_600_000 })).toEqual([]);
  const garbage = await keeper.findGarbage({ keepDone: 1, olderThanMs: 0 });
  expect(garbage.map(({ kind }) => kind)).toEqual(['done', 'done', 'log']);
  expect(await keeper.removeGarbage(garbage)).toHaveLength(3);
  expect(rooms(place)).toMatchObject({ tmp: ['young'], fail: [failed] });
  expect(rooms(place).done).toHaveLength(1);
});

it('workers of ours run it as any queue, and count its tries', async () => {
  const path = temporary.path('queue');
  await install(realMachine, path, DEFAULTS);
  const queue = await openFsq(realMachine, path);
  await queue.addAll(['good', 'bad'].map((name) => ({ params: [name] })));
  const handler = {
    program: 'sh',
    args: ['-c', 'echo "ran $1"; [ "$1" = good ]', 'sh'],
    allowJobParams: true,
  };
  const report = await serveQueues(realMachine, [queue], handler, {
    concurrency: 2,
    retries: 1,
    backoff: { firstMs: 1 },
  });
  expect(report.counts).toMatchObject({ succeeded: 1, again: 1, failed: 1 });
  const keeper = await openFsqKeeper(realMachine, path);
  const [bad] = (await keeper.look()).failed;
  if (bad === undefined) throw new Error('nothing has failed');
  const { records, outputs } = await keeper.runs(bad);
  expect(records).toMatchObject([
    { attempt: 1, outcome: 'retry', exit: { kind: 'exited', code: 1 } },
    { attempt: 2, outcome: 'failed' },
  ]);
  const said = await readSmallFile(realMachine.files, outputs[0]?.path ?? '', 100);
  expect(Buffer.from(said).toString()).toBe('ran bad\n');
});
