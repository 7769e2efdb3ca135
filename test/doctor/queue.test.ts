/** What the doctor sees in a queue: each thing that can be wrong, alone, and nothing while a worker goes on. */

import fs from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { examineQueue, type QueueReport, severityOf } from '../../src/doctor/queue.ts';
import type { Machine } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { createQueueDirectory } from '../../src/spool/queue-files.ts';
import { faultyFiles } from '../support/faulty-files.ts';
import { addNamed, deadWorker, fileOf, homeQueue } from '../support/home-queues.ts';
import { interceptFiles } from '../support/intercepted-files.ts';
import { machineWith, machineWithFiles } from '../support/machines.ts';
import { packet, putJob } from '../support/packets.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const HOUR_MS = 3_600_000;

async function newQueue(options = { appendOnly: false }): Promise<string> {
  const queue = temporary.path('queue');
  await createQueueDirectory(realMachine, queue, options);
  return queue;
}

async function look(queue: string, machine: Machine = realMachine, nowMs = Date.now()): Promise<QueueReport> {
  const report = await examineQueue(machine, queue, nowMs);
  if (report === undefined) throw new Error('it is no queue');
  return report;
}

type Case = [what: string, spoil: (queue: string) => void, expected: (queue: string) => object];

const CASES: Case[] = [
  [
    'a number that is none',
    (queue) => fs.writeFileSync(`${queue}/nextseq`, 'seven\n'),
    (queue) => ({
      kind: 'damaged-file',
      path: `${queue}/nextseq`,
      message: 'expected a number from 0 to 18446744073709551615, found "seven\\n"',
    }),
  ],
  [
    'no number',
    (queue) => fs.unlinkSync(`${queue}/nextseq`),
    (queue) => ({ kind: 'number-missing', path: `${queue}/nextseq` }),
  ],
  [
    'no lock file',
    (queue) => fs.unlinkSync(`${queue}/nextseq.lock`),
    (queue) => ({ kind: 'lock-missing', path: `${queue}/nextseq.lock` }),
  ],
  [
    'no jobs directory',
    (queue) => fs.rmdirSync(`${queue}/jobs`),
    (queue) => ({ kind: 'jobs-missing', path: `${queue}/jobs` }),
  ],
  [
    'a damaged job',
    (queue) => fs.writeFileSync(`${queue}/jobs/fspl-x.fspl`, '*FIL'),
    (queue) => ({
      kind: 'damaged',
      path: `${queue}/jobs/fspl-x.fspl`,
      message: 'it ends after 4 of the 30 bytes of its prefix',
    }),
  ],
  [
    'two jobs of one number',
    (queue) => ['a', 'b'].map((name) => putJob(queue, name, { seq: 1, payload: name })),
    (queue) => ({
      kind: 'duplicate',
      path: `${queue}/jobs/fspl-b.fspl`,
      message: 'it has the number of fspl-a.fspl, 1',
      remedy: 'person',
    }),
  ],
  [
    'a missing job',
    (queue) => [3, 4].map((seq) => putJob(queue, `${seq}`, { seq })),
    () => ({ kind: 'gap', lane: '', missing: 1n, next: 3n, waiting: 2 }),
  ],
  [
    'a job that is over',
    (queue) => {
      fs.writeFileSync(`${queue}/nextseq`, '5\n');
      putJob(queue, 'old', { seq: 4 });
    },
    (queue) => ({ kind: 'past', path: `${queue}/jobs/fspl-old.fspl` }),
  ],
  [
    'what a killed sender left',
    (queue) => leave(`${queue}/jobs/tmp-fspl-x.fspl.tmp`),
    (queue) => ({ kind: 'temporary', path: `${queue}/jobs/tmp-fspl-x.fspl.tmp` }),
  ],
  [
    'what a killed doctor left',
    (queue) => leave(`${queue}/.intray-doctor-x`),
    (queue) => ({ kind: 'litter', path: `${queue}/.intray-doctor-x`, ageHours: 35 }),
  ],
];

/** A day and a half old, less half an hour. */
function leave(path: string): void {
  fs.writeFileSync(path, '');
  const then = (Date.now() - 35.5 * HOUR_MS) / 1000;
  fs.utimesSync(path, then, then);
}

