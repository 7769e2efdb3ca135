import { readdirSync, readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { realMachine } from '../../src/os/real/index.ts';
import type { Claim, Queue, SessionOptions } from '../../src/queue/contract.ts';
import { QueueError } from '../../src/queue/errors.ts';
import { createSpool } from '../../src/spool/spool.ts';
import { type ProcessOptions, type ProcessReport, processQueue } from '../../src/worker/process-queue.ts';
import { type CommandOutcome, outcomeWithout } from '../../src/worker/run-command.ts';
import { putJob } from '../support/packets.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
let path: string;
let queue: Queue;

beforeEach(async () => {
  path = temporary.path('queue');
  queue = await createSpool(realMachine, path);
});

const SUCCEEDED: CommandOutcome = { kind: 'succeeded' };
const EMPTY = { kind: 'idle', reason: 'empty' };
const failed = (reason: string): CommandOutcome => ({ kind: 'failed', reason });

const jobFiles = () => readdirSync(`${path}/jobs`).sort();
const nextseq = () => readFileSync(`${path}/nextseq`, 'utf8').trim();

function put(...seqs: number[]): void {
  for (const seq of seqs) putJob(path, `${seq}`, { seq });
}

/** Processes the queue; the numbers of the jobs that were run are added to `ran`. */
async function run(
  outcomeOf: (claim: Claim) => CommandOutcome | Promise<CommandOutcome>,
  options: Partial<ProcessOptions> = {},
  session: SessionOptions = {},
): Promise<{ readonly report: ProcessReport; readonly ran: number[] }> {
  const ran: number[] = [];
  const opened = await queue.session(session);
  try {
    const report = await processQueue(opened, {
      run: async (claim) => {
        ran.push(Number(claim.job.seq));
        return outcomeOf(claim);
      },
      onFailure: 'retry',
      stop: new AbortController().signal,
      ...options,
    });
    return { report, ran };
  } finally {
    await opened.close();
  }
}

describe('processQueue', () => {
  it('runs all there is', async () => {
    put(1, 2, 3);
    const { report, ran } = await run(() => SUCCEEDED);
    expect(report).toEqual({ unreadable: [], succeeded: 3, failed: 0, ended: EMPTY });
    expect(ran).toEqual([1, 2, 3]);
    expect(jobFiles()).toEqual([]);
    expect(nextseq()).toBe('4');
  });

  it('has nothing to do in an empty queue', async () => {
    const { report } = await run(() => failed('not reached'));
    expect(report).toEqual({ unreadable: [], succeeded: 0, failed: 0, ended: EMPTY });
  });

  it('ends at a gap with what is missing', async () => {
    put(1, 3);
    const { report } = await run(() => SUCCEEDED);
    expect(report.ended).toEqual({ kind: 'idle', reason: 'gap', missing: 2n, next: 3n, waiting: 1 });
  });

  it('counts a NOP as success and a Fail as failure, and has nothing to run for them', async () => {
    putJob(path, 'a', { seq: 1, work: { kind: 'nop' } });
    putJob(path, 'b', { seq: 2, work: { kind: 'fail' } });
    const { report } = await run(({ job: { work } }) =>
      work.kind === 'command' ? failed('it was run') : outcomeWithout(work),
    );
    expect(report).toMatchObject({
      succeeded: 1,
      failed: 1,
      ended: { kind: 'failed', job: { seq: 2n }, reason: 'it is a job that always fails' },
    });
    expect(jobFiles()).toEqual(['fspl-b.fspl']);
  });

  it('has the next number begun while a command runs', async () => {
    put(1);
    let during: string[] = [];
    await run(() => {
      during = readdirSync(path);
      return SUCCEEDED;
    });
    expect(during).toContain('nextseq.temp');
    expect(readdirSync(path)).not.toContain('nextseq.temp');
  });
});

describe('a failure', () => {
  it('with `retry` stops, and the job is tried again by the next run', async () => {
    put(1, 2);
    const told: unknown[] = [];
    const first = await run(() => failed('no luck'), {
      onFailed: async (job, reason) => {
        told.push([job.seq, reason]);
      },
    });
    expect(first.report).toMatchObject({
      succeeded: 0,
      failed: 1,
      ended: { kind: 'failed', job: { seq: 1n }, reason: 'no luck' },
    });
    expect(told).toEqual([[1n, 'no luck']]);
    expect(jobFiles()).toHaveLength(2);
    expect(nextseq()).toBe('1');
    expect((await run(() => SUCCEEDED)).ran).toEqual([1, 2]);
  });

  it.each([true, false])(
    'with `proceed` is over and the next runs, its file kept: %s',
    async (keepFailed) => {
      put(1, 2, 3);
      const told: (bigint | undefined)[] = [];
      const { report, ran } = await run(
        ({ job }) => (job.seq === 2n ? failed('no luck') : SUCCEEDED),
        {
          onFailure: 'proceed',
          onFailed: async (job) => {
            told.push(job.seq);
          },
        },
        { keepFailed },
      );
      expect(report).toEqual({ unreadable: [], succeeded: 2, failed: 1, ended: EMPTY });
      expect(ran).toEqual([1, 2, 3]);
      expect(told).toEqual([2n]);
      expect(jobFiles()).toEqual(keepFailed ? ['fspl-2.fspl'] : []);
      expect(nextseq()).toBe('4');
    },
  );

  it('of the telling is no settling: the job stays', async () => {
    put(1);
    const onFailed = () => Promise.reject(new Error('the log is full'));
    await expect(run(() => failed('x'), { onFailure: 'proceed', onFailed })).rejects.toThrow(
      'the log is full',
    );
    expect(jobFiles()).toHaveLength(1);
    expect(nextseq()).toBe('1');
  });

  it('to start the command releases the job, whatever the policy, and ends the run', async () => {
    put(1, 2);
    const cannot = new QueueError('command-not-started', 'cannot start x');
    for (const onFailure of ['retry', 'proceed'] as const) {
      await expect(run(() => Promise.reject(cannot), { onFailure })).rejects.toBe(cannot);
      expect(jobFiles()).toHaveLength(2);
      expect(nextseq()).toBe('1');
      expect(readdirSync(path)).not.toContain('nextseq.temp');
    }
  });
});

describe('a job whose command could not be started', () => {
  it('is offered again by the same session', async () => {
    put(1);
    const session = await queue.session();
    const options = {
      run: () => Promise.reject(new Error('cannot start')),
      onFailure: 'retry',
      stop: new AbortController().signal,
    } as const;
    await expect(processQueue(session, options)).rejects.toThrow('cannot start');
    expect(await processQueue(session, { ...options, run: async () => SUCCEEDED })).toMatchObject({
      succeeded: 1,
    });
    await session.close();
  });
});

describe('a decoder', () => {
  it.each(['retry', 'proceed'] as const)('that fails makes a good job fail, with %s', async (onFailure) => {
    put(1);
    const { report } = await run(
      () => SUCCEEDED,
      { onFailure },
      { decoder: 'cat; exit 3', keepFailed: true },
    );
    expect(report).toMatchObject({ succeeded: 0, failed: 1 });
    if (onFailure === 'retry') {
      expect(report.ended).toMatchObject({ reason: 'the decoder ended with exit code 3' });
    }
    expect(jobFiles()).toEqual(['fspl-1.fspl']);
    expect(nextseq()).toBe(onFailure === 'retry' ? '1' : '2');
  });

  it('is not asked when the command failed by itself', async () => {
    put(1);
    const { report } = await run(() => failed('by itself'), {}, { decoder: 'cat; exit 3' });
    expect(report.ended).toMatchObject({ kind: 'failed', reason: 'by itself' });
  });
});

describe('a limit', () => {
  it.each([0, 1, 2, 3])('of %i jobs', async (maxJobs) => {
    put(1, 2, 3);
    const { report, ran } = await run(() => SUCCEEDED, { maxJobs });
    expect(ran).toEqual([1, 2, 3].slice(0, maxJobs));
    expect(report).toEqual({ unreadable: [], succeeded: maxJobs, failed: 0, ended: { kind: 'limit' } });
    expect(jobFiles()).toHaveLength(3 - maxJobs);
  });

  it('counts failures too', async () => {
    put(1, 2, 3);
    const { report } = await run(({ job }) => (job.seq === 1n ? failed('x') : SUCCEEDED), {
      maxJobs: 2,
      onFailure: 'proceed',
    });
    expect(report).toEqual({ unreadable: [], succeeded: 1, failed: 1, ended: { kind: 'limit' } });
  });

  it('that is not reached ends with the queue', async () => {
    put(1);
    expect((await run(() => SUCCEEDED, { maxJobs: 2 })).report.ended).toEqual(EMPTY);
  });
});

describe('being told to stop', () => {
  it('before the first job runs none', async () => {
    put(1);
    const { report, ran } = await run(() => SUCCEEDED, { stop: AbortSignal.abort() });
    expect(report).toEqual({ unreadable: [], succeeded: 0, failed: 0, ended: { kind: 'stopped' } });
    expect(ran).toEqual([]);
  });

  it('between two jobs runs no further one; the one that succeeded counts', async () => {
    put(1, 2);
    const stop = new AbortController();
    const { report } = await run(
      () => {
        stop.abort();
        return SUCCEEDED;
      },
      { stop: stop.signal },
    );
    expect(report).toEqual({ unreadable: [], succeeded: 1, failed: 0, ended: { kind: 'stopped' } });
    expect(jobFiles()).toEqual(['fspl-2.fspl']);
    expect(nextseq()).toBe('2');
  });

  it('in a job leaves it for the next run, whatever the policy', async () => {
    put(1);
    for (const onFailure of ['retry', 'proceed'] as const) {
      const { report } = await run(() => ({ kind: 'stopped' }), { onFailure });
      expect(report).toEqual({ unreadable: [], succeeded: 0, failed: 0, ended: { kind: 'stopped' } });
      expect(jobFiles()).toHaveLength(1);
      expect(nextseq()).toBe('1');
    }
  });
});
