/** What a session beside others leaves on the disk; what all layouts do is in test/contract. */

import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Descriptor, Files, OpenMode } from '../../../../src/os/ports.ts';
import { realMachine } from '../../../../src/os/real/index.ts';
import type { Queue, SharedSession } from '../../../../src/queue/contract.ts';
import { parseJobName } from '../../../../src/spool/home/job-name.ts';
import { failEachCall, systemError } from '../../../support/faulty-files.ts';
import {
  claimed,
  drain,
  homeQueue,
  idle,
  joined,
  namesIn,
  param,
  runningIn,
  runsOf,
  told,
} from '../../../support/home.ts';
import { interceptFiles } from '../../../support/intercepted-files.ts';
import { alarmClock, machineWith, machineWithFiles } from '../../../support/machines.ts';
import { packet, putJob } from '../../../support/packets.ts';
import { recordingFiles } from '../../../support/recording-files.ts';
import { eventually, openDescriptors, useTemporary } from '../../../support/temporary.ts';

const temporary = useTemporary();
let queue: Queue;

beforeEach(async () => {
  queue = await homeQueue(temporary.path('queue'));
});

const place = (...names: string[]) => [queue.location, ...names].join('/');
const said = (room: Parameters<typeof namesIn>[1]) => namesIn(queue, room).map((name) => parseJobName(name));

/** A packet with these variables, as a sender has made it that has only the original. */
const sent = (name: string, seq: number, env: Record<string, string> = {}) =>
  putJob(queue.location, name, {
    seq,
    work: { kind: 'command', params: [name], env: Object.entries(env) },
    seconds: 1_700_000_000n,
  });

