import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Files } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import type { NewJob } from '../../src/queue/contract.ts';
import { QueueError } from '../../src/queue/errors.ts';
import { addJob } from '../../src/spool/add-job.ts';
import { stemOf } from '../../src/spool/home/job-name.ts';
import { type JobFile, scanQueue } from '../../src/spool/queue-files.ts';
import { takeNumber } from '../../src/spool/sender.ts';
import { createSpool } from '../../src/spool/spool.ts';
import { failEachCall, faultyFiles, systemError } from '../support/faulty-files.ts';
import { interceptFiles } from '../support/intercepted-files.ts';
import { locksBusyFor, machineWith, machineWithFiles, manualClock } from '../support/machines.ts';
import { litterOf, putJob } from '../support/packets.ts';
import { CHANGES, recordingFiles } from '../support/recording-files.ts';
import { openDescriptors, useTemporary } from '../support/temporary.ts';

const { files: real } = realMachine;
const temporary = useTemporary();
let queue: string;

beforeEach(async () => {
  queue = temporary.path('queue');
  await createSpool(realMachine, queue);
});

const job: NewJob = { params: ['p'], env: { FOO: 'bar' }, payload: 'payload' };

async function numbersIn(place: string): Promise<bigint[]> {
  const { jobs, unreadable } = await scanQueue(realMachine, place);
  expect(unreadable).toEqual([]);
  return jobs.map(({ header }) => header.seq).sort((a, b) => Number(a - b));
}

