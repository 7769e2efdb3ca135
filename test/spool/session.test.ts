import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { decodeBytes } from '../../src/os/bytes.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { readExactly } from '../../src/os/transfer.ts';
import { LAST_SEQUENCE } from '../../src/packet/header.ts';
import type { Claim, Session } from '../../src/queue/contract.ts';
import { lockQueue, openSession, type SpoolSessionOptions } from '../../src/spool/session.ts';
import { createSpool } from '../../src/spool/spool.ts';
import { failEachCall, faultyFiles } from '../support/faulty-files.ts';
import { interceptFiles } from '../support/intercepted-files.ts';
import { machineWithFiles } from '../support/machines.ts';
import { packet, putJob } from '../support/packets.ts';
import { CHANGES, recordingFiles } from '../support/recording-files.ts';
import { openDescriptors, useTemporary } from '../support/temporary.ts';

const { files: real } = realMachine;
const temporary = useTemporary();
let queue: string;

beforeEach(async () => {
  queue = temporary.path('queue');
  await createSpool(realMachine, queue);
});

const nextseq = () => readFileSync(`${queue}/nextseq`, 'utf8');
const setNext = (next: bigint) => writeFileSync(`${queue}/nextseq`, `${next}\n`);
const jobFiles = () => readdirSync(`${queue}/jobs`).sort();

