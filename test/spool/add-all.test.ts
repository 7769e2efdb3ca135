import { readdirSync, readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { realMachine } from '../../src/os/real/index.ts';
import type { NewJob, Queue } from '../../src/queue/contract.ts';
import { addAllJobs } from '../../src/spool/add-all.ts';
import { createSpool } from '../../src/spool/spool.ts';
import { failEachCall, systemError } from '../support/faulty-files.ts';
import { drain, homeQueue, joined, namesIn, param, told } from '../support/home.ts';
import { interceptFiles } from '../support/intercepted-files.ts';
import { machineWithFiles } from '../support/machines.ts';
import { litterOf } from '../support/packets.ts';
import { recordingFiles } from '../support/recording-files.ts';
import { openDescriptors, useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
let queue: Queue;

beforeEach(async () => {
  queue = await homeQueue(temporary.path('queue'), 'sequence');
});

const jobs = (count: number, lane?: string): NewJob[] =>
  Array.from({ length: count }, (_, n) => ({
    params: [`${lane ?? ''}${n + 1}`],
    payload: `payload ${n + 1}`,
    ...(lane === undefined ? {} : { lane }),
  }));

async function* brokenOff() {
  yield 'some';
  throw new Error('broke off');
}

const numbers = async () => (await queue.jobs()).jobs.map(({ seq }) => Number(seq));

describe('adding many', () => {
  it('keeps their order, over several batches', async () => {
    const added = await queue.addAll(jobs(450));
    expect(added.map(({ seq }) => Number(seq))).toEqual(Array.from({ length: 450 }, (_, n) => n + 1));
    expect(await joined(queue, (session) => drain(session))).toEqual(
      jobs(450).map(({ params }) => params?.[0]),
    );
  });

  it('gives each lane its own numbers, however they are mixed', async () => {
    const mixed = jobs(4, 'a').flatMap((job, n) => [job, jobs(4, 'b')[n] as NewJob, jobs(4)[n] as NewJob]);
    const added = await queue.addAll(mixed);
    expect(added.map(({ seq }) => Number(seq))).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
    const ran = await joined(queue, (session) => drain(session, (claim) => `${param(claim)}=${told(claim)}`));
    expect([...ran].sort()).toEqual(
      [1, 2, 3, 4].flatMap((n) => [`${n}=${n}`, `a${n}=a${n}`, `b${n}=b${n}`]).sort(),
    );
  });

  it('goes on where one at a time had ended, and the other way round', async () => {
    await queue.add({});
    await queue.addAll(jobs(2));
    await queue.add({});
    expect(await numbers()).toEqual([1, 2, 3, 4]);
  });

  it('takes a stream of them, and none', async () => {
    expect(await queue.addAll([])).toEqual([]);
    async function* stream() {
      yield* jobs(3);
    }
    expect(await queue.addAll(stream())).toHaveLength(3);
  });

  it('shares what the disk does between them', async () => {
    await queue.addAll(jobs(1));
    const recording = recordingFiles(realMachine.files);
    await addAllJobs(machineWithFiles(recording.files), queue.location, jobs(20));
    const steps = recording
      .told(queue.location, 'fsync', 'fsyncAside', 'rename')
      .map((call) => call.split('.')[0]);
    expect(steps.slice(0, 20)).toEqual(Array(20).fill('fsync jobs/tmp-fspl-ID'));
    expect(steps.slice(20)).toEqual([
      ...['fsyncAside addseq', 'rename addseq', 'fsync '],
      ...Array(20).fill('rename jobs/tmp-fspl-ID'),
      'fsync jobs',
    ]);
  });

  it('by many at once gives each number once', async () => {
    await Promise.all(
      Array.from({ length: 6 }, () => addAllJobs(realMachine, queue.location, [...jobs(5), ...jobs(5, 'a')])),
    );
    const all = Array.from({ length: 30 }, (_, n) => n + 1);
    expect(await numbers()).toEqual(all.flatMap((n) => [n, n]));
  });

  it('refuses what is no queue, and lanes where there are none', async () => {
    await expect(addAllJobs(realMachine, temporary.path('none'), jobs(1))).rejects.toMatchObject({
      code: 'not-a-queue',
    });
    const plain = await createSpool(realMachine, temporary.path('plain'));
    await expect(plain.addAll([...jobs(2), ...jobs(1, 'a')])).rejects.toMatchObject({ code: 'no-lanes' });
    expect(readdirSync(temporary.path('plain/jobs'))).toEqual([]);
    await plain.addAll(jobs(1));
    expect((await plain.jobs()).jobs.map(({ seq }) => seq)).toEqual([1n]);
  });
});

describe('a failure in the middle', () => {
  it.each([
    [
      'payload',
      {
        payload: brokenOff(),
      },
    ],
    ['param with a NUL', { params: ['\0'] }],
  ])('of a %s leaves nothing of its batch, and uses no number', async (_, bad) => {
    await queue.add({});
    const before = openDescriptors();
    await expect(queue.addAll([...jobs(3), ...jobs(3, 'a'), bad as NewJob, ...jobs(2)])).rejects.toThrow();
    expect(litterOf(queue.location)).toEqual([]);
    expect(openDescriptors()).toEqual(before);
    expect(await numbers()).toEqual([1]);
    await queue.addAll([...jobs(1), ...jobs(1, 'a')]);
    expect((await numbers()).sort()).toEqual([1, 1, 2]);
  });

  it('of a later batch leaves those before', async () => {
    async function* stream() {
      yield* jobs(250);
      throw new Error('no more');
    }
    await expect(queue.addAll(stream())).rejects.toThrow('no more');
    expect(await numbers()).toHaveLength(200);
    expect(litterOf(queue.location)).toEqual([]);
  });

  it.each(['EIO', 'ENOSPC'])('of any call with %s gives numbers back and leaves no litter', async (code) => {
    await queue.addAll([...jobs(1), ...jobs(1, 'a')]);
    let expected = await numbers();
    const calls = await failEachCall(realMachine.files, code, async (files, failed) => {
      const before = openDescriptors();
      const outcome = await addAllJobs(machineWithFiles(files), queue.location, [
        ...jobs(1),
        ...jobs(1, 'a'),
        ...jobs(1),
      ]).catch((error: unknown) => error);
      const call = failed();
      // A temporary file that cannot be removed is litter that nobody takes for a job.
      if (call?.name !== 'unlink') expect(litterOf(queue.location)).toEqual([]);
      expect(openDescriptors()).toEqual(before);
      if (call === undefined) expect(outcome).toHaveLength(3);
      // Whatever happened, no number is missing: each lane runs to its end.
      expected = await numbers();
      const lanes = { own: [] as number[], a: [] as number[] };
      for (const name of namesIn(queue, 'jobs')) {
        const [, , , , number, lane] = name.split('.');
        lanes[lane === 'a' ? 'a' : 'own'].push(Number(number));
      }
      for (const there of Object.values(lanes)) {
        expect(there.sort((a, b) => a - b)).toEqual(there.map((_, n) => n + 1));
      }
    });
    expect(calls).toBeGreaterThan(20);
    expect(expected.length).toBeGreaterThan(2);
    expect(Number(readFileSync(`${queue.location}/addseq`, 'utf8'))).toBeGreaterThan(2);
  });
});

describe('adding many that may run in any order', () => {
  let free: string;
  beforeEach(async () => {
    free = (await homeQueue(temporary.path('free'))).location;
  });
  const at = (ms: number) => ({
    ...realMachine.clock,
    now: () => ({ seconds: BigInt(ms / 1000), nanos: 0 }),
  });

  it('gives numbers that grow, in the order of the jobs, also within a millisecond', async () => {
    const uuids = ['fffff', '00000', '12345', '12345'].map(
      (start) => `${start}000-0000-4000-8000-000000000000`,
    );
    let asked = 0;
    // A temporary name, a number and a stem for each.
    const random = {
      uuid: () => (asked++ % 3 === 1 ? (uuids[Math.floor(asked / 3)] as string) : realMachine.random.uuid()),
    };
    const machine = { ...realMachine, clock: at(1_700_000_000_000), random };
    const added = await addAllJobs(machine, free, jobs(4));
    const first = (1_700_000_000_000n << 20n) | 0xfffffn;
    expect(added.map(({ seq }) => seq)).toEqual([first, first + 1n, first + 2n, first + 3n]);
    expect(added.map(({ duplicate }) => duplicate)).toEqual([false, false, false, false]);
  });

  it('takes chance as it comes while that grows', async () => {
    let asked = 0;
    const random = {
      uuid: () =>
        asked++ % 3 === 1 ? `${asked.toString(16).padStart(5, '0')}000-0000-4000` : realMachine.random.uuid(),
    };
    const machine = { ...realMachine, clock: at(1_700_000_000_000), random };
    const added = await addAllJobs(machine, free, jobs(3));
    expect(added.map(({ seq }) => (seq as bigint) & 0xfffffn)).toEqual([2n, 5n, 8n]);
  });

  it('writes no number down, but those of lanes', async () => {
    await addAllJobs(realMachine, free, [...jobs(2), ...jobs(2, 'a')]);
    expect(readdirSync(`${free}/lanes`).sort()).toEqual(['a.added', 'a.added.lock']);
    expect(readdirSync(free)).not.toContain('addseq');
  });

  it('adds those with a name once, in their place', async () => {
    const named: NewJob = { params: ['named'], name: 'once' };
    const added = await addAllJobs(realMachine, free, [...jobs(2), named, ...jobs(1), named]);
    expect(added.map(({ duplicate }) => duplicate)).toEqual([false, false, false, false, true]);
    expect(added[4]?.id).toBe(added[2]?.id);
    const seqs = added.slice(0, 4).map(({ seq }) => seq as bigint);
    expect([...seqs].sort((a, b) => Number(a - b))).toEqual(seqs);
    expect(readdirSync(`${free}/jobs`)).toHaveLength(4);
  });

  it('at level crash-safe syncs nothing but the numbers', async () => {
    const recording = recordingFiles(realMachine.files);
    const machine = machineWithFiles(recording.files);
    await addAllJobs(machine, free, [...jobs(2), ...jobs(1, 'a')], { durability: 'crash-safe' });
    expect(recording.told(free, 'fsync', 'fsyncAside', 'fsyncAll')).toEqual([
      'fsyncAside lanes/a.added.temp',
      'fsync lanes',
    ]);
  });

  it('makes no batch of nothing', async () => {
    const recording = recordingFiles(realMachine.files);
    await addAllJobs(machineWithFiles(recording.files), free, []);
    expect(recording.told(free, 'fsync', 'open').filter((call) => call.includes('jobs'))).toEqual([]);
  });

  it('locks lanes in one order, whoever adds to them', async () => {
    for (const lanes of [
      ['b', 'a', 'c'],
      ['c', 'b', 'a'],
    ]) {
      const recording = recordingFiles(realMachine.files);
      await addAllJobs(
        machineWithFiles(recording.files),
        free,
        lanes.map((lane) => ({ lane })),
      );
      const locked = recording.calls.filter(({ name, path }) => name === 'open' && path.endsWith('.lock'));
      expect(locked.map(({ path }) => path.slice(-'a.added.lock'.length))).toEqual([
        'a.added.lock',
        'b.added.lock',
        'c.added.lock',
      ]);
    }
  });
});

describe('many of which the last could not be put in place', () => {
  const failing = (code: string, count: number) => {
    let renamed = 0;
    return interceptFiles(realMachine.files, ({ name, to }) => {
      if (name !== 'rename' || to?.includes('/jobs/fspl-') !== true) return;
      renamed += 1;
      if (renamed === count) throw systemError(code, 'rename', to);
    });
  };

  it('are told: how many are there, and why not the others; their numbers are free again', async () => {
    const machine = machineWithFiles(failing('EIO', 3));
    await expect(addAllJobs(machine, queue.location, jobs(4))).rejects.toMatchObject({
      code: 'not-durable',
      message: `${queue.location}/jobs: 2 of 4 jobs were added, the others not: the disk reports an input/output error`,
      cause: { code: 'EIO' },
    });
    expect(await numbers()).toEqual([1, 2]);
    expect(litterOf(queue.location)).toEqual([]);
    expect((await queue.add({})).seq).toBe(3n);
  });

  it('are refused as the system says it when it is the first', async () => {
    const machine = machineWithFiles(failing('EIO', 1));
    await expect(addAllJobs(machine, queue.location, jobs(2))).rejects.toMatchObject({ code: 'EIO' });
    expect(await numbers()).toEqual([]);
    expect((await queue.add({})).seq).toBe(1n);
  });

  it('give the numbers of each lane back from the first that is missing', async () => {
    const machine = machineWithFiles(failing('ENOSPC', 3));
    const mixed = [...jobs(2, 'a'), ...jobs(2, 'b'), ...jobs(1, 'a')];
    await expect(addAllJobs(machine, queue.location, mixed)).rejects.toMatchObject({ code: 'not-durable' });
    expect((await queue.add({ lane: 'a' })).seq).toBe(3n);
    expect((await queue.add({ lane: 'b' })).seq).toBe(1n);
  });
});