describe('addJob', () => {
  it('gives the number once the payload is written, and the name once the number is safe', async () => {
    await addJob(realMachine, queue, job);
    const recording = recordingFiles(real);
    await addJob(machineWithFiles(recording.files), queue, job);
    expect(recording.told(queue, ...CHANGES).map((call) => call.replace(/\.\d{13}\./, '.MS.'))).toEqual([
      'write jobs/tmp-fspl-ID.fspl.tmp',
      'write jobs/tmp-fspl-ID.fspl.tmp',
      'fsync jobs/tmp-fspl-ID.fspl.tmp',
      'writeAt jobs/tmp-fspl-ID.fspl.tmp',
      'fsync jobs/tmp-fspl-ID.fspl.tmp',
      'write addseq.temp',
      'fsyncAside addseq.temp',
      'rename addseq.temp addseq',
      'fsync .',
      'fsync jobs/tmp-fspl-ID.fspl.tmp',
      'rename jobs/tmp-fspl-ID.fspl.tmp jobs/fspl-50.MS.0.0.2..ID.fspl',
      'fsync jobs',
    ]);
  });

  it("refuses the first job while another sender's cannot be read, for their numbers could meet", async () => {
    putJob(queue, 'theirs', { seq: 1 });
    const files = faultyFiles(real, ({ name, path }) =>
      name === 'read' && path.endsWith('fspl-theirs.fspl') ? 'EIO' : undefined,
    );
    await expect(addJob(machineWithFiles(files), queue, job)).rejects.toMatchObject({
      code: 'number-unknown',
      message: `${queue}/jobs/fspl-theirs.fspl: the disk reports an input/output error, so nobody can tell which number is free`,
      cause: { code: 'EIO' },
    });
    expect(litterOf(queue)).toEqual([]);
    expect((await addJob(realMachine, queue, job)).seq).toBe(2n);
  });

  it('at level crash-safe syncs only the number', async () => {
    await addJob(realMachine, queue, job);
    const recording = recordingFiles(real);
    await addJob(machineWithFiles(recording.files), queue, job, { durability: 'crash-safe' });
    expect(recording.told(queue, 'fsync', 'fsyncAside')).toEqual(['fsyncAside addseq.temp', 'fsync .']);
  });

  it('writes the number in nine bytes, whatever it is, as any reader takes it', async () => {
    await addJob(realMachine, queue, job);
    const [{ path }] = (await scanQueue(realMachine, queue)).jobs as [JobFile];
    const bytes = readFileSync(path);
    expect(bytes.subarray(30, 44).toString('hex')).toBe('83a3736571cf0000000000000001');
    expect(bytes.subarray(-7).toString()).toBe('payload');
  });

  it('begins behind all that wait, and not before the one that is next', async () => {
    putJob(queue, 'a', { seq: 7 });
    putJob(queue, 'b', { seq: 4 });
    expect((await addJob(realMachine, queue, job)).seq).toBe(8n);

    const worked = temporary.path('worked');
    await createSpool(realMachine, worked);
    writeFileSync(`${worked}/nextseq`, '42\n');
    expect((await addJob(realMachine, worked, job)).seq).toBe(42n);
    expect((await addJob(realMachine, worked, job)).seq).toBe(43n);
  });

  it('writes the first number of all down once', async () => {
    const recording = recordingFiles(real);
    await addJob(machineWithFiles(recording.files), queue, job);
    expect(recording.told(queue, 'rename').slice(0, 1)).toEqual(['rename addseq.temp addseq']);
    expect(recording.told(queue, 'rename')).toHaveLength(2);
    expect(readFileSync(`${queue}/addseq`, 'utf8')).toBe('2\n');
  });

  it('begins with 1 in an append-only queue', async () => {
    const place = temporary.path('append-only');
    await createSpool(realMachine, place, { appendOnly: true });
    expect((await addJob(realMachine, place, job)).seq).toBe(1n);
  });

  it("takes numbers from a sender's sequence file when told to", async () => {
    const sequenceFile = temporary.path('sender');
    expect(await takeNumber(realMachine, sequenceFile)).toBe(1n);
    expect((await addJob(realMachine, queue, job, { sequenceFile })).seq).toBe(2n);
    expect(await takeNumber(realMachine, sequenceFile)).toBe(3n);
    expect(readdirSync(queue).sort()).toEqual(['jobs', 'nextseq', 'nextseq.lock']);
  });

  it('tells a missing sequence directory from a missing queue', async () => {
    const sequenceFile = temporary.path('nowhere', 'sender');
    await expect(addJob(realMachine, queue, job, { sequenceFile })).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(addJob(realMachine, temporary.path('no-queue'), job)).rejects.toMatchObject({
      code: 'not-a-queue',
    });
    expect(readdirSync(`${queue}/jobs`)).toEqual([]);
  });

  it('gives up a damaged sequence file with nothing added', async () => {
    writeFileSync(`${queue}/addseq`, 'junk\n');
    await expect(addJob(realMachine, queue, job)).rejects.toMatchObject({ code: 'sequence-damaged' });
    expect(readdirSync(`${queue}/jobs`)).toEqual([]);
    expect(readFileSync(`${queue}/addseq`, 'utf8')).toBe('junk\n');
  });

  it('waits for the number while others take theirs', async () => {
    const clock = manualClock();
    const machine = machineWith({ clock, locks: locksBusyFor(20) });
    expect((await addJob(machine, queue, job)).seq).toBe(1n);
    expect(clock.waitedMs).toBeGreaterThan(0);
  });

  it('says when the number could not be written down', async () => {
    const files = faultyFiles(real, ({ name, path }) =>
      name === 'write' && path.endsWith('addseq.temp') ? 'ENOSPC' : undefined,
    );
    await addJob(realMachine, queue, job);
    await expect(addJob(machineWithFiles(files), queue, job)).rejects.toMatchObject({
      code: 'not-written',
      message: `${queue}/addseq: the job's number could not be written down: no space left on the disk`,
      cause: { code: 'ENOSPC' },
    });
  });

  it('gives up after ten seconds, with nothing added', async () => {
    const clock = manualClock();
    const machine = machineWith({ clock, locks: locksBusyFor(Number.POSITIVE_INFINITY) });
    await expect(addJob(machine, queue, job)).rejects.toMatchObject({ code: 'locked' });
    expect(clock.waitedMs).toBeGreaterThanOrEqual(10_000);
    expect(readdirSync(`${queue}/jobs`)).toEqual([]);
  });

  it.each([
    ['a NUL in a param', { params: ['a\0b'] }, /NUL/],
    ['a NUL in a name', { env: { 'A\0': '' } }, /NUL/],
    ['a NUL in a value', { env: { A: '\0' } }, /NUL/],
    [
      'more than readers take',
      { params: ['x'.repeat(600_000)], env: { A: 'x'.repeat(500_000) } },
      /more than the limit of 1048576/,
    ],
  ] as const)('refuses %s', async (_, refused: NewJob, message) => {
    await expect(addJob(realMachine, queue, refused)).rejects.toMatchObject({ code: 'not-written' });
    await expect(addJob(realMachine, queue, refused)).rejects.toThrow(message);
    expect(readdirSync(`${queue}/jobs`)).toEqual([]);
    expect(readdirSync(queue)).not.toContain('addseq');
  });

  it.each([
    ['EIO', 'first', 'power-safe'],
    ['ENOSPC', 'first', 'power-safe'],
    ['EIO', 'second', 'power-safe'],
    ['ENOSPC', 'second', 'crash-safe'],
  ] as const)(
    'with %s from any call of the %s job adds it or says not (%s)',
    async (code, which, durability) => {
      let round = 0;
      const calls = await failEachCall(real, code, async (faulty, failed) => {
        const place = temporary.path(`queue-${round++}`);
        mkdirSync(`${place}/jobs`, { recursive: true });
        writeFileSync(`${place}/nextseq`, '1\n');
        const earlier = which === 'first' ? 0 : 1;
        if (earlier > 0) await addJob(realMachine, place, job);
        const before = openDescriptors();
        const outcome = await addJob(machineWithFiles(faulty), place, job, { durability }).catch(
          (error: unknown) => error,
        );
        expect(openDescriptors()).toEqual(before);
        const visible = (await numbersIn(place)).length - earlier;
        if (!(outcome instanceof Error)) expect(visible).toBe(1);
        else if ('code' in outcome && outcome.code === 'not-durable') expect([0, 1]).toContain(visible);
        else expect(visible).toBe(0);
        if (failed() === undefined) expect(outcome).not.toBeInstanceOf(Error);
        expect(litterOf(place)).toEqual([]);
        const names = readdirSync(place).filter(
          (name) => !['addseq', 'addseq.lock', 'addseq.temp'].includes(name),
        );
        expect(names.sort()).toEqual(['jobs', 'nextseq']);

        const { seq } = await addJob(realMachine, place, job);
        const numbers = await numbersIn(place);
        expect(numbers).toHaveLength(earlier + visible + 1);
        expect(new Set(numbers).size).toBe(numbers.length);
        expect(numbers.at(-1)).toBe(seq);
      });
      expect(calls).toBeGreaterThan(20);
    },
  );

  it.each([
    ['the payload', 'write', 'tmp-fspl-'],
    ['the payload fsync', 'fsync', 'tmp-fspl-'],
    ['the number in the header', 'writeAt', 'tmp-fspl-'],
    ['the temporary number', 'write', 'addseq.temp'],
    ['its fsync', 'fsyncAside', 'addseq.temp'],
    ['its rename', 'rename', 'addseq.temp'],
    ['the size of the job', 'fstat', 'tmp-fspl-'],
    ['the close of the job', 'close', 'tmp-fspl-'],
    ['the rename of the job', 'rename', 'tmp-fspl-'],
  ] as const)('uses no number when %s fails', async (_, call, at) => {
    await addJob(realMachine, queue, job);
    const files = faultyFiles(real, ({ name, path }) =>
      name === call && path.includes(at) ? 'EIO' : undefined,
    );
    const error: unknown = await addJob(machineWithFiles(files), queue, job).catch((thrown) => thrown);
    const cause = error instanceof QueueError ? error.cause : error;
    expect(cause).toMatchObject({ code: 'EIO' });
    await addJob(realMachine, queue, job);
    expect(await numbersIn(queue)).toEqual([1n, 2n]);
  });

  it('believes its eyes when a rename that worked reports failure', async () => {
    const files = interceptFiles(real, () => {});
    const lossy: Files = {
      ...files,
      rename: async (from, to) => {
        await real.rename(from, to);
        if (to.endsWith('.fspl')) throw systemError('ENOENT', 'rename', from);
      },
    };
    const added = await addJob(machineWithFiles(lossy), queue, job);
    expect((await scanQueue(realMachine, queue)).jobs.map(({ name }) => stemOf(name))).toEqual([added.id]);
    await addJob(realMachine, queue, job);
    expect(await numbersIn(queue)).toEqual([1n, 2n]);
  });

  it('does not guess a number while a job there cannot be read', async () => {
    putJob(queue, 'encrypted', { seq: 7 });
    writeFileSync(`${queue}/jobs/fspl-encrypted.fspl`, 'not for us');
    await expect(addJob(realMachine, queue, job)).rejects.toMatchObject({ code: 'number-unknown' });
  });
});

