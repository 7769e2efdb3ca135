/** The picture of a queue, and why a job does not run, with real queues in every state. */

import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { realMachine } from '../../../../src/os/real/index.ts';
import { openSpoolKeeper } from '../../../../src/spool/home/keeper.ts';
import { pause } from '../../../../src/spool/home/rooms.ts';
import { takeSnapshot } from '../../../../src/spool/home/seeing/snapshot.ts';
import { createQueueDirectory } from '../../../../src/spool/queue-files.ts';
import { lockQueue } from '../../../../src/spool/session.ts';
import {
  addNamed,
  claimFrom,
  deadWorker,
  failNext,
  fileOf,
  findJob,
  homeQueue,
} from '../../../support/home-queues.ts';
import { machineWithFiles } from '../../../support/machines.ts';
import { putJob } from '../../../support/packets.ts';
import { useTemporary } from '../../../support/temporary.ts';

const temporary = useTemporary();
const HOUR_MS = 3_600_000;

const look = () => takeSnapshot(realMachine, temporary.path('q'));

async function states(): Promise<string[]> {
  return (await look()).waiting.map(({ id, standing }) => `${id.slice(0, 4)} ${standing.kind}`);
}

async function explained(job: string) {
  const keeper = await openSpoolKeeper(realMachine, temporary.path('q'));
  return keeper.explain(await keeper.look(), await found(job));
}

const found = (text: string) => findJob(temporary.path('q'), text);