describe('a claim', () => {
  it("moves the job into the worker's room, that start counted in its name", async () => {
    const { id } = await queue.add({ params: ['p'], lane: 'a' });
    await joined(queue, async (session) => {
      const { job } = await claimed(session);
      expect(namesIn(queue, 'jobs')).toEqual([]);
      const [name] = runningIn(queue) as [string];
      expect(parseJobName(name)).toMatchObject({ attempts: 1, stem: id, lane: 'a', seq: 1n });
      expect(job.path).toBe(place('work', namesIn(queue, 'work')[0] as string, name));
      expect(existsSync(job.path)).toBe(true);
    });
  });

  it('is not given for a second file of a job that another worker runs', async () => {
    const env = { INTRAY_LANE: 'a' };
    sent('first', 1, env);
    await joined(queue, async (one) => {
      const running = await claimed(one);
      sent('again', 1, env);
      await joined(queue, async (other) => {
        expect(await idle(other)).toMatchObject({ reason: 'empty' });
        expect(readdirSync(place('jobs'))).toEqual(['fspl-again.fspl']);
        await running.succeed();
        expect(await idle(other), 'its number is past').toMatchObject({ reason: 'empty' });
      });
    });
  });

  it('opens the job file once, and hands that on', async () => {
    await queue.add({ payload: 'x' });
    const recording = recordingFiles(realMachine.files);
    const work = async (session: SharedSession) => {
      await (await claimed(session)).succeed();
    };
    await joined(queue, work, { machine: machineWithFiles(recording.files) });
    const opens = recording.calls.filter(({ name, path }) => name === 'open' && path.includes('/fspl-'));
    expect(opens.map(({ path }) => path)).toEqual([expect.stringContaining('/work/')]);
  });

  it('believes its eyes when a rename that worked reports failure', async () => {
    await queue.add({ params: ['p'] });
    const files = interceptFiles(realMachine.files, () => {});
    const lossy = {
      ...files,
      rename: async (from: string, to: string) => {
        await files.rename(from, to);
        if (to.includes('/work/')) throw systemError('ENOENT', 'rename', from);
      },
    };
    const work = async (session: SharedSession) => {
      expect(await drain(session)).toEqual(['p']);
    };
    await joined(queue, work, { machine: machineWithFiles(lossy) });
  });

  it('of a job that is past in its lane is given back, and never run', async () => {
    await queue.addAll([{ lane: 'a' }, { lane: 'a', params: ['2'] }]);
    const [first] = namesIn(queue, 'jobs') as [string];
    const copy = readFileSync(place('jobs', first));
    await joined(queue, async (session) => {
      expect(await drain(session, told)).toEqual(['a1', 'a2']);
      // A sync tool brings it back.
      writeFileSync(place('jobs', first), copy);
      expect(await idle(session)).toMatchObject({ reason: 'empty', waiting: 1 });
    });
    await joined(queue, async (session) => {
      expect(await idle(session)).toMatchObject({ reason: 'empty' });
    });
    expect(namesIn(queue, 'jobs')).toEqual([first]);
  });

  it('of a job that is not what its name says is taken by its header', async () => {
    const name = 'fspl-50.1763728496123.0.0.9.wrong.stem.fspl';
    writeFileSync(
      place('jobs', name),
      packet({ seq: 1, work: { kind: 'command', params: ['p'], env: [['INTRAY_LANE', 'right']] } }),
    );
    writeFileSync(place('lanes', 'wrong'), '9\n');
    await joined(queue, async (session) => {
      const claim = await claimed(session);
      expect(told(claim)).toBe('right1');
      expect(parseJobName(runningIn(queue)[0] ?? '')).toMatchObject({ lane: 'right', seq: 1n, attempts: 1 });
    });
  });

  it('of a job that cannot be opened now leaves it as it was', async () => {
    await queue.add({ lane: 'a', params: ['p'] });
    const before = namesIn(queue, 'jobs');
    let broken = true;
    const files = interceptFiles(realMachine.files, ({ name, mode, path }) => {
      if (broken && name === 'open' && mode === 'read-job') throw systemError('EMFILE', name, path);
    });
    const work = async (session: SharedSession) => {
      await expect(session.claim()).rejects.toMatchObject({ code: 'EMFILE' });
      expect(namesIn(queue, 'jobs')).toEqual(before);
      broken = false;
      expect((await claimed(session)).attempt).toBe(1);
    };
    await joined(queue, work, { machine: machineWithFiles(files) });
  });

  it('leaves a job as it was, and nothing open, whatever call fails meanwhile', async () => {
    await queue.add({ lane: 'a' });
    await joined(queue, (session) => drain(session));
    await queue.add({ lane: 'a', params: ['p'] });
    const before = namesIn(queue, 'jobs');
    const calls = await failEachCall(realMachine.files, 'EIO', async (faulty, failed) => {
      // Only what is called between the rename and the claim fails.
      let taken = false;
      const files = {
        ...interceptFiles(realMachine.files, ({ name, to }) => {
          if (name === 'rename' && to?.includes('/work/')) taken = true;
        }),
        open: (path: string, mode: OpenMode) => (taken ? faulty : realMachine.files).open(path, mode),
        fstat: (descriptor: Descriptor) => (taken ? faulty : realMachine.files).fstat(descriptor),
        read: (...args: Parameters<Files['read']>) => (taken ? faulty : realMachine.files).read(...args),
      };
      const open = openDescriptors();
      const work = async (session: SharedSession) => {
        const answer = await session.claim().catch((error: unknown) => error);
        taken = false;
        if (failed() === undefined) expect(answer).toMatchObject({ kind: 'claim', attempt: 1 });
        else {
          expect(answer).toMatchObject({ code: 'EIO' });
          expect(namesIn(queue, 'jobs')).toEqual(before);
        }
      };
      await joined(queue, work, { machine: machineWithFiles(files) });
      expect(openDescriptors()).toEqual(open);
      expect(namesIn(queue, 'jobs')).toEqual(before);
    });
    expect(calls).toBeGreaterThan(3);
  });

  it('of a job that is damaged under its good name gives it up', async () => {
    const { id } = await queue.add({});
    writeFileSync(place('jobs', namesIn(queue, 'jobs')[0] as string), 'nothing of a packet');
    await joined(queue, async (session) => {
      expect(await idle(session)).toMatchObject({ reason: 'empty' });
    });
    expect(said('failed')).toMatchObject([{ stem: id }]);
    expect(runsOf(queue, id)[0]?.reason).toContain('nobody can tell what was to be run');
  });
});

