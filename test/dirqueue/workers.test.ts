/** Workers beside each other: their death, their leases, and workers of the original. */

import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { createDirQueue, type DirQueue, openDirQueue } from '../../src/dirqueue/dirqueue.ts';
import type { Descriptor } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import type { SharedSession } from '../../src/queue/contract.ts';
import { hasPerl, original, textOf } from '../support/dirqueues.ts';
import { machineWith } from '../support/machines.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const LONG_AGO = new Date(0);

const make = (): Promise<DirQueue> => createDirQueue(realMachine, temporary.path('queue'));

async function claimed(session: SharedSession) {
  const claim = await session.claim();
  if (claim.kind !== 'claim') throw new Error(`nothing to claim: ${claim.reason}`);
  return claim;
}

/** A worker that is gone without a word: its flock is free, its file and its locks are there. */
async function deadWorker(path: string, host = realMachine.host): Promise<void> {
  const session = await (await openDirQueue(machineWith({ host }), path)).join();
  const claim = await claimed(session);
  await realMachine.files.close(claim.payload);
  await realMachine.files.close(session.lock as Descriptor);
}

describe('a dead worker', () => {
  it('has its job taken by another at once on its own host, the start counted', async () => {
    const queue = await make();
    await queue.add({ payload: 'x' });
    const dies = await queue.join();
    await claimed(dies);
    const other = await queue.join();
    expect(await other.claim()).toMatchObject({ reason: 'empty' });
    await other.close();
    await realMachine.locks.unlock(dies.lock as Descriptor); // as the kernel does when a process dies
    const next = await queue.join();
    const claim = await claimed(next);
    expect([await textOf(claim), claim.attempt]).toEqual(['x', 2]);
    await claim.succeed();
    await next.close();
    await dies.close();
  });

  it('of another host has its job taken when its lease is over', async () => {
    const queue = await make();
    const { location } = queue;
    await queue.add({ payload: 'x' });
    await deadWorker(location, { ...realMachine.host, name: 'far', bootId: 'another' });
    const [name = ''] = readdirSync(`${location}/intray/workers`);
    const early = await queue.join();
    expect(await early.claim()).toMatchObject({ reason: 'empty' });
    await early.close();
    utimesSync(`${location}/intray/workers/${name}`, LONG_AGO, LONG_AGO);
    const late = await queue.join();
    expect((await claimed(late)).attempt).toBe(2);
    await late.close();
    expect(readdirSync(`${location}/intray/workers`)).toEqual([]);
  });

  it('that lives after all is told that its claim is lost, and changes nothing', async () => {
    const queue = await make();
    await queue.add({ payload: 'x' });
    const stopped = await queue.join();
    const claim = await claimed(stopped);
    await realMachine.locks.unlock(stopped.lock as Descriptor);
    const other = await queue.join();
    const again = await claimed(other);
    for (const settle of ['succeed'] as const) expect(await claim[settle]()).toBe('lost');
    expect(await again.succeed()).toBe('settled');
    await other.close();
    await expect(stopped.claim()).resolves.toMatchObject({ kind: 'idle' });
    await stopped.close();
  });
});

describe('a job that is tried again however often', () => {
  const forgiving = { maxStarts: Number.POSITIVE_INFINITY, maxDeaths: 3 };
  const line = (outcome: string, at: number) =>
    `${JSON.stringify({ attempt: at + 1, outcome, worker: 'w', ended: '2025-01-01T00:00:00Z' })}\n`;

  it.each([
    ['its worker died in between', ['died', 'died', 'retry', 'died', 'died'], undefined],
    ['it never killed its worker', ['retry', 'retry', 'retry', 'retry', 'retry'], undefined],
    ['nothing is known of its starts', [], undefined],
    ['its last start is not noted yet', ['retry', 'died', 'died', 'died'], undefined],
    ['its worker died so often in a row', ['retry', 'retry', 'died', 'died', 'died'], 3],
    ['its worker died always', ['died', 'died', 'died', 'died', 'died'], 5],
  ] as const)('and %s', async (_, outcomes, given) => {
    const queue = await make();
    const { id } = await queue.add({ payload: 'x' });
    await (await queue.join()).close();
    writeFileSync(`${queue.location}/intray/starts/${id}`, '5\n');
    writeFileSync(`${queue.location}/intray/log/${id}.jsonl`, outcomes.map(line).join(''));
    const session = await queue.join(forgiving);
    if (given === undefined) expect((await claimed(session)).attempt).toBe(6);
    else expect(await session.claim()).toMatchObject({ reason: 'empty' });
    await session.close();
    expect(readdirSync(`${queue.location}/intray/failed`)).toEqual(given === undefined ? [] : [id]);
    if (given === undefined) return;
    const log = readFileSync(`${queue.location}/intray/log/${id}.jsonl`, 'utf8').trim().split('\n');
    expect(JSON.parse(log.at(-1) ?? '')).toMatchObject({
      outcome: 'failed',
      reason: `it was started ${given} times in a row, and each time its worker died`,
    });
  });

  it('is counted as it goes: one that kills its worker each time is given up', async () => {
    const queue = await make();
    const { id } = await queue.add({ payload: 'x' });
    const twice = { maxStarts: Number.POSITIVE_INFINITY, maxDeaths: 2 };
    for (const attempt of [1, 2, 3]) {
      const session = await queue.join(twice);
      if (attempt === 2) {
        // One that gives the job back in between: its deaths begin anew.
        await (await claimed(session)).retry(0, 'again');
        await session.close();
        continue;
      }
      await session.close();
      await deadWorker(queue.location);
    }
    const before = await queue.join(twice);
    expect((await claimed(before)).attempt).toBe(4);
    await before.close();
    await deadWorker(queue.location);
    const after = await queue.join(twice);
    expect(await after.claim()).toMatchObject({ reason: 'empty' });
    await after.close();
    expect(readdirSync(`${queue.location}/intray/failed`)).toEqual([id]);
  });
});

