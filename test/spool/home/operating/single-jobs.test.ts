/** What an operator does to jobs, beside workers, with real queues. */

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Machine } from '../../../../src/os/ports.ts';
import { realMachine } from '../../../../src/os/real/index.ts';
import { sequence } from '../../../../src/packet/header.ts';
import type { Queue } from '../../../../src/queue/contract.ts';
import type { Operated } from '../../../../src/queue/keeper.ts';
import type { FoundJob } from '../../../../src/queue/snapshot.ts';
import { moveJob, openTarget } from '../../../../src/spool/home/operating/move.ts';
import { Operator } from '../../../../src/spool/home/operating/operator.ts';
import {
  holdJob,
  releaseJob,
  removeJob,
  retryJob,
} from '../../../../src/spool/home/operating/single-jobs.ts';
import { skipLane } from '../../../../src/spool/home/operating/skip.ts';
import { takeSnapshot } from '../../../../src/spool/home/seeing/snapshot.ts';
import { createQueueDirectory } from '../../../../src/spool/queue-files.ts';
import { lockSequence } from '../../../../src/spool/sequence-file.ts';
import { lockQueue } from '../../../../src/spool/session.ts';
import { openSpool } from '../../../../src/spool/spool.ts';
import { serveQueues } from '../../../../src/worker/serve.ts';
import { faultyFiles } from '../../../support/faulty-files.ts';
import {
  addNamed,
  claimFrom,
  failNext,
  fileOf,
  findJob,
  homeQueue,
  jobFiles,
} from '../../../support/home-queues.ts';
import { machineWithFiles } from '../../../support/machines.ts';
import { litterOf, putJob } from '../../../support/packets.ts';
import { useTemporary } from '../../../support/temporary.ts';

const temporary = useTemporary();
const q = (...names: string[]) => temporary.path('q', ...names);
const HOUR_MS = 3_600_000;

type Act = (operator: Operator, found: FoundJob) => Promise<Operated>;

async function operate(act: Act, job: string, machine: Machine = realMachine): Promise<Operated> {
  const operator = new Operator(machine, q());
  try {
    return await act(operator, await findJob(q(), job));
  } finally {
    await operator.close();
  }
}

async function skip(lane: string) {
  const operator = new Operator(realMachine, q());
  try {
    return await skipLane(operator, lane);
  } finally {
    await operator.close();
  }
}

/** Runs all that may run, and says by their first params in which order. */
async function runAll(queue: Queue): Promise<string[]> {
  const ran: string[] = [];
  await serveQueues(realMachine, [queue], ({ work }) => {
    if (work.kind === 'command') ran.push(work.params[0] ?? '(nothing)');
  });
  return ran;
}

async function placeOf(job: string): Promise<string> {
  const found = await findJob(q(), job);
  return found.place === 'waiting' ? found.standing.kind : found.place;
}

describe('holding', () => {
  it('keeps a job and its lane from starting until it is released', async () => {
    const queue = await homeQueue(q());
    const first = await addNamed(queue, 'first', { lane: 'alice' });
    await addNamed(queue, 'second', { lane: 'alice' });
    await addNamed(queue, 'free');
    expect(await operate(holdJob, first)).toEqual({ kind: 'done', lane: 'none' });
    expect(await operate(holdJob, first)).toEqual({ kind: 'unchanged' });
    expect(await runAll(queue)).toEqual(['free']);
    expect(await operate(releaseJob, first)).toEqual({ kind: 'done', lane: 'none' });
    expect(await operate(releaseJob, first)).toEqual({ kind: 'unchanged' });
    expect(await runAll(queue)).toEqual(['first', 'second']);
  });

  it('keeps a job that has failed from being passed over', async () => {
    const queue = await homeQueue(q());
    const first = await addNamed(queue, 'first', { lane: 'alice' });
    await addNamed(queue, 'second', { lane: 'alice' });
    await failNext(queue, 'no', 'hold');
    expect(await operate(holdJob, first)).toEqual({ kind: 'done', lane: 'none' });
    expect(await operate(holdJob, first)).toEqual({ kind: 'unchanged' });
    const session = await queue.join({ blocked: { action: 'skip' } });
    expect(await session.claim()).toMatchObject({ reason: 'held', jobs: 2 });
    await session.close();
    await operate(releaseJob, first);
    expect(await runAll(queue)).toEqual(['first', 'second']);
  });

  it('is refused in a queue of the original, which would run it', async () => {
    await createQueueDirectory(realMachine, q(), { appendOnly: false });
    putJob(q(), 'aaaa', { seq: 1 });
    await expect(operate(holdJob, 'aaaa')).rejects.toMatchObject({ code: 'not-possible' });
  });
});

