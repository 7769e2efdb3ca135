/** What the doctor sees in a queue: each thing that can be wrong, alone, and nothing while a worker goes on. */

import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { examineQueue, type Problem, type QueueReport } from '../../src/doctor/queue.ts';
import type { Machine } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { createQueueDirectory } from '../../src/spool/queue-files.ts';
import { faultyFiles } from '../support/faulty-files.ts';
import { interceptFiles } from '../support/intercepted-files.ts';
import { machineWith, machineWithFiles } from '../support/machines.ts';
import { putJob } from '../support/packets.ts';
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

type Case = [what: string, spoil: (queue: string) => void, expected: (queue: string) => Problem];

const CASES: Case[] = [
  [
    'a number that is none',
    (queue) => fs.writeFileSync(`${queue}/nextseq`, 'seven\n'),
    (queue) => ({
      kind: 'number-unreadable',
      path: `${queue}/nextseq`,
      reason: 'expected a number from 0 to 18446744073709551615, found "seven\\n"',
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
    (queue) => fs.writeFileSync(`${queue}/jobs/fspl-x.fspl`, 'junk'),
    (queue) => ({
      kind: 'job-unreadable',
      path: `${queue}/jobs/fspl-x.fspl`,
      reason: 'it ends after 4 of the 30 bytes of its prefix',
    }),
  ],
  [
    'a directory named like a job',
    (queue) => fs.mkdirSync(`${queue}/jobs/fspl-x.fspl`),
    (queue) => ({
      kind: 'job-unreadable',
      path: `${queue}/jobs/fspl-x.fspl`,
      reason: 'it is a directory, not a job file',
    }),
  ],
  [
    'two jobs of one number',
    (queue) => ['a', 'b'].map((name) => putJob(queue, name, { seq: 1 })),
    (queue) => ({
      kind: 'duplicate',
      seq: 1n as never,
      paths: [`${queue}/jobs/fspl-a.fspl`, `${queue}/jobs/fspl-b.fspl`],
    }),
  ],
  [
    'a missing job',
    (queue) => [3, 4].map((seq) => putJob(queue, `${seq}`, { seq })),
    () => ({ kind: 'gap', missing: 1n as never, next: 3n as never, waiting: 2 }),
  ],
  [
    'a job that is over',
    (queue) => {
      fs.writeFileSync(`${queue}/nextseq`, '5\n');
      putJob(queue, 'old', { seq: 4 });
    },
    (queue) => ({ kind: 'past', path: `${queue}/jobs/fspl-old.fspl`, seq: 4n as never, next: 5n as never }),
  ],
  [
    'what a killed sender left',
    (queue) => leave(`${queue}/jobs/tmp-fspl-x.fspl.tmp`),
    (queue) => ({ kind: 'litter', path: `${queue}/jobs/tmp-fspl-x.fspl.tmp`, ageHours: 3 }),
  ],
  [
    'what a killed processor left',
    (queue) => leave(`${queue}/nextseq.temp`),
    (queue) => ({ kind: 'litter', path: `${queue}/nextseq.temp`, ageHours: 3 }),
  ],
  [
    'what a killed doctor left',
    (queue) => leave(`${queue}/.intray-doctor-x`),
    (queue) => ({ kind: 'litter', path: `${queue}/.intray-doctor-x`, ageHours: 3 }),
  ],
];

/** Three hours and a half old. */
function leave(path: string): void {
  fs.writeFileSync(path, '');
  const then = (Date.now() - 3.5 * HOUR_MS) / 1000;
  fs.utimesSync(path, then, then);
}

describe('a queue', () => {
  it('that is well has no problems', async () => {
    const queue = await newQueue();
    for (const seq of [1, 2]) putJob(queue, `${seq}`, { seq });
    for (const name of ['jobs/fspl-1.fspl.out', 'jobs/.syncthing.x.tmp', 'jobs/tmp-notes', 'README']) {
      fs.writeFileSync(`${queue}/${name}`, '');
    }
    expect(await look(queue, realMachine, Date.now() + 100 * HOUR_MS)).toEqual({
      appendOnly: false,
      next: 1n,
      waiting: 2,
      problems: [],
    });
  });

  it('that is append-only needs neither number nor lock, nor the first of its jobs', async () => {
    const queue = await newQueue({ appendOnly: true });
    putJob(queue, 'x', { seq: 7 });
    expect(await look(queue)).toEqual({ appendOnly: true, next: undefined, waiting: 1, problems: [] });
  });

  it('is not every directory', async () => {
    expect(await examineQueue(realMachine, temporary.path(), Date.now())).toBeUndefined();
  });

  it.each(CASES)('with %s', async (_, spoil, expected) => {
    const queue = await newQueue();
    spoil(queue);
    expect((await look(queue)).problems).toEqual([expected(queue)]);
  });

  it('has no litter that may still be written to', async () => {
    const queue = await newQueue();
    fs.writeFileSync(`${queue}/jobs/tmp-fspl-x.fspl.tmp`, '');
    expect((await look(queue)).problems).toEqual([]);
  });

  it.each([
    ['jobs-unreadable', (queue: string) => `${queue}/jobs`, 'readdir'],
    ['job-unreadable', (queue: string) => `${queue}/jobs/fspl-1.fspl`, 'open'],
    ['number-unreadable', (queue: string) => `${queue}/nextseq`, 'open'],
    ['lock-unusable', (queue: string) => `${queue}/nextseq.lock`, 'open'],
  ])('that we have no right to: %s', async (kind, pathIn, call) => {
    const queue = await newQueue();
    putJob(queue, '1', { seq: 1 });
    const path = pathIn(queue);
    const faulty = faultyFiles(realMachine.files, ({ name, path: at }) =>
      name === call && at === path ? 'EACCES' : undefined,
    );
    expect((await look(queue, machineWithFiles(faulty))).problems).toEqual([
      { kind, path, reason: 'permission denied' },
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
    expect(report.next).toBeGreaterThan(1n);
  });

  it('is told to be busy when it never rests', async () => {
    const queue = await newQueue();
    for (let seq = 1; seq <= 20; seq++) putJob(queue, `${seq}`, { seq });
    const { next, problems } = await look(queue, worked(queue, 'readdir', 100));
    expect(problems).toEqual([{ kind: 'busy', path: `${queue}/nextseq` }]);
    expect(next).toBeUndefined();
  });

  it('has no job that is over when its file is about to go', async () => {
    const queue = await newQueue();
    putJob(queue, '1', { seq: 1 });
    fs.writeFileSync(`${queue}/nextseq`, '2\n');
    const path = `${queue}/jobs/fspl-1.fspl`;
    const files = interceptFiles(realMachine.files, (call) => {
      if (call.name === 'stat' && call.path === path) fs.rmSync(path, { force: true });
    });
    expect((await look(queue, machineWithFiles(files))).problems).toEqual([]);
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
    const harmless = ['read', 'read-job', 'lock-present', 'close', 'fstat', 'stat', 'readdir'];
    expect([...made].filter((call) => !harmless.includes(call))).toEqual([]);
  });
});