describe('a queue', () => {
  it('that is well has no problems', async () => {
    const queue = await newQueue();
    for (const seq of [1, 2]) putJob(queue, `${seq}`, { seq });
    for (const name of ['jobs/fspl-1.fspl.out', 'jobs/.syncthing.x.tmp', 'jobs/tmp-notes', 'README']) {
      fs.writeFileSync(`${queue}/${name}`, '');
    }
    const { snapshot, problems } = await look(queue);
    expect(problems).toEqual([]);
    expect(snapshot).toMatchObject({ kind: 'filespooler', counts: { waiting: 2 } });
  });

  it('that is append-only needs neither number nor lock, nor the first of its jobs', async () => {
    const queue = await newQueue({ appendOnly: true });
    putJob(queue, 'x', { seq: 7 });
    const { snapshot, problems } = await look(queue);
    expect(problems).toEqual([]);
    expect(snapshot).toMatchObject({ kind: 'append-only', counts: { waiting: 1 } });
  });

  it('is not every directory', async () => {
    expect(await examineQueue(realMachine, temporary.path(), Date.now())).toBeUndefined();
  });

  it.each(CASES)('with %s', async (_, spoil, expected) => {
    const queue = await newQueue();
    spoil(queue);
    expect((await look(queue)).problems).toEqual([expect.objectContaining(expected(queue))]);
  });

  it('has no litter that may still be written to', async () => {
    const queue = await newQueue();
    fs.writeFileSync(`${queue}/jobs/tmp-fspl-x.fspl.tmp`, '');
    fs.mkdirSync(`${queue}/.intray-doctor-x`);
    expect((await look(queue)).problems).toEqual([]);
  });

  it('tells the worst first', async () => {
    const queue = await newQueue();
    leave(`${queue}/jobs/tmp-fspl-x.fspl.tmp`);
    putJob(queue, '3', { seq: 3 });
    fs.writeFileSync(`${queue}/jobs/fspl-x.fspl`, '');
    const { problems } = await look(queue);
    expect(problems.map(severityOf)).toEqual(['damage', 'gap', 'note']);
  });

  it.each([
    ['readdir', (queue: string) => `${queue}/jobs`],
    ['open', (queue: string) => `${queue}/jobs/fspl-1.fspl`],
    ['open', (queue: string) => `${queue}/nextseq`],
    ['open', (queue: string) => `${queue}/nextseq.lock`],
  ])('that we have no right to %s', async (call, pathIn) => {
    const queue = await newQueue();
    putJob(queue, '1', { seq: 1 });
    const path = pathIn(queue);
    const faulty = faultyFiles(realMachine.files, ({ name, path: at }) =>
      name === call && at === path ? 'EACCES' : undefined,
    );
    const { problems } = await look(queue, machineWithFiles(faulty));
    expect(problems).toEqual([
      expect.objectContaining({
        kind: 'no-access',
        path,
        message: expect.stringMatching(/^permission denied/),
      }),
    ]);
  });

  it('that is encoded needs its decoder', async () => {
    const queue = await newQueue();
    fs.writeFileSync(`${queue}/jobs/fspl-x.fspl`, gzipSync(packet({ seq: 1 })));
    expect((await look(queue)).problems).toMatchObject([{ kind: 'encoded' }]);
    const report = await examineQueue(realMachine, queue, Date.now(), { decoder: 'zcat' });
    expect(report).toMatchObject({ problems: [], snapshot: { counts: { waiting: 1 } } });
  });

  it('whose jobs are on another file system says that they were not measured', async () => {
    const queue = await newQueue();
    expect((await look(queue, jobsElsewhere(queue))).problems).toEqual([
      { kind: 'elsewhere', path: `${queue}/jobs` },
    ]);
  });
});

/** A machine on which `jobs/` is a mount of its own. */
function jobsElsewhere(queue: string): Machine {
  const stat = async (path: string) => {
    const status = await realMachine.files.stat(path);
    return path === `${queue}/jobs` ? { ...status, device: status.device + 1n } : status;
  };
  return machineWithFiles({ ...realMachine.files, stat });
}