describe('what runs', () => {
  it.each<[string, Act]>([
    ['hold', holdJob],
    ['retry', retryJob],
    ['remove', removeJob],
  ])('is not there to %s', async (_name, act) => {
    const queue = await homeQueue(q());
    const id = await addNamed(queue, 'x');
    const session = await queue.join();
    const claim = await claimFrom(session);
    await expect(operate(act, id)).rejects.toMatchObject({ code: 'job-running' });
    expect(await claim.succeed()).toBe('settled');
    await session.close();
  });

  it.each<[string, Act]>([
    ['hold', holdJob],
    ['retry', retryJob],
    ['remove', removeJob],
  ])('may be any, and there is none to %s, when somebody works the queue alone', async (_name, act) => {
    const queue = await homeQueue(q());
    const id = await addNamed(queue, 'x', { notBefore: new Date(Date.now() + HOUR_MS) });
    const alone = await lockQueue(realMachine, q());
    await expect(operate(act, id)).rejects.toMatchObject({ code: 'locked' });
    await alone.close();
    expect(await operate(act, id)).toEqual({ kind: 'done', lane: 'none' });
  });

  it('is said when it was claimed since we looked', async () => {
    const queue = await homeQueue(q());
    const id = await addNamed(queue, 'x');
    const found = await findJob(q(), id);
    const session = await queue.join();
    await claimFrom(session);
    const operator = new Operator(realMachine, q());
    for (const act of [holdJob, removeJob]) expect(await act(operator, found)).toEqual({ kind: 'gone' });
    await operator.close();
    await session.close();
  });
});

describe('trying again', () => {
  it('lets a delayed job start now', async () => {
    const queue = await homeQueue(q());
    const id = await addNamed(queue, 'x', { notBefore: new Date(Date.now() + HOUR_MS) });
    expect(await runAll(queue)).toEqual([]);
    await operate(retryJob, id);
    expect(await operate(retryJob, id)).toEqual({ kind: 'unchanged' });
    expect(await runAll(queue)).toEqual(['x']);
  });

  it('brings a failed job back as if it were new', async () => {
    const queue = await homeQueue(q());
    const id = await addNamed(queue, 'x');
    await failNext(queue);
    expect(await placeOf(id)).toBe('failed');
    expect(await operate(retryJob, id)).toEqual({ kind: 'done', lane: 'none' });
    expect(jobFiles(q())[0]).toContain(`.0.0.`);
    expect(jobFiles(q(), 'failed')).toEqual([]);
    expect(await runAll(queue)).toEqual(['x']);
  });

  it('lets a lane go on whose head has failed', async () => {
    const queue = await homeQueue(q(), 'sequence');
    const id = await addNamed(queue, 'first');
    await addNamed(queue, 'second');
    await failNext(queue, 'no', 'hold');
    expect(await runAll(queue)).toEqual([]);
    await operate(retryJob, id);
    expect(await runAll(queue)).toEqual(['first', 'second']);
  });

  it.each(['alice', undefined])(
    'of a job that its lane (%s) has gone on without puts it at the end',
    async (lane) => {
      const queue = await homeQueue(q(), 'sequence');
      const in_ = lane === undefined ? {} : { lane };
      const id = await addNamed(queue, 'first', { ...in_, payload: 'p'.repeat(3_000_000) });
      await addNamed(queue, 'second', in_);
      await failNext(queue, 'no', 'skip');
      expect(await operate(retryJob, id)).toEqual({ kind: 'done', lane: 'none', seq: 3n });
      expect(jobFiles(q(), 'failed')).toEqual([]);
      expect((await queue.jobs()).jobs.map(({ seq }) => seq)).toEqual([2n, 3n]);
      await addNamed(queue, 'third', in_);
      const payloads: number[] = [];
      await serveQueues(realMachine, [queue], async (_job, payload) => {
        payloads.push((await payload.text()).length);
      });
      expect(payloads).toEqual([17, 3_000_000, 16]);
      expect(litterOf(q())).toEqual([]);
    },
  );

  it('of a job whose numbers a sender elsewhere gives is refused', async () => {
    const queue = await homeQueue(q(), 'sequence');
    putJob(q(), 'aaaa', { seq: 1 });
    putJob(q(), 'bbbb', { seq: 2 });
    await failNext(queue, 'no', 'skip');
    await expect(operate(retryJob, 'aaaa')).rejects.toMatchObject({
      code: 'not-possible',
      message: expect.stringContaining('come from a sender elsewhere'),
    });
    expect(jobFiles(q(), 'failed')).toHaveLength(1);
    expect(litterOf(q())).toEqual([]);
  });
});