describe('a lane whose numbers have come to their end', () => {
  const last = 18_446_744_073_709_551_615n;

  it.each([
    [{}, ['last', 'first', 'second']],
    [{ keepSucceeded: true }, ['last', 'first', 'second']],
  ])('goes on with 0 (%j)', async (options, params) => {
    writeFileSync(place('lanes', 'a'), `${last}\n`);
    writeFileSync(place('lanes', 'a.added'), `${last}\n`);
    await queue.addAll(['last', 'first', 'second'].map((param) => ({ lane: 'a', params: [param] })));
    expect(
      said('jobs')
        .map((job) => job?.seq)
        .sort(),
    ).toEqual([0n, 1n, last]);
    await joined(queue, async (session) => expect(await drain(session)).toEqual(params), options);
    expect(readFileSync(place('lanes', 'a'), 'utf8')).toBe('2\n');
  });

  it('does so for workers who have seen all of it', async () => {
    writeFileSync(place('lanes', 'a'), `${last}\n`);
    writeFileSync(place('lanes', 'a.added'), `${last}\n`);
    await queue.addAll(['last', 'first'].map((param) => ({ lane: 'a', params: [param] })));
    await joined(queue, async (one) => {
      await joined(queue, async (other) => {
        const claim = await claimed(one);
        expect(await idle(other)).toMatchObject({ kind: 'idle' });
        await claim.succeed();
        expect(await drain(other)).toEqual(['first']);
      });
    });
  });
});