async function inSession<T>(
  use: (session: Session) => Promise<T>,
  options: SpoolSessionOptions = {},
  machine = realMachine,
): Promise<T> {
  const session = await openSession(machine, queue, options);
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

async function claimed(session: Session): Promise<Claim> {
  const claim = await session.claim();
  if (claim.kind !== 'claim') throw new Error(`nothing to claim: ${claim.reason}`);
  return claim;
}

/** Succeeds with all there is; returns their numbers and why it ended. */
async function workAll(options: SpoolSessionOptions = {}) {
  return inSession(async (session) => {
    const done: (bigint | undefined)[] = [];
    for (;;) {
      const claim = await session.claim();
      if (claim.kind === 'idle') return { done, idle: claim };
      done.push(claim.job.seq);
      await claim.succeed();
    }
  }, options);
}

const EMPTY = { kind: 'idle', reason: 'empty' };

describe('opening', () => {
  it.each([{}, { order: 'creation' }] as const)('needs the lock, with %j', async (options) => {
    await inSession(async () => {
      await expect(openSession(realMachine, queue, options)).rejects.toMatchObject({ code: 'locked' });
      await expect(lockQueue(realMachine, queue)).rejects.toMatchObject({ code: 'locked' });
    }, options);
    await (await lockQueue(realMachine, queue)).close();
  });

  it('does not touch an append-only queue', async () => {
    const place = temporary.path('append-only');
    await createSpool(realMachine, place, { appendOnly: true });
    for (const order of ['sequence', 'creation'] as const) {
      await expect(openSession(realMachine, place, { order })).rejects.toMatchObject({
        code: 'append-only',
        message: `${place}: ${place}/nextseq.lock: there is no such lock file; so it is an append-only queue`,
        cause: { code: 'lock-missing' },
      });
    }
    expect(readdirSync(place)).toEqual(['jobs']);
  });

  it('makes nextseq when only that is missing', async () => {
    unlinkSync(`${queue}/nextseq`);
    await inSession(async () => {}, { order: 'creation' });
    expect(nextseq()).toBe('1\n');
  });

  it('tells what is no queue from one that is append-only', async () => {
    await expect(openSession(realMachine, temporary.path(), {})).rejects.toMatchObject({
      code: 'not-a-queue',
    });
  });

  it('refuses a damaged nextseq, also by creation time', async () => {
    writeFileSync(`${queue}/nextseq`, 'junk\n');
    for (const order of ['sequence', 'creation'] as const) {
      await expect(openSession(realMachine, queue, { order })).rejects.toMatchObject({
        code: 'sequence-damaged',
      });
    }
  });

  it('refuses two jobs with one number before anything runs, but not by creation time', async () => {
    putJob(queue, 'a', { seq: 1 });
    putJob(queue, 'b', { seq: 5, seconds: 3n });
    putJob(queue, 'c', { seq: 5, seconds: 2n });
    const before = openDescriptors();
    await expect(openSession(realMachine, queue, {})).rejects.toMatchObject({ code: 'duplicate-sequence' });
    expect(openDescriptors()).toEqual(before);
    expect((await workAll({ order: 'creation' })).done).toEqual([1n, 5n, 5n]);
  });

  it('tells what it could not read', async () => {
    writeFileSync(`${queue}/jobs/fspl-bad.fspl`, 'junk');
    await inSession(async (session) => {
      expect(session.unreadable).toMatchObject([
        { path: `${queue}/jobs/fspl-bad.fspl`, message: 'it ends after 4 of the 30 bytes of its prefix' },
      ]);
    });
  });

  it('hands out a descriptor that keeps the lock', async () => {
    await inSession(async (session) => {
      if (session.lock === undefined) throw new Error('no lock');
      expect((await real.fstat(session.lock)).inode).toBe((await real.stat(`${queue}/nextseq.lock`)).inode);
    });
  });

  it('can be closed twice', async () => {
    const session = await openSession(realMachine, queue, {});
    await session.close();
    await session.close();
  });

  it('leaves no descriptor open and no lock held, whatever fails', async () => {
    putJob(queue, 'a', { seq: 1 });
    await failEachCall(real, 'EIO', async (faulty) => {
      const before = openDescriptors();
      await inSession(async () => {}, {}, machineWithFiles(faulty)).catch(() => {});
      expect(openDescriptors()).toEqual(before);
      await (await lockQueue(realMachine, queue)).close();
    });
  });
});

describe('by number', () => {
  it('runs what is next, in order, whatever the names and times', async () => {
    for (const [name, seq] of [
      ['z', 1],
      ['a', 3],
      ['m', 2],
    ] as const) {
      putJob(queue, name, { seq, seconds: BigInt(100 - seq) });
    }
    expect(await workAll()).toEqual({ done: [1n, 2n, 3n], idle: EMPTY });
    expect(nextseq()).toBe('4\n');
    expect(jobFiles()).toEqual([]);
  });

  it('leaves jobs alone whose number is past', async () => {
    setNext(3n);
    const past = [putJob(queue, 'a', { seq: 1 }), putJob(queue, 'b', { seq: 2 })];
    putJob(queue, 'c', { seq: 3 });
    expect(await workAll()).toEqual({ done: [3n], idle: EMPTY });
    expect(jobFiles()).toEqual(past);
  });

  it('says what is missing and what waits behind it', async () => {
    for (const seq of [1, 4, 5, 9]) putJob(queue, `${seq}`, { seq });
    const gap = { kind: 'idle', reason: 'gap', missing: 2n, next: 4n, waiting: 3 };
    expect(await workAll()).toEqual({ done: [1n], idle: gap });
    expect(await workAll()).toEqual({ done: [], idle: gap });
    expect(nextseq()).toBe('2\n');
  });

  it('goes on with 0 after the last number', async () => {
    setNext(LAST_SEQUENCE - 1n);
    for (const seq of [1n, 0n, LAST_SEQUENCE, LAST_SEQUENCE - 1n, 3n]) putJob(queue, `${seq}`, { seq });
    expect(await workAll()).toEqual({
      done: [LAST_SEQUENCE - 1n, LAST_SEQUENCE, 0n, 1n],
      idle: { kind: 'idle', reason: 'gap', missing: 2n, next: 3n, waiting: 1 },
    });
    expect(nextseq()).toBe('2\n');
    expect(jobFiles()).toEqual(['fspl-3.fspl']);
  });

  it('does not come round to what it has kept', async () => {
    setNext(LAST_SEQUENCE);
    for (const seq of [0n, LAST_SEQUENCE]) putJob(queue, `${seq}`, { seq });
    expect(await workAll({ keepSucceeded: true })).toEqual({ done: [LAST_SEQUENCE, 0n], idle: EMPTY });
  });

  it('writes the number it has counted, not the one in the file', async () => {
    putJob(queue, 'a', { seq: 1 });
    await inSession(async (session) => {
      const claim = await claimed(session);
      setNext(77n);
      await claim.succeed();
    });
    expect(nextseq()).toBe('2\n');
  });

  it('does not see jobs that come after the opening', async () => {
    putJob(queue, 'a', { seq: 1 });
    await inSession(async (session) => {
      const claim = await claimed(session);
      putJob(queue, 'b', { seq: 2 });
      await claim.succeed();
      expect(await session.claim()).toEqual(EMPTY);
    });
    expect((await workAll()).done).toEqual([2n]);
  });
});

describe('by creation time', () => {
  it('runs in the order of making, and neither looks at numbers nor changes them', async () => {
    setNext(50n);
    putJob(queue, 'a', { seq: 9, seconds: 3n });
    putJob(queue, 'b', { seq: 9, seconds: -5n });
    putJob(queue, 'c', { seq: 1, seconds: 3n, nanos: 1 });
    putJob(queue, 'd', { seq: 0, seconds: 2n });
    const order: string[] = [];
    await inSession(
      async (session) => {
        for (let claim = await session.claim(); claim.kind === 'claim'; claim = await session.claim()) {
          order.push(claim.job.id);
          await claim.succeed();
        }
      },
      { order: 'creation' },
    );
    expect(order).toEqual(['b', 'd', 'a', 'c']);
    expect(nextseq()).toBe('50\n');
    expect(jobFiles()).toEqual([]);
  });

  it('does not begin a number ahead', async () => {
    putJob(queue, 'a', { seq: 1 });
    await inSession(
      async (session) => {
        const claim = await claimed(session);
        await claim.anticipate();
        expect(readdirSync(queue)).not.toContain('nextseq.temp');
        await claim.succeed();
      },
      { order: 'creation' },
    );
  });
});

describe('between the opening and the claim', () => {
  const path = () => `${queue}/jobs/fspl-a.fspl`;
  const changes: [string, () => void, string][] = [
    ['removed', () => unlinkSync(path()), 'it was removed by somebody else'],
    ['replaced', () => writeFileSync(path(), packet({ seq: 8 })), 'it was replaced by another job'],
  ];
  const damages: [string, () => void, string][] = [
    [
      'damaged',
      () => writeFileSync(path(), packet({ seq: 1 }).fill(0, 40)),
      'the checksum of its metadata is wrong',
    ],
    ['marked as unfinished', () => chmodSync(path(), 0o1644), 'the program that writes it has not finished'],
  ];

  beforeEach(() => {
    putJob(queue, 'a', { seq: 1, payload: 'old' });
    putJob(queue, 'b', { seq: 2 });
  });

  it.each(changes)('a file that was %s is told and missing', async (_, change, message) => {
    await inSession(async (session) => {
      change();
      expect(await session.claim()).toEqual({
        kind: 'idle',
        reason: 'gap',
        missing: 1n,
        next: 2n,
        waiting: 1,
      });
      expect(session.unreadable).toEqual([{ path: path(), message }]);
    });
    expect(nextseq()).toBe('1\n');
  });

  it.each(changes)('a file that was %s is stepped over by creation time', async (_, change, message) => {
    await inSession(
      async (session) => {
        change();
        expect((await claimed(session)).job.seq).toBe(2n);
        expect(session.unreadable).toEqual([{ path: path(), message }]);
      },
      { order: 'creation' },
    );
  });

  describe.each(['sequence', 'creation'] as const)('in order of %s', (order) => {
    it.each(damages)(
      'a file that was %s is an error, for nobody can tell what to run',
      async (_, change, message) => {
        await inSession(
          async (session) => {
            change();
            await expect(session.claim()).rejects.toMatchObject({
              code: 'packet-damaged',
              message: `${path()}: ${message}`,
            });
          },
          { order },
        );
        expect(nextseq()).toBe('1\n');
        expect(jobFiles()).toEqual(['fspl-a.fspl', 'fspl-b.fspl']);
      },
    );
  });

  it('a file that became unreadable is an error', async () => {
    const files = interceptFiles(real, () => {});
    let opened = 0;
    const machine = machineWithFiles({
      ...files,
      open: async (at, mode) => {
        if (at === path() && ++opened === 2)
          throw Object.assign(new Error('no'), { code: 'EACCES', syscall: 'open' });
        return files.open(at, mode);
      },
    });
    await inSession(
      async (session) => {
        await expect(session.claim()).rejects.toMatchObject({ code: 'EACCES' });
      },
      {},
      machine,
    );
  });

  it('a file that was replaced under its number is the new job in everything', async () => {
    await inSession(async (session) => {
      writeFileSync(
        temporary.path('new'),
        packet({ seq: 1, seconds: 99n, work: { kind: 'fail' }, payload: 'new' }),
      );
      renameSync(temporary.path('new'), path());
      const claim = await claimed(session);
      expect(claim.job).toMatchObject({ work: { kind: 'fail' }, createdAt: { seconds: 99n } });
      expect(new Map(claim.env).get('FSPL_CTIME_SECS')).toBe('99');
      expect(decodeBytes(await readExactly(real, claim.payload, 100))).toBe('new');
    });
  });
});

describe('a claim', () => {
  it('describes the job to its command', async () => {
    const work = { kind: 'command', params: ['p', ''], env: [['FOO', 'bar']] } as const;
    const name = putJob(queue, 'a', { seq: 1, work, seconds: 1_700_000_000n, nanos: 5 });
    await inSession(async (session) => {
      const { job, env } = await claimed(session);
      const createdAt = { seconds: 1_700_000_000n, nanos: 5 };
      expect(job).toEqual({ id: 'a', seq: 1n, createdAt, work, path: `${queue}/jobs/${name}` });
      expect(env.map(([variable]) => variable)).toEqual([
        'FSPL_SEQ',
        'FSPL_CTIME_SECS',
        'FSPL_CTIME_NANOS',
        'FSPL_CTIME_RFC3339_UTC',
        'FSPL_CTIME_RFC3339_LOCAL',
        'FSPL_JOB_FILENAME',
        'FSPL_JOB_QUEUEDIR',
        'FSPL_JOB_FULLPATH',
        'FSPL_PARAM_1',
        'FSPL_PARAM_2',
        'FSPL_SET_FOO',
      ]);
      expect(new Map(env).get('FSPL_JOB_FULLPATH')).toBe(`${queue}/jobs/${name}`);
    });
  });

  it('reads through a decoder, which is asked twice', async () => {
    putJob(queue, 'a', { seq: 1, payload: 'text' });
    const asked = temporary.path('asked');
    const decoder = { command: `echo x >> ${asked}; cat`, shell: '/bin/sh', group: 'own' } as const;
    await inSession(
      async (session) => {
        const claim = await claimed(session);
        expect(decodeBytes(await readExactly(real, claim.payload, 100))).toBe('text');
        expect(await claim.payloadProblem()).toBeUndefined();
        await claim.succeed();
      },
      { decoder },
    );
    expect(readFileSync(asked, 'utf8')).toBe('x\nx\n');
    expect(jobFiles()).toEqual([]);
  });

  it('says when its decoder failed', async () => {
    putJob(queue, 'a', { seq: 1 });
    await inSession(
      async (session) => {
        const claim = await claimed(session);
        expect(await claim.payloadProblem()).toBe('the decoder ended with exit code 3');
        expect(await claim.payloadProblem()).toBe('the decoder ended with exit code 3');
        await claim.fail();
      },
      { decoder: { command: 'cat; exit 3', shell: '/bin/sh', group: 'own' }, keepFailed: true },
    );
    expect(jobFiles()).toEqual(['fspl-a.fspl']);
  });

  it('is not there, and its job not damaged, when its decoder was stopped', async () => {
    putJob(queue, 'a', { seq: 1 });
    const controller = new AbortController();
    const waiting = temporary.path('waiting');
    const decoder = {
      command: `[ ! -e ${waiting} ] || sleep 1000; cat`,
      shell: '/bin/sh',
      group: 'own',
      stop: controller.signal,
    } as const;
    await inSession(
      async (session) => {
        writeFileSync(waiting, '');
        controller.abort();
        expect((await session.claim()).kind).toBe('idle');
        expect(session.unreadable).toEqual([]);
      },
      { decoder },
    );
    expect(nextseq()).toBe('1\n');
    expect(jobFiles()).toEqual(['fspl-a.fspl']);
  });

  it('is refused when what its decoder puts out is damaged by now', async () => {
    putJob(queue, 'a', { seq: 1 });
    await inSession(
      async (session) => {
        writeFileSync(`${queue}/jobs/fspl-a.fspl`, '');
        await expect(session.claim()).rejects.toMatchObject({ code: 'packet-damaged' });
      },
      { decoder: { command: 'cat', shell: '/bin/sh', group: 'own' } },
    );
  });

  it('ends its decoder when nobody settles it', async () => {
    putJob(queue, 'a', { seq: 1 });
    await inSession((session) => claimed(session), {
      decoder: {
        command: 'exec perl -e "$| = 1; print <STDIN>; sleep 1000"',
        shell: '/bin/sh',
        group: 'own',
      },
    });
  });

  it('works through a link, which goes, and not what it points to', async () => {
    writeFileSync(temporary.path('target'), packet({ seq: 1 }));
    symlinkSync(temporary.path('target'), `${queue}/jobs/fspl-a.fspl`);
    expect((await workAll()).done).toEqual([1n]);
    expect(jobFiles()).toEqual([]);
    expect(existsSync(temporary.path('target'))).toBe(true);
  });
});

describe('settling', () => {
  beforeEach(() => {
    putJob(queue, 'a', { seq: 1 });
    putJob(queue, 'b', { seq: 2 });
  });

  const NUMBER = ['write nextseq.temp', 'fsyncAside nextseq.temp', 'rename nextseq.temp nextseq', 'fsync .'];

  /** Before the first job: the number that was found may be somebody's who died before he had it synced. */
  const FOUND = 'fsync .';

  it.each(['succeed', 'fail'] as const)('makes the number safe before the file goes: %s', async (settle) => {
    const recording = recordingFiles(real);
    await inSession(
      async (session) => (await claimed(session))[settle](),
      {},
      machineWithFiles(recording.files),
    );
    expect(recording.told(queue, ...CHANGES)).toEqual([FOUND, ...NUMBER, 'unlink jobs/fspl-a.fspl']);
  });

  it('waits only for the rename and its fsync when the rest was anticipated', async () => {
    const recording = recordingFiles(real);
    await inSession(
      async (session) => {
        const claim = await claimed(session);
        await claim.anticipate();
        const ahead = recording.calls.length;
        await claim.succeed();
        const rest = recording.calls.slice(ahead).map(({ name }) => name);
        expect(rest).toEqual(['close', 'close', 'rename', 'open', 'fsync', 'unlink']);
      },
      {},
      machineWithFiles(recording.files),
    );
    expect(recording.told(queue, ...CHANGES)).toEqual([FOUND, ...NUMBER, 'unlink jobs/fspl-a.fspl']);
  });

  it('keeps the file when asked, and the number goes on', async () => {
    const recording = recordingFiles(real);
    await inSession(
      async (session) => {
        await (await claimed(session)).succeed();
        await (await claimed(session)).fail();
      },
      { keepSucceeded: true },
      machineWithFiles(recording.files),
    );
    expect(recording.told(queue, ...CHANGES)).toEqual([
      FOUND,
      ...NUMBER,
      ...NUMBER,
      'unlink jobs/fspl-b.fspl',
    ]);
    expect(jobFiles()).toEqual(['fspl-a.fspl']);
    expect(nextseq()).toBe('3\n');
  });

  it('by creation time makes the removal safe, for the file would run again', async () => {
    const recording = recordingFiles(real);
    await inSession(
      async (session) => (await claimed(session)).succeed(),
      { order: 'creation' },
      machineWithFiles(recording.files),
    );
    const removed = ['unlink jobs/fspl-a.fspl', 'fsync jobs'];
    expect(recording.told(queue, ...CHANGES)).toEqual(['fsync jobs', ...removed]);
  });

  it('by release changes nothing', async () => {
    const recording = recordingFiles(real);
    await inSession(
      async (session) => (await claimed(session)).release(),
      {},
      machineWithFiles(recording.files),
    );
    expect(recording.told(queue, ...CHANGES)).toEqual([FOUND]);
    expect(nextseq()).toBe('1\n');
    expect(jobFiles()).toHaveLength(2);
  });

  it.each(['release', 'nothing'] as const)('takes back what was anticipated, by %s', async (settle) => {
    await inSession(async (session) => {
      const claim = await claimed(session);
      await claim.anticipate();
      if (settle === 'release') await claim.release();
    });
    expect(readdirSync(queue).sort()).toEqual(['jobs', 'nextseq', 'nextseq.lock']);
    expect(nextseq()).toBe('1\n');
  });

  it('does not mind a file that is gone already', async () => {
    await inSession(async (session) => {
      const claim = await claimed(session);
      unlinkSync(claim.job.path);
      await claim.succeed();
      expect((await claimed(session)).job.seq).toBe(2n);
    });
    expect(nextseq()).toBe('2\n');
  });

  it('counts a failed fsync as a failure, and can be tried again', async () => {
    let broken = true;
    const files = faultyFiles(real, ({ name }) => (name === 'fsyncAside' && broken ? 'EIO' : undefined));
    await inSession(
      async (session) => {
        const claim = await claimed(session);
        await expect(claim.succeed()).rejects.toMatchObject({ code: 'EIO' });
        expect(nextseq()).toBe('1\n');
        expect(jobFiles()).toHaveLength(2);
        broken = false;
        await claim.succeed();
        expect(nextseq()).toBe('2\n');
        expect((await claimed(session)).job.seq).toBe(2n);
      },
      {},
      machineWithFiles(files),
    );
  });

  it.each([
    ['EIO', 'sequence'],
    ['ENOSPC', 'sequence'],
    ['EIO', 'creation'],
  ] as const)(
    'with %s from any call runs a job twice at worst, never not at all (by %s)',
    async (code, order) => {
      let round = 0;
      const calls = await failEachCall(real, code, async (faulty) => {
        queue = temporary.path(`queue-${round++}`);
        await createSpool(realMachine, queue);
        putJob(queue, 'a', { seq: 1 });
        putJob(queue, 'b', { seq: 2 });
        const before = openDescriptors();
        const run: (bigint | undefined)[] = [];
        const settled: (bigint | undefined)[] = [];
        const outcome = await inSession(
          async (session) => {
            const claim = await claimed(session);
            run.push(claim.job.seq);
            await claim.anticipate();
            await claim.succeed();
            settled.push(claim.job.seq);
          },
          { order },
          machineWithFiles(faulty),
        ).catch((error: unknown) => error);
        expect(openDescriptors()).toEqual(before);
        // What is said to be settled is, and what failed leaves a queue that works.
        const rest = await workAll({ order });
        expect(rest.idle).toEqual(EMPTY);
        expect(new Set([...run, ...rest.done])).toEqual(new Set([1n, 2n]));
        for (const seq of settled) expect(rest.done).not.toContain(seq);
        if (!(outcome instanceof Error)) expect(jobFiles()).toEqual([]);
      });
      expect(calls).toBeGreaterThan(15);
    },
  );
});