describe('removing', () => {
  it('a free job removes it and its log', async () => {
    const queue = await homeQueue(q());
    const id = await addNamed(queue, 'x');
    await failNext(queue);
    expect(existsSync(q(`log/${id}.jsonl`))).toBe(true);
    await operate(removeJob, id);
    expect(jobFiles(q(), 'failed')).toEqual([]);
    expect([existsSync(q(`log/${id}.jsonl`)), existsSync(q(`log/${id}.1.err`))]).toEqual([false, false]);
  });

  it.each([
    ['the head', 0, 'moved-on', ['2', '3', '4']],
    ['one in the middle', 1, 'place-kept', ['1', '3', '4']],
    ['the last', 3, 'place-kept', ['1', '2', '3']],
  ] as const)('%s of a lane lets it go on', async (_which, index, effect, rest) => {
    for (const [order, lane] of [
      ['free', 'alice'],
      ['sequence', undefined],
      ['sequence', 'l'.repeat(80)],
    ] as const) {
      const path = `q-${order}-${lane?.length}`;
      const queue = await homeQueue(temporary.path(path), order);
      const ids: string[] = [];
      for (const name of ['1', '2', '3', '4'])
        ids.push(await addNamed(queue, name, lane === undefined ? {} : { lane }));
      const operator = new Operator(realMachine, temporary.path(path));
      const found = await findJob(temporary.path(path), ids[index] ?? '');
      expect(await removeJob(operator, found)).toEqual({ kind: 'done', lane: effect });
      await operator.close();
      expect(await runAll(queue)).toEqual(rest);
      const after = await takeSnapshot(realMachine, temporary.path(path));
      expect(after.counts).toMatchObject({ waiting: 0, failed: 0 });
      await addNamed(queue, '5', lane === undefined ? {} : { lane });
      expect(await runAll(queue)).toEqual(['5']);
    }
  });

  it('in a queue of the original keeps its order too', async () => {
    await createQueueDirectory(realMachine, q(), { appendOnly: false });
    for (const seq of [1, 2, 3])
      putJob(q(), `job${seq}`, { seq, work: { kind: 'command', params: [`${seq}`], env: [] } });
    expect(await operate(removeJob, 'job1')).toEqual({ kind: 'done', lane: 'moved-on' });
    expect(await operate(removeJob, 'job3')).toEqual({ kind: 'done', lane: 'place-kept' });
    expect(readFileSync(q('nextseq'), 'utf8')).toBe('2\n');
    expect(jobFiles(q()).length).toBe(2);
    expect(existsSync(q('work'))).toBe(false);
    const alone = await lockQueue(realMachine, q());
    await expect(operate(removeJob, 'job2')).rejects.toMatchObject({ code: 'locked' });
    await alone.close();
    await operate(removeJob, 'job2');
    expect(readFileSync(q('nextseq'), 'utf8')).toBe('3\n');
  });

  it('from a queue that is only added to touches no number', async () => {
    await createQueueDirectory(realMachine, q(), { appendOnly: true });
    putJob(q(), 'aaaa', { seq: 7 });
    expect(await operate(removeJob, 'aaaa')).toEqual({ kind: 'done', lane: 'none' });
    expect(jobFiles(q())).toEqual([]);
    expect(existsSync(q('nextseq'))).toBe(false);
  });

  it('what cannot be read, and what is past', async () => {
    await homeQueue(q(), 'sequence');
    writeFileSync(q('jobs/fspl-torn.fspl'), 'no packet');
    await operate(removeJob, 'torn');
    const numbers = await lockSequence(realMachine, q('nextseq'), { create: true, waitMs: 0 });
    await numbers.write(sequence(5));
    await numbers.close();
    putJob(q(), 'late', { seq: 2 });
    await operate(removeJob, 'late');
    expect(jobFiles(q())).toEqual([]);
    expect(readFileSync(q('nextseq'), 'utf8')).toBe('5\n');
  });

  it('loses no other job, whichever call fails', async () => {
    for (const [index, code] of [
      [0, 'EIO'],
      [1, 'ENOSPC'],
    ] as const) {
      for (let call = 1; ; call++) {
        const path = temporary.path(`q-${index}-${call}`);
        const queue = await homeQueue(path);
        const ids: string[] = [];
        for (const name of ['1', '2', '3']) ids.push(await addNamed(queue, name, { lane: 'alice' }));
        const found = await findJob(path, ids[index] ?? '');
        let count = 0;
        const files = faultyFiles(realMachine.files, ({ name }) => {
          if (!['rename', 'unlink', 'fsync'].includes(name)) return undefined;
          count += 1;
          return count === call ? code : undefined;
        });
        const operator = new Operator(machineWithFiles(files), path);
        const failed = await removeJob(operator, found).then(
          () => false,
          () => true,
        );
        const closed = await operator.close().then(
          () => true,
          () => false,
        );
        const names = ['1', '2', '3'].filter((_, at) => at !== index);
        const ran = await runAll(queue);
        // What was to be removed may be there still; the others run in order, past a gap at most, which is said.
        const after = await takeSnapshot(realMachine, path);
        const waiting = after.waiting.filter(({ standing }) => standing.kind === 'gap').length;
        const others = ran.filter((name) => names.includes(name));
        expect(others, `call ${call}`).toEqual(names.slice(0, others.length));
        expect(others.length + waiting, `call ${call}`).toBe(names.length);
        if (!failed && closed && count < call) break;
      }
    }
  }, 60_000);
});