describe('settling', () => {
  it('with success leaves nothing', async () => {
    await queue.addAll([{}, { lane: 'a' }]);
    await joined(queue, (session) => drain(session));
    for (const room of ['jobs', 'work', 'done', 'failed', 'log'] as const)
      expect(namesIn(queue, room)).toEqual([]);
    expect(readFileSync(place('lanes', 'a'), 'utf8')).toBe('2\n');
  });

  it('with success keeps the job and a record where such are kept', async () => {
    const added = await queue.addAll([{}, { lane: 'a' }]);
    await joined(queue, (session) => drain(session), { keepSucceeded: true });
    expect(said('done')).toMatchObject(added.map(() => ({ attempts: 1, held: false })));
    for (const { id } of added)
      expect(runsOf(queue, id)).toMatchObject([{ outcome: 'succeeded', attempt: 1 }]);
  });

  it('with failure keeps the job, and why', async () => {
    const { id } = await queue.add({});
    await joined(queue, async (session) => {
      await (await claimed(session)).fail('it said no', { exit: { kind: 'exited', code: 3 } });
    });
    expect(said('failed')).toMatchObject([{ stem: id, attempts: 1 }]);
    expect(runsOf(queue, id)).toEqual([
      {
        attempt: 1,
        outcome: 'failed',
        reason: 'it said no',
        exit: { kind: 'exited', code: 3 },
        worker: expect.any(String),
        started: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        ended: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      },
    ]);
  });

  it('with failure holds the job in its lane, where a person can let it go', async () => {
    await queue.addAll([
      { lane: 'a', params: ['1'] },
      { lane: 'a', params: ['2'] },
    ]);
    await joined(queue, async (session) => {
      await (await claimed(session)).fail('no');
      expect(await idle(session)).toMatchObject({ reason: 'held', jobs: 2 });
      const held = namesIn(queue, 'jobs').find((name) => parseJobName(name)?.held) as string;
      renameSync(place('jobs', held), place('jobs', held.replace('.f0.', '.0.')));
      expect(await drain(session)).toEqual(['1', '2']);
    });
  });

  it('to be tried again says in the name from when on, and how often it was started', async () => {
    const { id } = await queue.add({ lane: 'a' });
    const atMs = Date.now() + 3_600_000;
    await joined(queue, async (session) => {
      await (await claimed(session)).retry(atMs + 0.5, 'no luck');
    });
    expect(said('jobs')).toMatchObject([
      { stem: id, notBeforeMs: atMs + 1, attempts: 1, lane: 'a', seq: 1n },
    ]);
    expect(runsOf(queue, id)).toMatchObject([{ outcome: 'retry', attempt: 1, reason: 'no luck' }]);
  });

  it('by release gives the job its name back, byte for byte, and leaves no record', async () => {
    await queue.add({ lane: 'a' });
    sent('theirs \udcff', 7);
    const before = namesIn(queue, 'jobs');
    await joined(queue, async (session) => {
      for (const _ of [1, 2]) await (await claimed(session)).release();
      await claimed(session);
    });
    expect(namesIn(queue, 'jobs')).toEqual(before);
    expect(namesIn(queue, 'log')).toEqual([]);
  });

  it('of a lost job says so in the log, and changes no number', async () => {
    const { id } = await queue.add({ lane: 'a' });
    await joined(queue, async (session) => {
      const claim = await claimed(session);
      renameSync(claim.job.path, place('jobs', runningIn(queue)[0] as string));
      expect(await claim.succeed()).toBe('lost');
    });
    expect(existsSync(place('lanes', 'a'))).toBe(false);
    expect(runsOf(queue, id)).toMatchObject([{ outcome: 'lost' }]);
    expect(said('jobs')).toMatchObject([{ attempts: 1 }]);
  });

  it('that fails on the disk can be tried again', async () => {
    await queue.add({ lane: 'a' });
    let broken = false;
    const files = interceptFiles(realMachine.files, ({ name, path }) => {
      if (broken && name === 'rename' && path.endsWith('/lanes/a.temp'))
        throw systemError('ENOSPC', name, path);
    });
    const work = async (session: SharedSession) => {
      const claim = await claimed(session);
      broken = true;
      await expect(claim.succeed()).rejects.toMatchObject({ code: 'ENOSPC' });
      broken = false;
      expect(await claim.succeed()).toBe('settled');
    };
    await joined(queue, work, { machine: machineWithFiles(files) });
    expect(namesIn(queue, 'jobs')).toEqual([]);
  });

  it('is durable: both names are synced, or the number', async () => {
    await queue.addAll([{ lane: 'a' }, { lane: 'a' }]);
    await joined(queue, async (session) => {
      await (await claimed(session)).succeed();
    });
    await queue.add({ params: ['free'], priority: 0 });
    const recording = recordingFiles(realMachine.files);
    const work = async (session: SharedSession) => {
      const steps = async () => {
        const claim = await claimed(session);
        const from = recording.calls.length;
        await claim.succeed();
        return recording.calls
          .slice(from)
          .filter(({ name }) => ['fsync', 'fsyncAside', 'unlink', 'rename'].includes(name));
      };
      const shown = (calls: Awaited<ReturnType<typeof steps>>) =>
        calls.map(
          ({ name, path }) =>
            `${name} ${path
              .replace(`${queue.location}/`, '')
              .replace(/\/[^/]*fspl-.*$/, '/JOB')
              .replace(/work\/[^/]+/, 'work/W')}`,
        );
      const free = shown(await steps());
      expect(free[0]).toBe('unlink work/W/JOB');
      expect(free.slice(1).sort()).toEqual(['fsync jobs', 'fsync work/W']);
      expect(shown(await steps())).toEqual([
        'fsyncAside lanes/a.temp',
        'rename lanes/a.temp',
        'fsync lanes',
        'unlink work/W/JOB',
      ]);
    };
    await joined(queue, work, { machine: machineWithFiles(recording.files) });
  });
});