describe('a queue with parallel workers', () => {
  it('has no gap among jobs that are in no order', async () => {
    const queue = temporary.path('queue');
    const home = await homeQueue(queue);
    for (const name of ['a', 'b', 'c']) await addNamed(home, name);
    const { snapshot, problems } = await look(queue);
    expect(problems).toEqual([]);
    expect(snapshot).toMatchObject({ kind: 'home', order: 'free', counts: { ready: 3 } });
  });

  it('has gaps in its lanes', async () => {
    const queue = temporary.path('queue');
    const home = await homeQueue(queue);
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c']) ids.push(await addNamed(home, name, { lane: 'x y' }));
    fs.unlinkSync(`${queue}/jobs/${fileOf(queue, ids[0] ?? '')}`);
    expect((await look(queue)).problems).toEqual([
      { kind: 'gap', lane: 'x y', missing: 1n, next: 2n, waiting: 2 },
    ]);
  });

  it('has a dead worker, which is no damage: its jobs come back', async () => {
    const queue = temporary.path('queue');
    const home = await homeQueue(queue);
    const id = await addNamed(home, 'a', { lane: 'x' });
    await addNamed(home, 'b', { lane: 'x' });
    const name = deadWorker(queue, fileOf(queue, id));
    const { snapshot, problems } = await look(queue);
    expect(problems).toMatchObject([{ kind: 'dead-worker', path: `${queue}/work/${name}` }]);
    expect(problems.map(severityOf)).toEqual(['note']);
    expect(snapshot).toMatchObject({ counts: { waiting: 1, running: 1 } });
  });

  it('cannot have its jobs on another file system', async () => {
    const queue = temporary.path('queue');
    await homeQueue(queue);
    expect((await look(queue, jobsElsewhere(queue))).problems).toMatchObject([
      { kind: 'other-file-system', path: `${queue}/jobs` },
    ]);
  });
});

describe('a queue that is worked meanwhile', () => {
  /** A machine on which a worker finishes the next job before each of our first `times` calls of one kind. */
  function worked(queue: string, call: string, times: number): Machine {
    let left = times;
    let next = 1;
    const files = interceptFiles(realMachine.files, ({ name, path }) => {
      if (name !== call || !path.startsWith(`${queue}/jobs`) || left === 0) return;
      left -= 1;
      fs.writeFileSync(`${queue}/nextseq`, `${next + 1}\n`);
      fs.rmSync(`${queue}/jobs/fspl-${next}.fspl`, { force: true });
      next += 1;
    });
    return machineWithFiles(files);
  }

  it.each([
    ['readdir', 1],
    ['readdir', 3],
    ['open', 1],
    ['open', 4],
  ])('at each of our calls of %s, %i times, shows no gap', async (call, times) => {
    const queue = await newQueue();
    for (let seq = 1; seq <= 20; seq++) putJob(queue, `${seq}`, { seq });
    const report = await look(queue, worked(queue, call, times));
    expect(report.problems).toEqual([]);
    expect(report.snapshot?.lanes[0]?.next).toBeGreaterThan(1n);
  });

  it('is told to be busy when it never rests', async () => {
    const queue = await newQueue();
    for (let seq = 1; seq <= 20; seq++) putJob(queue, `${seq}`, { seq });
    let seen = 1;
    // A number that jumps ahead at each look, as if jobs came and went faster than we see them.
    const files = interceptFiles(realMachine.files, ({ name, path }) => {
      if (name !== 'readdir' || path !== `${queue}/jobs`) return;
      seen += 2;
      fs.writeFileSync(`${queue}/nextseq`, `${seen}\n`);
    });
    const { problems, snapshot } = await look(queue, machineWithFiles(files));
    expect(problems).toEqual([{ kind: 'busy', path: queue }]);
    expect(snapshot?.settled).toBe(false);
  });

  it('has no job that is over when its file is about to go', async () => {
    const queue = await newQueue();
    const path = `${queue}/jobs/${putJob(queue, '1', { seq: 1 })}`;
    fs.writeFileSync(`${queue}/nextseq`, '2\n');
    let looks = 0;
    const files = interceptFiles(realMachine.files, (call) => {
      if (call.name !== 'readdir' || call.path !== `${queue}/jobs`) return;
      looks += 1;
      if (looks === 2) fs.unlinkSync(path);
    });
    expect((await look(queue, machineWithFiles(files))).problems).toEqual([]);
    expect(looks).toBeGreaterThan(1);
  });

  it('is neither changed nor locked by looking', async () => {
    const queue = await newQueue();
    for (const seq of [1, 3, 3]) putJob(queue, `${Math.random()}`, { seq });
    const made = new Set<string>();
    const files = interceptFiles(realMachine.files, ({ name, mode }) => made.add(mode ?? name));
    const refuse = () => {
      throw new Error('the doctor locks nothing');
    };
    await look(queue, machineWith({ files, locks: { tryLock: refuse, unlock: refuse } }));
    const harmless = ['read', 'read-job', 'lock-present', 'close', 'fstat', 'stat', 'exists', 'readdir'];
    expect([...made].filter((call) => !harmless.includes(call))).toEqual([]);
  });
});