it('one beat is a beat for all locks of a worker', async () => {
  const queue = await make();
  await queue.addAll([{}, {}]);
  const session = await queue.join();
  await claimed(session);
  await claimed(session);
  const locks = readdirSync(`${queue.location}/active`).map((id) =>
    statSync(`${queue.location}/active/${id}`),
  );
  expect(new Set(locks.map(({ ino }) => ino)).size).toBe(1);
  expect(locks[0]?.nlink).toBe(3);
  await session.close();
});

describe('beside the original', () => {
  const skipUnless = (context: { skip: (why: string) => void }) => {
    if (!hasPerl) context.skip('perl is not installed');
  };

  it('its jobs run here, and ours there', (context) => {
    skipUnless(context);
    const path = temporary.path('queue');
    mkdirSync(path);
    return (async () => {
      original('submit', path, 'p1', 'p2');
      const queue = await openDirQueue(realMachine, path);
      await queue.add({ payload: 'ours', priority: 99, env: { note: 'a: b' } });
      const session = await queue.join();
      const claim = await claimed(session);
      expect([await textOf(claim), (claim.job.work as { env: unknown }).env]).toEqual([
        'p1',
        [['by', 'perl']],
      ]);
      const notes = temporary.path('notes');
      original('work', path, notes, '0');
      expect(readFileSync(notes, 'utf8')).toMatch(
        /^start \d+ p2\ndone \d+ p2\nstart \d+ ours\ndone \d+ ours\n$/,
      );
      await claim.succeed();
      expect(await session.claim()).toMatchObject({ reason: 'empty', waiting: 0 });
      await session.close();
    })();
  });

  it('a worker of it that has died keeps its job for as long as it says itself', async (context) => {
    skipUnless(context);
    const queue = await make();
    await queue.add({ payload: 'x' });
    original('die', queue.location);
    const [id = ''] = readdirSync(`${queue.location}/active`);
    expect(readFileSync(`${queue.location}/active/${id}`, 'utf8')).toMatch(
      new RegExp(`^${hostname()}\n\\d+\n$`),
    );
    const early = await queue.join({ lockLifetimeMs: 600_000 });
    expect(await early.claim()).toMatchObject({ reason: 'empty' });
    await early.close();
    utimesSync(`${queue.location}/active/${id}`, LONG_AGO, LONG_AGO);
    const late = await queue.join({ lockLifetimeMs: 600_000 });
    expect((await claimed(late)).attempt).toBe(2);
    await late.close();
  });

  it('of several that see a stale lock one takes the job', async () => {
    const queue = await make();
    const { id } = await queue.add({ payload: 'x' });
    writeFileSync(`${queue.location}/active/${id}`, `${hostname()}\n999999999\n`);
    utimesSync(`${queue.location}/active/${id}`, LONG_AGO, LONG_AGO);
    const sessions = await Promise.all([1, 2, 3, 4].map(() => queue.join()));
    const answers = await Promise.all(sessions.map((session) => session.claim()));
    expect(answers.filter(({ kind }) => kind === 'claim')).toHaveLength(1);
    for (const session of sessions) await session.close();
  });
});

describe('a program that lives long', () => {
  it('takes one job after the other, and what it does not settle goes back', async () => {
    const queue = await make();
    await queue.addAll(['1', '2', '3'].map((payload) => ({ payload, env: { n: payload } })));
    const seen: string[] = [];
    for await (const job of queue.take({ wait: false })) {
      seen.push(`${await job.text()}${job.metadata.get('n')}`);
      if (seen.length < 3) await job.finish();
      else break;
    }
    expect(seen).toEqual(['11', '22', '33']);
    expect((await queue.jobs()).jobs).toHaveLength(1);
    for await (const job of queue.take({ wait: false })) await job.fail('no good');
    expect(readdirSync(`${queue.location}/intray/failed`)).toHaveLength(1);
  });

  it('waits for jobs, for as long as it is told', async () => {
    const queue = await make();
    const taken = queue.take();
    const first = taken.next();
    await queue.add({ payload: 'came later' });
    const { value } = await first;
    expect(await (value as { text(): Promise<string> }).text()).toBe('came later');
    await taken.return();
    for await (const job of queue.take({ timeoutMs: 1 })) await job.finish();
    for await (const _ of queue.take({ timeoutMs: 1 })) throw new Error('there was nothing');
    const stop = new AbortController();
    stop.abort();
    for await (const _ of queue.take({ signal: stop.signal })) throw new Error('it was stopped');
  });

  it('picks up a job by its path', async () => {
    const queue = await make();
    const [, second] = await queue.addAll([{ payload: '1' }, { payload: '2' }]);
    const job = await queue.pickUp(`${queue.location}/queue/${second?.id}`);
    expect(await job?.text()).toBe('2');
    expect(await queue.pickUp(second?.id ?? '')).toBeUndefined();
    expect(await job?.finish()).toBe('settled');
    expect(await queue.pickUp(second?.id ?? '')).toBeUndefined();
  });
});