describe('a job that kills its workers', () => {
  const died = 'fspl-50.1763728496123.0.5.1.LANE.stem.fspl';

  it.each(['', 'a'])('is given up after so many starts (lane "%s")', async (lane) => {
    const name = died.replace('LANE', lane);
    const env: [string, string][] = lane === '' ? [] : [['INTRAY_LANE', lane]];
    const work = { kind: 'command', params: ['p'], env } as const;
    writeFileSync(place('jobs', name), packet({ seq: 1, work }));
    await joined(queue, async (session) => {
      expect((await idle(session)).reason).toBe(lane === '' ? 'empty' : 'held');
    });
    expect(namesIn(queue, lane === '' ? 'failed' : 'jobs')).toHaveLength(1);
    expect(runsOf(queue, 'stem')[0]?.reason).toBe('it was started 5 times, and each time its worker died');
  });

  it('has one more start with a worker that forgives more', async () => {
    writeFileSync(place('jobs', died.replace('LANE', '')), packet({ seq: 1 }));
    await joined(
      queue,
      async (session) => {
        expect((await claimed(session)).attempt).toBe(6);
      },
      { maxStarts: 6 },
    );
  });
});

describe('a job that is tried again however often', () => {
  const again = (attempts: number) => `fspl-50.1763728496123.0.${attempts}.1..stem.fspl`;
  const ended = (attempt: number, outcome: string) =>
    `${JSON.stringify({ attempt, outcome, worker: 'w', ended: '2025-01-01T00:00:00Z' })}\n`;
  const forgiving = { maxStarts: Number.POSITIVE_INFINITY, maxDeaths: 3 };

  it.each([
    ['its worker died in between', ['died', 'died', 'retry', 'died', 'died'], undefined],
    ['it never killed its worker', ['retry', 'retry', 'retry', 'retry', 'retry'], undefined],
    ['nothing is known of its starts', [], undefined],
    ['its worker died so often in a row', ['retry', 'retry', 'died', 'died', 'died'], 3],
    ['its worker died more often in a row', ['retry', 'died', 'died', 'died', 'died'], 4],
    ['its worker died always', ['died', 'died', 'died', 'died', 'died'], 5],
  ] as const)('and %s', async (_, outcomes, given) => {
    writeFileSync(place('jobs', again(5)), packet({ seq: 1 }));
    writeFileSync(place('log', 'stem.jsonl'), outcomes.map((one, index) => ended(index + 1, one)).join(''));
    const work = async (session: SharedSession) => {
      if (given === undefined) expect((await claimed(session)).attempt).toBe(6);
      else expect(await idle(session)).toMatchObject({ reason: 'empty' });
    };
    await joined(queue, work, forgiving);
    if (given === undefined) return;
    expect(namesIn(queue, 'failed')).toEqual([again(6)]);
    const reason = `it was started ${given} times in a row, and each time its worker died`;
    expect(runsOf(queue, 'stem').at(-1)).toMatchObject({ outcome: 'failed', reason });
  });
});