describe('moving a lane on', () => {
  it('past a missing number', async () => {
    const queue = await homeQueue(q());
    const ids: string[] = [];
    for (const name of ['1', '2', '3', '4']) ids.push(await addNamed(queue, name, { lane: 'alice' }));
    for (const id of ids.slice(0, 2)) rmSync(q('jobs', fileOf(q(), id)));
    expect(await runAll(queue)).toEqual([]);
    expect(await skip('alice')).toEqual({ lane: 'alice', from: 1n, to: 3n, id: undefined });
    expect(await runAll(queue)).toEqual(['3', '4']);
  });

  it('past a failed head, which goes to the failed ones', async () => {
    const queue = await homeQueue(q(), 'sequence');
    const id = await addNamed(queue, '1');
    await addNamed(queue, '2');
    await failNext(queue, 'no', 'hold');
    expect(await skip('')).toEqual({ lane: '', from: 1n, to: 2n, id });
    expect(await placeOf(id)).toBe('failed');
    expect(await runAll(queue)).toEqual(['2']);
  });

  it('in a queue of the original', async () => {
    await createQueueDirectory(realMachine, q(), { appendOnly: false });
    putJob(q(), 'late', { seq: 9 });
    expect(await skip('')).toMatchObject({ from: 1n, to: 9n });
    expect(readFileSync(q('nextseq'), 'utf8')).toBe('9\n');
  });

  it.each<[string, string, (queue: Queue) => Promise<unknown>]>([
    [
      'that runs',
      'is at job 1, which is running',
      async (queue) => {
        await addNamed(queue, '1', { lane: 'alice' });
        const session = await queue.join();
        await claimFrom(session);
        sessions.push(session);
      },
    ],
    [
      'that may run',
      'is at job 1, which has not started yet',
      (queue) => addNamed(queue, '1', { lane: 'alice' }),
    ],
    ['without jobs', 'has no jobs', async () => {}],
  ])('is refused for one %s', async (_what, said, make) => {
    const queue = await homeQueue(q());
    await make(queue);
    await expect(skip('alice')).rejects.toMatchObject({
      code: 'not-possible',
      message: expect.stringContaining(said),
    });
    for (const session of sessions.splice(0)) await session.close();
  });
  const sessions: { close(): Promise<void> }[] = [];
});

