import { mkdirSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { realMachine } from '../../../src/os/real/index.ts';
import type { Sequence } from '../../../src/packet/header.ts';
import type { NewJob, Queue } from '../../../src/queue/contract.ts';
import { openSpoolKeeper } from '../../../src/spool/home/keeper.ts';
import { finishReceipt, readReceipt } from '../../../src/spool/home/receipts.ts';
import { openSpool } from '../../../src/spool/spool.ts';
import { failEachCall } from '../../support/faulty-files.ts';
import { claimed, drain, homeQueue, joined, namesIn, param } from '../../support/home.ts';
import { interceptFiles } from '../../support/intercepted-files.ts';
import { machineWith, machineWithFiles, manualClock } from '../../support/machines.ts';
import { litterOf } from '../../support/packets.ts';
import { recordingFiles } from '../../support/recording-files.ts';
import { useTemporary } from '../../support/temporary.ts';

const temporary = useTemporary();
let queue: Queue;
const job: NewJob = { name: 'invoice 2026/11', params: ['p'] };

beforeEach(async () => {
  queue = await homeQueue(temporary.path('queue'));
});

const receipt = () => readReceipt(realMachine, queue.location, job.name ?? '');
const read = async () => (await queue.jobs()).jobs;

describe('a job that its adder has named', () => {
  it('is added once, and then said to be there', async () => {
    const first = await queue.add(job);
    const second = await queue.add(job);
    expect(first.duplicate).toBe(false);
    expect(second).toEqual({ ...first, duplicate: true });
    expect(await read()).toHaveLength(1);
    expect(await receipt()).toMatchObject({ stem: first.id, state: 'accepted' });
  });

  it('is on the disk for good when it is said to be there, whoever put it there', async () => {
    await queue.add(job);
    const recording = recordingFiles(realMachine.files);
    const again = await openSpool(machineWithFiles(recording.files), queue.location);
    expect((await again.add(job)).duplicate).toBe(true);
    expect(recording.told(queue.location, 'fsync')).toEqual(['fsync jobs']);
  });

  it('does not keep out one of another name, or none', async () => {
    await queue.add(job);
    expect((await queue.add({ ...job, name: 'other' })).duplicate).toBe(false);
    expect((await queue.add({})).duplicate).toBe(false);
    expect(await read()).toHaveLength(3);
  });

  it('is not added again while it runs, nor when it was retried, is held, kept or done', async () => {
    const { id } = await queue.add(job);
    const again = async () => (await queue.add(job)).duplicate;
    await joined(queue, async (session) => {
      const claim = await claimed(session);
      expect(await again(), 'running').toBe(true);
      await claim.retry(0, 'once more');
      expect(await again(), 'waiting again').toBe(true);
      await (await claimed(session)).fail('no');
      expect(await again(), 'failed').toBe(true);
      expect(namesIn(queue, 'failed')).toHaveLength(1);
      // A person sees to it that it is run again.
      const [name] = namesIn(queue, 'failed') as [string];
      renameSync(`${queue.location}/failed/${name}`, `${queue.location}/jobs/${name}`);
      await (await claimed(session)).succeed();
      expect(await again(), 'done').toBe(true);
    });
    expect(await read()).toEqual([]);
    expect(await receipt()).toMatchObject({ stem: id, state: 'finished' });
  });

  it('that failed and was removed may be added again', async () => {
    await queue.add(job);
    await joined(queue, async (session) => {
      await (await claimed(session)).fail('no');
    });
    unlinkSync(`${queue.location}/failed/${namesIn(queue, 'failed')[0]}`);
    expect((await queue.add(job)).duplicate).toBe(false);
  });

  it('is added once by many at once', async () => {
    const queues = await Promise.all(Array.from({ length: 8 }, () => openSpool(realMachine, queue.location)));
    const added = await Promise.all(queues.map((one) => one.add(job)));
    expect(added.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(new Set(added.map(({ id }) => id)).size).toBe(1);
    expect(await read()).toHaveLength(1);
  });

  it('may have any name, however long', async () => {
    const names = [
      '.',
      '..',
      'a/b',
      'lock',
      'x'.repeat(1000),
      `${'x'.repeat(999)}y`,
      'é\n',
      'lock.json',
      '%2E',
    ];
    for (const name of names) expect([name, (await queue.add({ name })).duplicate]).toEqual([name, false]);
    for (const name of names) expect([name, (await queue.add({ name })).duplicate]).toEqual([name, true]);
    await expect(queue.add({ name: '' })).rejects.toMatchObject({ code: 'not-written' });
  });

  it('is added once by addAll too, among others', async () => {
    const added = await queue.addAll([{ params: ['a'] }, job, job, { params: ['b'] }]);
    expect(added.map(({ duplicate }) => duplicate)).toEqual([false, false, true, false]);
    expect(added[2]?.id).toBe(added[1]?.id);
    expect(await joined(queue, (session) => drain(session, param))).toEqual(['a', 'p', 'b']);
  });
});

/** Dies at the rename that would make the job be there. */
async function dyingAdder(): Promise<Queue> {
  let isDead = false;
  const files = interceptFiles(realMachine.files, ({ name, to }) => {
    isDead ||= name === 'rename' && to?.includes('/jobs/fspl-') === true;
    if (isDead) throw Object.assign(new Error('dead'), { code: 'EIO', syscall: name });
  });
  return openSpool(machineWithFiles(files), queue.location);
}

describe('a crash when the number is used and the job not there', () => {
  const laned: NewJob = { ...job, lane: 'l' };

  it('leaves a hole in the lane, which the job fills when it is added again', async () => {
    await expect((await dyingAdder()).add(laned)).rejects.toThrow();
    await queue.add({ lane: 'l', params: ['behind'] });
    expect(await queue.add(laned)).toMatchObject({ seq: 1n, duplicate: false });
    expect(await joined(queue, drain)).toEqual(['p', 'behind']);
  });

  it('leaves none that is filled when a person has let the lane go on', async () => {
    await expect((await dyingAdder()).add(laned)).rejects.toThrow();
    await queue.add({ lane: 'l', params: ['behind'] });
    const operation = await (await openSpoolKeeper(realMachine, queue.location, {})).operate();
    await operation.skip?.('l');
    await operation.close();
    expect(await queue.add(laned)).toMatchObject({ seq: 3n });
    expect(await joined(queue, drain)).toEqual(['behind', 'p']);
  });

  it('leaves none that is filled when another job has that number', async () => {
    await expect((await dyingAdder()).add(laned)).rejects.toThrow();
    writeFileSync(`${queue.location}/lanes/l.added`, '1\n');
    await queue.add({ lane: 'l', params: ['other'] });
    expect(await queue.add(laned)).toMatchObject({ seq: 2n });
    expect(await joined(queue, drain)).toEqual(['other', 'p']);
  });
});

describe('a payload that comes slowly', () => {
  it('keeps nobody else out, and is not asked for when the job is known', async () => {
    let go = () => {};
    const slow = queue.add({
      name: 'slow',
      payload: (async function* () {
        yield 'first';
        await new Promise<void>((resolve) => {
          go = resolve;
        });
        yield 'last';
      })(),
    });
    expect(await queue.add(job)).toMatchObject({ duplicate: false });
    const asked = (async function* () {
      yield await Promise.reject(new Error('nobody is to ask for this'));
    })();
    expect(await queue.add({ ...job, payload: asked })).toMatchObject({ duplicate: true });
    go();
    expect(await slow).toMatchObject({ duplicate: false });
  });
});

describe('a crash', () => {
  const stem = '0c2b1f6e-6a0f-4c0e-9a55-0123456789ab';
  const leave = (state: string) =>
    writeFileSync(
      `${queue.location}/receipts/invoice%202026%2F11.json`,
      `${JSON.stringify({ name: job.name, stem, state })}\n`,
    );

  it('after the receipt leaves a receipt without a job: the next adder adds it, under that stem', async () => {
    leave('accepted');
    expect(await queue.add(job)).toMatchObject({ id: stem, duplicate: false });
    expect((await read()).map(({ id }) => id)).toEqual([stem]);
  });

  it('after the job leaves both: it is not added again', async () => {
    const first = await queue.add(job);
    expect((await queue.add(job)).id).toBe(first.id);
  });

  it('between the end of the job and that of its file: the job runs again, and is never added again', async () => {
    const { id, seq } = await queue.add(job);
    await finishReceipt(realMachine, queue.location, job.name ?? '', { stem: id, seq: seq as Sequence });
    expect(await queue.add(job)).toEqual({ id, seq, duplicate: true });
    expect(await joined(queue, (session) => drain(session, param))).toEqual(['p']);
    expect(await queue.add(job)).toEqual({ id, seq, duplicate: true });
  });

  it('or an error at any call leaves at most one job, and the next adder sees to it that there is one', async () => {
    let round = 0;
    const calls = await failEachCall(realMachine.files, 'EIO', async (files, failed) => {
      round += 1;
      const named = { name: `job ${round}` };
      const faulty = await openSpool(realMachine, queue.location);
      const outcome = await openSpool(machineWithFiles(files), queue.location)
        .then((one) => one.add(named))
        .catch((error: unknown) => error);
      if (failed() === undefined) expect(outcome).toMatchObject({ duplicate: false });
      await faulty.add(named);
      expect(await read()).toHaveLength(round);
      expect(litterOf(queue.location)).toEqual([]);
    });
    expect(calls).toBeGreaterThan(10);
  });
});

describe('a receipt', () => {
  it('that is damaged is said, and nothing is added', async () => {
    writeFileSync(`${queue.location}/receipts/invoice%202026%2F11.json`, '{');
    await expect(queue.add(job)).rejects.toMatchObject({
      code: 'settings-damaged',
      message: expect.stringContaining('receipts/invoice%202026%2F11.json'),
    });
    expect(await read()).toEqual([]);
  });

  it('is waited for while others write theirs, and then given up', async () => {
    const lock = await realMachine.files.open(`${queue.location}/receipts/lock`, 'lock');
    await realMachine.locks.tryLock(lock, 'exclusive');
    const clock = manualClock();
    const busy = await openSpool(machineWith({ clock }), queue.location);
    await expect(busy.add(job)).rejects.toMatchObject({ code: 'locked' });
    expect(clock.waitedMs).toBeGreaterThanOrEqual(10_000);
    await realMachine.files.close(lock);
    expect(await read()).toEqual([]);
  });

  it('finds its job in the room of a worker', async () => {
    const { id } = await queue.add(job);
    const [name] = namesIn(queue, 'jobs') as [string];
    mkdirSync(`${queue.location}/work/W`);
    renameSync(`${queue.location}/jobs/${name}`, `${queue.location}/work/W/${name}`);
    expect(await queue.add(job)).toMatchObject({ id, duplicate: true });
  });
});