describe('what a run says', () => {
  async function run(
    text: string | Uint8Array,
    settle: 'succeed' | 'fail',
    keepSucceeded = false,
  ): Promise<string> {
    const { id } = await queue.add({});
    const work = async (session: SharedSession) => {
      const claim = await claimed(session);
      const { stdout } = await claim.openOutput();
      expect((await claim.openOutput()).stdout, 'opened once').toBe(stdout);
      await realMachine.files.write(stdout, Buffer.from(text));
      await claim[settle]();
    };
    await joined(queue, work, { keepSucceeded });
    return id;
  }

  it('is kept with a job that failed, what is empty left out', async () => {
    const id = await run('out', 'fail');
    expect(namesIn(queue, 'log')).toEqual([`${id}.1.out`, `${id}.jsonl`].sort());
    expect(readFileSync(place('log', `${id}.1.out`), 'utf8')).toBe('out');
  });

  it('is not kept with one that succeeded, unless such are', async () => {
    await run('out', 'succeed');
    expect(namesIn(queue, 'log')).toEqual([]);
    const id = await run('out', 'succeed', true);
    expect(namesIn(queue, 'log')).toEqual([`${id}.1.out`, `${id}.jsonl`].sort());
  });

  it('is kept up to a limit: the beginning and the end', async () => {
    const mib = 1024 * 1024;
    const id = await run(`begin${'x'.repeat(3 * mib)}end`, 'fail');
    const kept = readFileSync(place('log', `${id}.1.out`), 'utf8');
    expect(kept.startsWith('beginxxx')).toBe(true);
    expect(kept.endsWith('xxxend')).toBe(true);
    expect(kept).toContain(`\n[intray: ${2 * mib + 8} bytes left out]\n`);
    expect(kept.length).toBeLessThan(mib + 100);
    expect(namesIn(queue, 'log')).toHaveLength(2);
  });

  it('does not decide over the job when it cannot be kept', async () => {
    await queue.add({});
    await joined(queue, async (session) => {
      const claim = await claimed(session);
      rmSync(place('log'), { recursive: true });
      expect(await claim.fail('no')).toBe('settled');
    });
    expect(namesIn(queue, 'failed')).toHaveLength(1);
  });
});

describe('jobs that the original has put there', () => {
  it('run by number in their lanes, and by what their senders asked for', async () => {
    sent('b', 2, { INTRAY_LANE: 'theirs' });
    sent('a', 1, { INTRAY_LANE: 'theirs' });
    sent('urgent', 1, { INTRAY_PRIORITY: '3' });
    sent('usual', 1);
    sent('nonsense', 1, { INTRAY_PRIORITY: 'high', INTRAY_NOT_BEFORE: 'soon', INTRAY_EXPIRES: 'late' });
    sent('later', 1, { INTRAY_NOT_BEFORE: '2999-01-01T00:00:00Z' });
    sent('too late', 1, { INTRAY_EXPIRES: '2001-01-01T00:00:00+01:00' });
    await joined(queue, async (session) => {
      const ran = await drain(session);
      expect(ran[0]).toBe('urgent');
      expect(ran.filter((name) => name.length === 1)).toEqual(['a', 'b']);
      expect([...ran].sort()).toEqual(['a', 'b', 'nonsense', 'urgent', 'usual']);
      expect(await idle(session)).toMatchObject({ reason: 'delayed', untilMs: Date.UTC(2999, 0) });
    });
    expect(said('failed')).toMatchObject([{ stem: 'too late' }]);
    expect(namesIn(queue, 'jobs')).toEqual(['fspl-later.fspl']);
  });

  it('get a name of ours when they are tried again, and keep theirs in it', async () => {
    sent('theirs', 4, { INTRAY_PRIORITY: '7', INTRAY_LANE: 'x'.repeat(100) });
    writeFileSync(place('lanes', 'x'.repeat(100)), '4\n');
    await joined(queue, async (session) => {
      const claim = await claimed(session);
      expect(claim.job.id).toBe('theirs');
      await claim.retry(0, 'again');
      expect(said('jobs')).toMatchObject([
        { stem: 'theirs', priority: 7, attempts: 1, addedMs: 1_700_000_000_000, seq: 4n },
      ]);
      const again = await claimed(session);
      expect([again.job.id, again.attempt]).toEqual(['theirs', 2]);
      expect(await again.succeed()).toBe('settled');
    });
    expect(readFileSync(place('lanes', 'x'.repeat(100)), 'utf8')).toBe('5\n');
  });

  it('run by number, one after the other, in a queue of the usual order', async () => {
    rmSync(place('settings.json'));
    for (const [name, seq] of [
      ['c', 3],
      ['a', 1],
      ['b', 2],
      ['e', 5],
    ] as const)
      sent(name, seq);
    await joined(queue, async (session) => {
      const first = await claimed(session);
      expect(param(first)).toBe('a');
      expect(await idle(session)).toMatchObject({ reason: 'busy', waiting: 3 });
      await first.succeed();
      expect(await drain(session)).toEqual(['b', 'c']);
      expect(await idle(session)).toMatchObject({
        reason: 'gap',
        lane: '',
        missing: 4n,
        next: 5n,
        waiting: 1,
      });
    });
    expect(readFileSync(place('nextseq'), 'utf8')).toBe('4\n');
  });

  it('are counted even when their clock is far off', async () => {
    putJob(queue.location, 'far', { seq: 1, seconds: 253_402_300_799n });
    putJob(queue.location, 'ago', { seq: 2, seconds: -5n });
    await joined(queue, async (session) => {
      for (const attempt of [1, 2, 3]) {
        const claims = [await claimed(session), await claimed(session)];
        expect(claims.map(({ job }) => job.id)).toEqual(['ago', 'far']);
        expect(claims.map((claim) => claim.attempt)).toEqual([attempt, attempt]);
        for (const claim of claims) await claim.retry(0, 'again');
        expect(said('jobs')).toMatchObject([{ attempts: attempt }, { attempts: attempt }]);
      }
    });
  });
});

