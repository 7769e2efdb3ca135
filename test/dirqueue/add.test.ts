/** What adding asks of the disk, in which order, and what is left when the disk refuses. */

import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createDirQueue, openDirQueue } from '../../src/dirqueue/dirqueue.ts';
import type { Machine } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { isQueueError } from '../../src/queue/errors.ts';
import { filesIn } from '../support/dirqueues.ts';
import { failEachCall } from '../support/faulty-files.ts';
import { recordingFiles } from '../support/recording-files.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const EACH_CALL = ['open', 'write', 'fsync', 'link', 'unlink', 'touch', 'mkdir', 'stat', 'exists'] as const;

/** A queue to which one job has been added already, and what is asked of the files from now on. */
async function recorded() {
  const path = temporary.path('queue');
  await createDirQueue(realMachine, path);
  const recording = recordingFiles(realMachine.files);
  const queue = await openDirQueue({ ...realMachine, files: recording.files }, path);
  await queue.add({ payload: 'first' });
  const before = recording.told(path, ...EACH_CALL).length;
  const told = () =>
    recording
      .told(path, ...EACH_CALL)
      .slice(before)
      .map((call) => call.replace(/\d\d\.\d{20}\.[\w+]+/g, 'ID').replace(/data\/[\w+]\/[\w+]/g, 'data/X/Y'));
  return { queue, told };
}

describe('an add', () => {
  it('has both files and the way to the data on the disk before the job is there', async () => {
    const { queue, told } = await recorded();
    await queue.add({ payload: 'second' });
    expect(told()).toEqual([
      'open data/X/Y/ID',
      'write data/X/Y/ID',
      'open tmp/ID.ctrl',
      'write tmp/ID.ctrl',
      'open data/X/Y',
      'fsync data/X/Y/ID',
      'fsync tmp/ID.ctrl',
      'fsync data/X/Y',
      'link tmp/ID.ctrl queue/ID',
      'unlink tmp/ID.ctrl',
      'open queue',
      'fsync queue',
      'touch queue',
    ]);
  });

  it('of a stream has no data file until the stream has ended', async () => {
    const { queue, told } = await recorded();
    await queue.add({ payload: ['second'] }, { durability: 'crash-safe' });
    expect(told().slice(0, 4)).toEqual([
      'open tmp/ID.data',
      'write tmp/ID.data',
      'link tmp/ID.data data/X/Y/ID',
      'unlink tmp/ID.data',
    ]);
  });

  it('that need not survive a power cut asks for nothing but its files', async () => {
    const { queue, told } = await recorded();
    await queue.add({ payload: 'second' }, { durability: 'crash-safe' });
    expect(told()).toHaveLength('open write open write link unlink touch'.split(' ').length);
  });

  it('shares its syncs with those that overlap', async () => {
    const { queue, told } = await recorded();
    await Promise.all(Array.from({ length: 50 }, (_, n) => queue.add({ payload: `job ${n}` })));
    const calls = told();
    expect(calls.filter((call) => call.startsWith('link') && call.includes(' queue/'))).toHaveLength(50);
    expect(calls.filter((call) => call === 'fsync queue').length).toBeLessThan(10);
    expect(calls).toContain('fsync queue');
  });

  it('goes on when somebody has removed directories that it knew', async () => {
    const { queue } = await recorded();
    for await (const job of queue.take({ wait: false })) await job.finish();
    for (const name of ['data', 'tmp']) rmSync(temporary.path('queue', name), { recursive: true });
    await queue.add({ payload: 'second' });
    expect((await queue.jobs()).jobs).toHaveLength(1);
  });
});

describe('when one call fails', () => {
  it.each(['EIO', 'ENOSPC', 'EACCES'])('with %s, a job is there whole, or it is told', async (code) => {
    const path = temporary.path('queue');
    await createDirQueue(realMachine, path);
    const calls = await failEachCall(realMachine.files, code, async (files) => {
      const machine: Machine = { ...realMachine, files };
      const queue = await openDirQueue(realMachine, path);
      const before = (await queue.jobs()).jobs.length;
      const failure = await openDirQueue(machine, path)
        .then((faulty) => faulty.addAll([{ payload: 'one' }, { payload: 'two' }]))
        .then(
          () => undefined,
          (error: unknown) => error,
        );
      const { jobs, unreadable } = await queue.jobs();
      expect(unreadable).toEqual([]);
      if (failure === undefined) expect(jobs).toHaveLength(before + 2);
      else if (!isQueueError(failure, 'not-durable')) expect(jobs).toHaveLength(before);
    });
    expect(calls).toBeGreaterThan(20);
    const left = filesIn(path).filter((name) => name.startsWith('tmp/'));
    expect(left.length).toBeLessThan(calls / 2);
  });
});