describe('a queue with rooms', () => {
  it('is seen in every state at once', async () => {
    const path = temporary.path('q');
    const queue = await homeQueue(path);
    const running = await addNamed(queue, 'running', { priority: 1 });
    const session = await queue.join({ blocked: { action: 'hold' } });
    try {
      await claimFrom(session);
      await addNamed(queue, 'now');
      await addNamed(queue, 'later', { notBefore: new Date(Date.now() + HOUR_MS) });
      const first = await addNamed(queue, 'first', { lane: 'alice' });
      await addNamed(queue, 'second', { lane: 'alice' });
      await addNamed(queue, 'third', { lane: 'bob' });
      await addNamed(queue, 'fourth', { lane: 'bob' });
      rmSync(
        `${path}/jobs/${fileOf(path, (await look()).waiting.find(({ lane }) => lane === 'bob')?.id ?? '')}`,
      );
      writeFileSync(`${path}/jobs/fspl-broken.fspl`, '*FILESPOOLER and no more');
      writeFileSync(`${path}/jobs/tmp-fspl-x.fspl.tmp`, '');
      writeFileSync(`${path}/jobs/notes.txt`, '');
      const snapshot = await look();
      expect(snapshot).toMatchObject({
        kind: 'home',
        order: 'free',
        paused: false,
        alone: undefined,
        damage: [],
      });
      expect(snapshot.counts).toMatchObject({
        waiting: 5,
        ready: 2,
        delayed: 1,
        behind: 1,
        gap: 1,
        running: 1,
        unreadable: 1,
      });
      expect(snapshot.lanes.map(({ lane, next, missing }) => [lane, next, missing])).toEqual([
        ['alice', 1n, undefined],
        ['bob', 1n, 1n],
      ]);
      expect(snapshot.running).toMatchObject([{ id: running, attempts: 1, worker: { life: 'alive' } }]);
      expect(Date.now() - (snapshot.running[0]?.sinceMs ?? 0)).toBeLessThan(HOUR_MS);
      expect(snapshot.workers).toMatchObject([{ life: 'alive', pid: process.pid }]);
      expect(snapshot.litter.map(({ kind }) => kind).sort()).toEqual(['other', 'temporary']);
      expect(snapshot.unreadable).toMatchObject([{ path: `${path}/jobs/fspl-broken.fspl` }]);
      expect((await explained(first)).cause).toBe('others-first');
    } finally {
      await session.close();
    }
  });

  it('is seen without changing anything, or holding anybody up', async () => {
    const path = temporary.path('q');
    await addNamed(await homeQueue(path, 'sequence'), 'one');
    const forbidden = ['write', 'writeAt', 'rename', 'unlink', 'mkdir', 'rmdir', 'link', 'touch', 'fchmod'];
    const files = new Proxy(realMachine.files, {
      get: (target, name, receiver) => {
        if (forbidden.includes(String(name))) throw new Error(`it calls ${String(name)}`);
        return Reflect.get(target, name, receiver);
      },
    });
    // Whoever holds the queue alone is not asked for its lock.
    const alone = await lockQueue(realMachine, path);
    try {
      const snapshot = await takeSnapshot(machineWithFiles(files), path);
      expect(snapshot.counts.ready).toBe(1);
      expect(snapshot.alone).toEqual({ pid: process.pid, kind: 'exclusive' });
    } finally {
      await alone.close();
    }
    expect((await look()).alone).toBeUndefined();
  });

  it('does not take a job that goes back to wait for a missing one', async () => {
    const path = temporary.path('q');
    const queue = await homeQueue(path, 'sequence');
    await addNamed(queue, 'one');
    await addNamed(queue, 'two');
    const session = await queue.join();
    const claim = await claimFrom(session);
    // It comes back between our look into jobs/ and the one into work/.
    let listed = 0;
    const files = {
      ...realMachine.files,
      readdir: async (directory: string) => {
        const entries = await realMachine.files.readdir(directory);
        if (directory.endsWith('/jobs') && listed++ === 0) await claim.release();
        return entries;
      },
    };
    const snapshot = await takeSnapshot(machineWithFiles(files), path);
    await session.close();
    expect(listed).toBeGreaterThan(1);
    expect(snapshot.counts).toMatchObject({ gap: 0, ready: 1, behind: 1 });
  });

  it('survives that everything vanishes while it is read', async () => {
    const path = temporary.path('q');
    const queue = await homeQueue(path);
    await addNamed(queue, 'one', { lane: 'l'.repeat(100) });
    const session = await queue.join();
    await claimFrom(session);
    let listed = 0;
    const files = {
      ...realMachine.files,
      readdir: async (directory: string) => {
        const entries = await realMachine.files.readdir(directory);
        if (directory.includes('/work/') && listed++ === 0) renameSync(directory, temporary.path('gone'));
        return entries;
      },
    };
    const snapshot = await takeSnapshot(machineWithFiles(files), path);
    expect(snapshot.workers).toMatchObject([{ life: 'unknown' }]);
    renameSync(temporary.path('gone'), `${path}/work/${snapshot.workers[0]?.name}`);
    await session.close();
  });

  it.each([
    ['settings.json', '{"order": "sideways"}', 'settings.json: expected "order"'],
    ['nextseq', 'seven', 'nextseq: expected a number'],
  ])('with a damaged %s is seen all the same', async (file, content, said) => {
    const path = temporary.path('q');
    const queue = await homeQueue(path, 'sequence');
    await addNamed(queue, 'one');
    writeFileSync(`${path}/${file}`, content);
    const snapshot = await look();
    expect(snapshot.damage).toEqual([expect.stringContaining(said)]);
    expect(snapshot.counts.waiting).toBe(1);
  });

  it('tells dead workers from silent ones', async () => {
    const path = temporary.path('q');
    const queue = await homeQueue(path);
    const here = deadWorker(path, fileOf(path, await addNamed(queue, 'one')), 'here');
    const there = deadWorker(path, fileOf(path, await addNamed(queue, 'two')), 'elsewhere');
    expect((await look()).workers.map(({ name, life }) => [name, life]).sort()).toEqual(
      [
        [here, 'dead'],
        [there, 'alive'],
      ].sort(),
    );
    utimesSync(`${path}/work/${there}/worker`, 1, 1);
    const silent = await look();
    expect(silent.workers.find(({ name }) => name === there)?.life).toBe('silent');
    expect((await explained(silent.running[0]?.id ?? '')).sentence).toMatch(
      /^It is running .*(is dead|has been silent)/,
    );
  });
});

describe('a queue of the original', () => {
  it('is seen by the headers of its jobs', async () => {
    const path = temporary.path('q');
    await createQueueDirectory(realMachine, path, { appendOnly: false });
    for (const [name, seq] of [
      ['aaaa', 3],
      ['bbbb', 1],
      ['cccc', 5],
    ] as const)
      putJob(path, name, { seq });
    expect(await states()).toEqual(['bbbb ready', 'aaaa behind', 'cccc behind']);
    rmSync(`${path}/jobs/fspl-bbbb.fspl`);
    expect(await states()).toEqual(['aaaa gap', 'cccc gap']);
    expect(await look()).toMatchObject({ kind: 'filespooler', order: 'sequence', workers: [], failed: [] });
    expect((await explained('#3')).sentence).toBe('The queue waits for job 1, which is not there.');
  });

  it('that is only added to waits for nothing', async () => {
    const path = temporary.path('q');
    await createQueueDirectory(realMachine, path, { appendOnly: true });
    putJob(path, 'aaaa', { seq: 7 });
    expect(await look()).toMatchObject({ kind: 'append-only', counts: { ready: 1, gap: 0 }, lanes: [] });
    expect((await explained('aaaa')).cause).toBe('append-only');
  });

  it('is not there', async () => {
    mkdirSync(temporary.path('q'));
    await expect(look()).rejects.toMatchObject({ code: 'not-a-queue' });
  });
});