describe('addJob where jobs may run in any order', () => {
  let free: string;
  beforeEach(async () => {
    free = temporary.path('free');
    await createSpool(realMachine, free, { order: 'free' });
  });
  const named = { ...job, name: 'once' };

  it('writes no number down, and syncs the job once', async () => {
    const recording = recordingFiles(real);
    const added = await addJob(machineWithFiles(recording.files), free, job);
    expect(added).toEqual({ id: expect.any(String), seq: expect.any(BigInt), duplicate: false });
    const told = recording
      .told(free, ...CHANGES)
      .map((call) => call.replace(/\.\d{13}\.0\.0\.\d+\./, '.MS.0.0.N.'));
    expect(told).toEqual([
      'write jobs/tmp-fspl-ID.fspl.tmp',
      'write jobs/tmp-fspl-ID.fspl.tmp',
      'fsync jobs/tmp-fspl-ID.fspl.tmp',
      'rename jobs/tmp-fspl-ID.fspl.tmp jobs/fspl-50.MS.0.0.N..ID.fspl',
      'fsync jobs',
    ]);
    expect(await numbersIn(free)).toEqual([added.seq]);
    const nowMs = BigInt(Date.now());
    expect((added.seq as bigint) >> 20n).toBeGreaterThan(nowMs - 60_000n);
    expect((added.seq as bigint) >> 20n).toBeLessThanOrEqual(nowMs + 1n);
  });

  it('numbers the jobs of each lane from 1', async () => {
    const seqOf = async (lane: string) => (await addJob(realMachine, free, { lane })).seq;
    expect([await seqOf('a'), await seqOf('b'), await seqOf('a')]).toEqual([1n, 1n, 2n]);
    expect(readFileSync(`${free}/lanes/a.added`, 'utf8')).toBe('3\n');
  });

  it('adds a job of a name once', async () => {
    const first = await addJob(realMachine, free, named);
    expect(first.duplicate).toBe(false);
    expect(await addJob(realMachine, free, named)).toEqual({ ...first, duplicate: true });
    expect(await numbersIn(free)).toEqual([first.seq]);
  });
});

describe('what addJob could not do', () => {
  it.each(['EIO', 'ENOENT'])(
    'is told as the system tells it when it is the payload that failed: %s',
    async (code) => {
      const payload = (function* (): Generator<string> {
        yield 'part';
        throw systemError(code, 'read', '/elsewhere');
      })();
      await expect(addJob(realMachine, queue, { payload })).rejects.toMatchObject({ code });
      expect(litterOf(queue)).toEqual([]);
    },
  );
});