it('reports what cannot be read, and never claims it', async () => {
  writeFileSync(place('jobs', 'fspl-junk.fspl'), 'junk');
  mkdirSync(place('jobs', 'fspl-directory.fspl'));
  mkdirSync(place('jobs', 'fspl-50.1763728496123.0.0.9..stem.fspl'));
  symlinkSync('nowhere', place('jobs', 'fspl-link.fspl'));
  expect(spawnSync('mkfifo', [place('jobs', 'fspl-fifo.fspl')]).status).toBe(0);
  writeFileSync(place('jobs', 'notes.txt'), '');
  await queue.add({ params: ['good'] });
  const before = namesIn(queue, 'jobs').filter((name) => !name.includes('..') || name.includes('stem'));
  await joined(queue, async (session) => {
    expect(await drain(session)).toEqual(['good']);
    expect(session.unreadable.map(({ path }) => path.slice(place('jobs', '').length)).sort()).toEqual(
      before.filter((name) => name !== 'notes.txt'),
    );
    for (const { message } of session.unreadable) expect(message).toMatch(/^[^/]+[^.]$/);
  });
  expect(namesIn(queue, 'jobs')).toEqual(before);
});

describe('a worker', () => {
  it('leaves nothing: no room, no lock, no descriptor', async () => {
    await queue.add({});
    const before = openDescriptors();
    await joined(queue, async (session) => {
      await claimed(session);
      expect(namesIn(queue, 'work')).toHaveLength(1);
    });
    expect(openDescriptors()).toEqual(before);
    expect(namesIn(queue, 'work')).toEqual([]);
    await (await queue.session()).close();
  });

  it('brings back what a dead one ran, soon and in its place', async () => {
    await queue.addAll([
      { lane: 'a', params: ['1'] },
      { lane: 'a', params: ['2'] },
    ]);
    const dead = place('work', 'dead');
    mkdirSync(dead);
    const info = { host: 'here', boot: realMachine.host.bootId, pid: 1, startedMs: 0, leaseMs: 60_000 };
    writeFileSync(`${dead}/worker`, JSON.stringify(info));
    const [first] = namesIn(queue, 'jobs') as [string];
    renameSync(place('jobs', first), `${dead}/${first.replace('.0.0.1.', '.0.1.1.')}`);
    await joined(queue, async (session) => {
      const claim = await claimed(session);
      expect([param(claim), claim.attempt]).toEqual(['1', 2]);
      expect(existsSync(dead)).toBe(false);
    });
  });

  it('that was taken for dead stops: its claims are lost, and it gets no more', async () => {
    await queue.addAll([{ params: ['1'] }, { params: ['2'] }]);
    const clock = alarmClock();
    await joined(
      queue,
      async (session) => {
        const claim = await claimed(session);
        expect(session.fenced.aborted).toBe(false);
        const [worker] = namesIn(queue, 'work') as [string];
        renameSync(claim.job.path, place('jobs', runningIn(queue)[0] as string));
        rmSync(place('work', worker), { recursive: true });
        clock.ring(60_000 / 4);
        await eventually(() => expect(session.fenced.aborted).toBe(true));
        expect(await claim.succeed()).toBe('lost');
        await expect(session.claim()).rejects.toMatchObject({ code: 'fenced' });
      },
      { machine: machineWith({ clock }) },
    );
    expect(await joined(queue, (session) => drain(session)).then((ran) => ran.sort())).toEqual(['1', '2']);
  });

  it('learns at its next claim that its room is gone', async () => {
    await queue.add({});
    await joined(queue, async (session) => {
      rmSync(place('work', namesIn(queue, 'work')[0] as string), { recursive: true });
      await expect(session.claim()).rejects.toMatchObject({ code: 'fenced' });
      expect(session.fenced.aborted).toBe(true);
    });
    expect(namesIn(queue, 'jobs')).toHaveLength(1);
  });

  it('shows that it is alive as often as its lease needs', async () => {
    const clock = alarmClock();
    await joined(
      queue,
      async () => {
        const file = place('work', namesIn(queue, 'work')[0] as string, 'worker');
        for (const _ of [1, 2]) {
          const last = statSync(file).mtimeMs;
          await eventually(() => {
            clock.ring(100);
            expect(statSync(file).mtimeMs).toBeGreaterThan(last);
          });
        }
      },
      { machine: machineWith({ clock }), leaseMs: 400 },
    );
  });

  it('hears of its own claims, and believes events then', async () => {
    await queue.add({});
    const work = async (session: SharedSession) => {
      expect(session.eventsArrive).toBe(undefined);
      await drain(session);
      await eventually(() => expect(session.eventsArrive).toBe(true));
    };
    await joined(queue, work, { watch: true });
  });

  it('that is not told of its own claims looks by itself, more often', async () => {
    await queue.add({});
    const clock = alarmClock();
    const machine = machineWith({ clock, watches: { watch: () => () => {} } });
    const polled = async (session: SharedSession, ms: number) => {
      const changed = session.changed(5000, new AbortController().signal);
      expect(clock.ring(ms)).toBe(1);
      await changed;
    };
    const work = async (session: SharedSession) => {
      await drain(session);
      for (const _ of [1, 2]) await polled(session, 1000);
      expect(session.eventsArrive).toBe(false);
      await polled(session, 200);
      await queue.add({ params: ['unheard'] });
      expect(await drain(session)).toEqual(['unheard']);
    };
    await joined(queue, work, { machine, watch: true });
  });

  it('makes the rooms where there are none yet', async () => {
    rmSync(place('log'), { recursive: true });
    rmSync(place('work'), { recursive: true });
    await joined(queue, async () => expect(readdirSync(queue.location)).toContain('log'));
  });

  it('says that the settings are damaged, and leaves nothing', async () => {
    writeFileSync(place('settings.json'), '{');
    const before = openDescriptors();
    await expect(queue.join()).rejects.toMatchObject({ code: 'settings-damaged' });
    expect(openDescriptors()).toEqual(before);
    expect(namesIn(queue, 'work')).toEqual([]);
  });

  it('reads through a decoder', async () => {
    const name = putJob(queue.location, 'packed', { seq: 1, payload: 'text' });
    writeFileSync(place('jobs', name), readFileSync(place('jobs', name)).toString('base64'));
    await joined(
      queue,
      async (session) => expect(await drain(session, ({ job }) => job.id)).toEqual(['packed']),
      {
        decoder: 'base64 -d',
      },
    );
  });

  it('blames the decoder, not the jobs, when it fails', async () => {
    await queue.add({});
    const before = namesIn(queue, 'jobs');
    await joined(
      queue,
      async (session) => {
        await expect(session.claim()).rejects.toMatchObject({ code: 'decoder-failed' });
      },
      { decoder: 'exit 3' },
    );
    expect(namesIn(queue, 'jobs')).toEqual(before);
  });
});