describe('moving jobs', () => {
  async function move(job: string, to: string, machine: Machine = realMachine): Promise<Operated> {
    const operator = new Operator(machine, q());
    try {
      const found = await findJob(q(), job);
      return await moveJob(operator, found, await openTarget(operator, to));
    } finally {
      await operator.close();
    }
  }

  it.each(['the same file system', 'another file system'])(
    'to %s keeps their bytes, and lanes go on',
    async (where) => {
      const files = faultyFiles(realMachine.files, ({ name, to }) =>
        where !== 'the same file system' &&
        name === 'rename' &&
        to?.includes('/target/jobs/fspl-') &&
        !to.includes('.tmp') &&
        copied++ % 2 === 0
          ? 'EXDEV'
          : undefined,
      );
      let copied = 0;
      const queue = await homeQueue(q());
      const target = await homeQueue(temporary.path('target'));
      const ids: string[] = [];
      for (const name of ['1', '2', '3'])
        ids.push(await addNamed(queue, name, { lane: 'alice', name: `name ${name}` }));
      const bytes = readFileSync(q('jobs', fileOf(q(), ids[1] ?? '')));
      expect(await move(ids[1] ?? '', temporary.path('target'), machineWithFiles(files))).toEqual({
        kind: 'done',
        lane: 'place-kept',
      });
      const there = temporary.path('target/jobs', fileOf(temporary.path('target'), ids[1] ?? ''));
      expect(readFileSync(there).equals(bytes)).toBe(true);
      expect(await move(ids[0] ?? '', temporary.path('target'), machineWithFiles(files))).toEqual({
        kind: 'done',
        lane: 'moved-on',
      });
      expect(await runAll(queue)).toEqual(['3']);
      expect(await runAll(target)).toEqual(['1', '2']);
      // It is not added once more under its name.
      expect((await queue.add({ name: 'name 1' })).duplicate).toBe(true);
    },
  );

  it('that have failed lets them start anew there', async () => {
    const queue = await homeQueue(q());
    const target = await homeQueue(temporary.path('target'));
    const id = await addNamed(queue, 'x');
    await failNext(queue);
    await move(id, temporary.path('target'));
    expect(await runAll(target)).toEqual(['x']);
    expect(jobFiles(q(), 'failed')).toEqual([]);
  });

  it('is refused where their number is past, or there, or they are already', async () => {
    const queue = await homeQueue(q(), 'sequence');
    const target = await homeQueue(temporary.path('target'), 'sequence');
    const id = await addNamed(queue, 'x');
    await addNamed(target, 'y');
    await expect(move(id, temporary.path('target'))).rejects.toMatchObject({
      message: expect.stringContaining('there is a job 1'),
    });
    await runAll(target);
    await expect(move(id, temporary.path('target'))).rejects.toMatchObject({
      message: expect.stringContaining('is past'),
    });
    await expect(move(id, q())).rejects.toMatchObject({ message: expect.stringContaining('in already') });
    expect(await runAll(queue)).toEqual(['x']);
  });

  it('that cannot be brought over leaves them where they were', async () => {
    const queue = await homeQueue(q());
    await homeQueue(temporary.path('target'));
    const id = await addNamed(queue, 'x', { lane: 'alice' });
    const files = faultyFiles(realMachine.files, ({ name, to }) =>
      name === 'rename' && to?.includes('/target/') ? 'ENOSPC' : undefined,
    );
    await expect(move(id, temporary.path('target'), machineWithFiles(files))).rejects.toMatchObject({
      code: 'ENOSPC',
    });
    expect(await runAll(queue)).toEqual(['x']);
  });

  it('from a queue of the original to one with rooms', async () => {
    await createQueueDirectory(realMachine, q(), { appendOnly: false });
    const target = await homeQueue(temporary.path('target'));
    for (const seq of [1, 2])
      putJob(q(), `job${seq}`, { seq, work: { kind: 'command', params: [`${seq}`], env: [] } });
    expect(await move('job1', temporary.path('target'))).toEqual({ kind: 'done', lane: 'moved-on' });
    expect(await runAll(target)).toEqual(['1']);
    expect(readFileSync(q('nextseq'), 'utf8')).toBe('2\n');
    expect((await (await openSpool(realMachine, q())).jobs()).jobs).toHaveLength(1);
  });
});