describe('why a job is not running', () => {
  it.each<[string, string, () => Promise<string>]>([
    [
      'no worker',
      'No worker works this queue.',
      async () => addNamed(await homeQueue(temporary.path('q')), 'x'),
    ],
    [
      'paused',
      'The queue is paused: no job starts.',
      async () => {
        const id = await addNamed(await homeQueue(temporary.path('q')), 'x');
        await pause(realMachine, temporary.path('q'));
        return id;
      },
    ],
    [
      'its time has not come',
      'It is not to start before 2',
      async () =>
        addNamed(await homeQueue(temporary.path('q')), 'x', { notBefore: new Date(Date.now() + HOUR_MS) }),
    ],
    [
      'its time is over',
      'It was not to start after 2001-',
      async () => addNamed(await homeQueue(temporary.path('q')), 'x', { expires: new Date('2001-01-01') }),
    ],
    [
      'its predecessor failed',
      'Lane "alice" is at job 1, which has failed at 2',
      async () => {
        const queue = await homeQueue(temporary.path('q'));
        await addNamed(queue, 'x', { lane: 'alice' });
        const second = await addNamed(queue, 'y', { lane: 'alice' });
        await failNext(queue, 'exit code 7', 'hold');
        return second;
      },
    ],
    [
      'it failed itself and holds up its lane',
      'on attempt 1: exit code 7, and holds up lane "alice".',
      async () => {
        const queue = await homeQueue(temporary.path('q'));
        await addNamed(queue, 'x', { lane: 'alice' });
        return failNext(queue, 'exit code 7', 'hold');
      },
    ],
    [
      'it failed',
      'on attempt 1: exit code 7.',
      async () => {
        const queue = await homeQueue(temporary.path('q'));
        await addNamed(queue, 'x');
        return failNext(queue);
      },
    ],
    [
      'unreadable',
      'It cannot be read as a job: ',
      async () => {
        await homeQueue(temporary.path('q'));
        writeFileSync(temporary.path('q/jobs/fspl-torn.fspl'), '*FILE');
        return 'torn';
      },
    ],
  ])('%s', async (_what, said, make) => {
    expect((await explained(await make())).sentence).toContain(said);
  });

  it('others are first, one is running, one is behind it', async () => {
    const queue = await homeQueue(temporary.path('q'));
    const session = await queue.join();
    try {
      const first = await addNamed(queue, 'first', { lane: 'alice', priority: 1 });
      const second = await addNamed(queue, 'second', { lane: 'alice', priority: 1 });
      await claimFrom(session);
      const third = await addNamed(queue, 'third');
      expect((await explained(first)).sentence).toMatch(/^It is running on .*, process \d+, since 2/);
      expect((await explained(second)).sentence).toMatch(
        /^Lane "alice" is at job 1, which is running on .*, process/,
      );
      expect((await explained(third)).sentence).toBe('1 job is ahead of it; 1 job runs now.');
    } finally {
      await session.close();
    }
  });
});

describe('a job as people name it', () => {
  it('is found by its id, its beginning, its file and its number', async () => {
    const path = temporary.path('q');
    const queue = await homeQueue(path, 'sequence');
    const id = await addNamed(queue, 'x');
    for (const text of [id, id.slice(0, 4), fileOf(path, id), `${path}/jobs/${fileOf(path, id)}`, '#1']) {
      expect((await found(text)).id).toBe(id);
    }
    await expect(found(id.slice(0, 3))).rejects.toMatchObject({
      code: 'job-not-found',
    });
    await expect(found('#2')).rejects.toMatchObject({ code: 'job-not-found' });
  });

  it('is refused with the candidates when it could be several', async () => {
    const path = temporary.path('q');
    await createQueueDirectory(realMachine, path, { appendOnly: false });
    for (const [name, seq] of [
      ['same-a', 1],
      ['same-ab', 2],
    ] as const)
      putJob(path, name, { seq });
    expect((await found('same-a')).id).toBe('same-a');
    await expect(found('same')).rejects.toMatchObject({
      code: 'job-ambiguous',
      message: expect.stringContaining('"same-ab"'),
    });
  });

  it('is found when it is over, too', async () => {
    const queue = await homeQueue(temporary.path('q'));
    await addNamed(queue, 'x');
    const failed = await failNext(queue);
    await addNamed(queue, 'y');
    const session = await queue.join({ keepSucceeded: true });
    const claim = await claimFrom(session);
    await claim.succeed();
    await session.close();
    expect((await found(failed)).place).toBe('failed');
    expect((await found(claim.job.id)).place).toBe('done');
    expect((await explained(claim.job.id)).cause).toBe('done');
  });
});
