/** What `intray ls`, `status`, `explain`, `show`, `cat` and `log` print, and how they end. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { intray } from '../../src/cli/intray/main.ts';
import { columnsOf, cutTo, printable } from '../../src/cli/printable.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { pause } from '../../src/spool/home/rooms.ts';
import { createQueueDirectory } from '../../src/spool/queue-files.ts';
import { addNamed, claimFrom, failNext, fileOf, homeQueue } from '../support/home-queues.ts';
import { packet, putJob } from '../support/packets.ts';
import { listening } from '../support/spoken.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();

async function run(argv: readonly string[], columns?: number) {
  const host = {
    ...realMachine.host,
    terminalColumns: () => columns,
    isTerminal: () => columns !== undefined,
  };
  const { machine, said } = listening({ host });
  const status = await intray(machine, argv);
  return { status, ...said };
}

const q = (...names: string[]) => temporary.path('q', ...names);
// biome-ignore lint/suspicious/noControlCharactersInRegex: what must not reach a terminal
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;

describe('intray ls', () => {
  it('lists what runs and waits, in the order of service', async () => {
    const queue = await homeQueue(q());
    const ids = [
      await addNamed(queue, 'last', { priority: 90 }),
      await addNamed(queue, 'first', { priority: 10 }),
    ];
    await addNamed(queue, 'laned', { lane: 'alice' });
    await addNamed(queue, 'behind', { lane: 'alice' });
    const { stdout, status } = await run(['ls', q()]);
    const rows = stdout.trimEnd().split('\n');
    expect(rows[0]).toMatch(/^ID +STATE +LANE +NUMBER +PRIO +AGE +TRIES +PARAMS$/);
    expect(rows[1]).toMatch(new RegExp(`^${ids[1]?.slice(0, 8)} +ready +10 +\\d+s +0 +first$`));
    expect(rows[2]).toMatch(/ ready +alice +1 +50 +\d+s +0 +laned$/);
    expect(rows[3]).toMatch(/ behind 1 +alice +2 +50 +\d+s +0 +behind$/);
    expect(rows[4]).toMatch(/ last$/);
    expect(status).toBe(0);
  });

  it('lists those that failed, are done or run when asked', async () => {
    const queue = await homeQueue(q());
    await addNamed(queue, 'bad');
    await failNext(queue);
    await addNamed(queue, 'stuck', { lane: 'alice' });
    await failNext(queue, 'no', 'hold');
    await addNamed(queue, 'good');
    const session = await queue.join({ keepSucceeded: true });
    await (await claimFrom(session)).succeed();
    await addNamed(queue, 'busy');
    await claimFrom(session);
    const params = async (...options: string[]) =>
      (await run(['ls', q(), ...options])).stdout
        .trimEnd()
        .split('\n')
        .slice(1)
        .map((line) => line.split(/ +/).at(-1));
    expect(await params()).toEqual(['busy', 'stuck']);
    expect((await params('--failed')).sort()).toEqual(['bad', 'stuck']);
    expect(await params('--done')).toEqual(['good']);
    expect(await params('--running')).toEqual(['busy']);
    expect((await params('--all')).sort()).toEqual(['bad', 'busy', 'good', 'stuck']);
    expect(await params('--lane', 'alice')).toEqual(['stuck']);
    await session.close();
  });

  it('in JSON has these fields', async () => {
    const queue = await homeQueue(q());
    const id = await addNamed(queue, 'x', { lane: 'alice', notBefore: new Date('2099-01-01') });
    const { stdout } = await run(['ls', '--json', q()]);
    expect(JSON.parse(stdout)).toEqual({
      queue: q(),
      jobs: [
        {
          id,
          place: 'waiting',
          state: 'delayed',
          number: '1',
          lane: 'alice',
          priority: 50,
          added: expect.stringMatching(/^20.*Z$/),
          notBefore: '2099-01-01T00:00:00.000Z',
          attempts: 0,
          params: ['x'],
          file: fileOf(q(), id),
          path: q('jobs', fileOf(q(), id)),
        },
      ],
    });
  });

  it.each(['a\nb', 'a\u001b[31mred', 'a\u0007', 'right\u202eleft', 'c1\u009b31m', 'byte\udcff'])(
    'shows no control character of %j',
    async (text) => {
      const queue = await homeQueue(q());
      const id = await addNamed(queue, text, { lane: text });
      writeFileSync(q('jobs', `fspl-${text.replace('\udcff', '')}.fspl`), 'no packet');
      for (const argv of [
        ['ls', q()],
        ['show', q(), id],
        ['status', q()],
        ['explain', q(), id],
      ]) {
        const { stdout, stderr } = await run(argv);
        expect(stdout).not.toBe('');
        expect(stdout).not.toMatch(CONTROL);
        expect(stderr).toBe('');
      }
      const rows = (await run(['ls', q()])).stdout.trimEnd().split('\n');
      expect(rows).toHaveLength(3);
    },
  );

  it('cuts its lines to the terminal, and nothing in a pipe', async () => {
    const queue = await homeQueue(q());
    await addNamed(queue, 'x'.repeat(500), { lane: '名前'.repeat(20) });
    const narrow = (await run(['ls', q()], 60)).stdout.trimEnd().split('\n');
    for (const line of narrow) expect(columnsOf(line)).toBeLessThanOrEqual(60);
    expect((await run(['ls', q()])).stdout).toContain('x'.repeat(500));
  });

  it('of an empty queue says so on standard error', async () => {
    await homeQueue(q());
    expect(await run(['ls', q()])).toEqual({
      status: 0,
      stdout: '',
      stderr: `intray: ${q()}: there are no jobs\n`,
    });
  });

  it('reads encoded jobs with a decoder', async () => {
    await createQueueDirectory(realMachine, q(), { appendOnly: false });
    const work = { kind: 'command', params: ['packed'], env: [] } as const;
    const zipped = execFileSync('gzip', { input: packet({ seq: 1, work }) });
    writeFileSync(q('jobs/fspl-packed.fspl'), zipped);
    expect((await run(['ls', q()])).stdout).toContain('unreadable');
    expect((await run(['ls', q(), '-d', 'zcat'])).stdout).toMatch(/^packed +ready +1 +50 .* packed$/m);
  });
});

describe('intray status', () => {
  it('says all about one queue', async () => {
    const queue = await homeQueue(q(), 'sequence');
    await addNamed(queue, 'x');
    const { stdout, status } = await run(['status', q()]);
    expect(stdout).toMatch(
      /jobs in the order of their numbers, next is 1; parallel workers\n\nwaiting +1 {3}1 ready, oldest \d+s\n/,
    );
    expect(status).toBe(0);
  });

  it.each<[string, number, string, () => Promise<unknown>]>([
    ['well', 0, '', async () => {}],
    [
      'a gap',
      4,
      '! the queue waits for job 1, which is not there; 1 job waits behind it: have it sent again, or `intray skip ',
      async () => putJob(q(), 'late', { seq: 2 }),
    ],
    ['a damaged file', 6, 'fspl-torn.fspl: ', async () => writeFileSync(q('jobs/fspl-torn.fspl'), '*FILES')],
    [
      'a number twice',
      6,
      '1 of the jobs have the number of another job',
      async () => {
        putJob(q(), 'a', { seq: 1 });
        putJob(q(), 'b', { seq: 1 });
      },
    ],
  ])('with %s ends with %i', async (_what, expected, said, make) => {
    await homeQueue(q(), 'sequence');
    await make();
    const { stdout, status } = await run(['status', q()]);
    expect(stdout).toContain(said);
    expect(status).toBe(expected);
  });

  it('with a failed job ends with 5', async () => {
    const queue = await homeQueue(q(), 'sequence');
    await addNamed(queue, 'x');
    await failNext(queue, 'no', 'hold');
    const { stdout, status } = await run(['status', q()]);
    expect(stdout).toContain('1 job has failed and holds up what comes after');
    expect(status).toBe(5);
  });

  it('has one line for each of many, and finds those in a directory', async () => {
    await homeQueue(temporary.path('alpha'));
    const beta = await homeQueue(temporary.path('beta'));
    await addNamed(beta, 'x');
    await pause(realMachine, temporary.path('beta'));
    mkdirSync(temporary.path('no-queue'));
    const { stdout } = await run(['status', temporary.path()]);
    expect(
      stdout
        .split('\n')
        .slice(1, 3)
        .map((line) => line.split(/ {2,}/).slice(0, 2)),
    ).toEqual([
      [temporary.path('alpha'), '0'],
      [temporary.path('beta'), '1'],
    ]);
    expect(stdout).toMatch(/paused$/m);
    const { stderr, status } = await run(['status', temporary.path('no-queue')]);
    expect(stderr).toContain('it is not a queue');
    expect(status).toBe(1);
  });

  it('in JSON has these fields', async () => {
    const queue = await homeQueue(q());
    await addNamed(queue, 'x', { lane: 'alice' });
    const session = await queue.join();
    await claimFrom(session);
    const { stdout } = await run(['status', '--json', q()]);
    await session.close();
    const time = expect.stringMatching(/^20.*Z$/);
    expect(JSON.parse(stdout)).toEqual({
      queues: [
        {
          queue: q(),
          taken: time,
          layout: 'filespooler',
          kind: 'home',
          order: 'free',
          paused: false,
          counts: {
            waiting: 0,
            ready: 0,
            delayed: 0,
            held: 0,
            behind: 0,
            gap: 0,
            duplicate: 0,
            past: 0,
            stuck: 0,
            lanesFailed: 0,
            running: 1,
            failed: 0,
            done: 0,
            unreadable: 0,
          },
          oldest: null,
          lanes: [{ lane: 'alice', next: '1', waiting: 0, running: 1, missing: null }],
          workers: [
            {
              name: expect.any(String),
              life: 'alive',
              host: realMachine.host.name,
              pid: process.pid,
              started: time,
              heard: time,
              jobs: 1,
            },
          ],
          alone: null,
          unreadable: [],
          damage: [],
          litter: [],
          troubles: [],
        },
      ],
    });
  });
});

describe('one job', () => {
  it.each(['explain', 'show', 'cat', 'log'])('at a time is what %s takes', async (name) => {
    await homeQueue(q());
    expect(await run([name, q(), 'abcd', 'efgh'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('one argument too many'),
    });
    expect(await run([name, q()])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(`intray ${name} [OPTIONS] DIR JOB\n`),
    });
  });

  it('is explained with what to type', async () => {
    const id = await addNamed(await homeQueue(q()), 'x', { notBefore: new Date('2099-01-01') });
    const { stdout } = await run(['explain', q(), id.slice(0, 6)]);
    expect(stdout).toContain(`What to do: \`intray retry ${q()} ${id}\` makes it due now.\n`);
    const json = JSON.parse((await run(['explain', '--json', q(), id])).stdout);
    expect(json).toEqual({
      queue: q(),
      id,
      cause: 'delayed',
      sentence: expect.any(String),
      advice: expect.stringContaining('intray retry'),
    });
  });

  it('is explained with names as a shell takes them', async () => {
    const path = temporary.path('JOB of DIR');
    const queue = await homeQueue(path);
    await addNamed(queue, 'x', { lane: 'a $b' });
    const id = await failNext(queue, 'no', 'hold');
    const { stdout } = await run(['explain', path, id]);
    expect(stdout).toContain(
      `\`intray retry '${path}' ${id}\` runs it again, \`intray skip '${path}' --lane 'a $b'\` goes on`,
    );
  });

  it('is shown with all it brings', async () => {
    const queue = await homeQueue(q());
    const id = await addNamed(queue, '--level', { env: { COLOUR: 'blue' }, name: 'nightly', priority: 7 });
    const { stdout } = await run(['show', q(), id]);
    for (const line of [
      'name       nightly',
      'priority   7',
      'param      --level',
      'env        COLOUR=blue',
    ]) {
      expect(stdout).toContain(`${line}\n`);
    }
    expect(JSON.parse((await run(['show', '--json', q(), id])).stdout)).toMatchObject({
      id,
      state: 'ready',
      params: ['--level'],
      name: 'nightly',
      env: expect.arrayContaining([['COLOUR', 'blue']]),
      runs: [],
    });
  });

  it('is written out byte by byte', async () => {
    const payload = Uint8Array.from({ length: 100_000 }, (_, n) => n % 127);
    const id = (await (await homeQueue(q())).add({ payload })).id;
    expect((await run(['cat', q(), id])).stdout).toBe(Buffer.from(payload).toString('latin1'));
    rmSync(q('jobs', fileOf(q(), id)));
    expect(await run(['cat', q(), id])).toMatchObject({ status: 1, stdout: '' });
  });

  it('that is damaged is not written out', async () => {
    await homeQueue(q());
    writeFileSync(q('jobs/fspl-torn.fspl'), '*FILESPOOLER and no more');
    expect(await run(['cat', q(), 'torn'])).toMatchObject({ status: 6, stdout: '' });
  });

  it('has a log of its runs and what they said', async () => {
    const queue = await homeQueue(q());
    await addNamed(queue, 'x');
    const id = await failNext(queue, 'exit code 7');
    const { stdout } = await run(['log', q(), id]);
    expect(stdout).toMatch(
      /^Attempt 1 failed for good: exit code 7 \(from .* to .*, worker .*\)\n-- stderr:\nit went wrong\n$/,
    );
    expect(JSON.parse((await run(['log', '--json', q(), id])).stdout)).toMatchObject({
      id,
      runs: [
        {
          attempt: 1,
          outcome: 'failed',
          reason: 'exit code 7',
          output: [{ kind: 'stderr', text: 'it went wrong\n' }],
        },
      ],
      running: null,
    });
  });
});

describe('text of others', () => {
  it.each([
    ['plain', 'plain'],
    ['naïve 日本 🎉', 'naïve 日本 🎉'],
    ['a\tb\r\n', 'a\\tb\\r\\n'],
    ['\u001b]0;title\u0007', '\\x1b]0;title\\x07'],
    ['\udc80', '\\x80'],
    ['a\u202eb', 'a\\u202eb'],
  ])('%j is shown as %s', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('is measured and cut in columns', () => {
    expect(columnsOf('日本')).toBe(4);
    expect(cutTo(4, '日本語')).toBe('日…');
    expect(cutTo(3, 'abc')).toBe('abc');
    expect(columnsOf('e\u0301')).toBe(1);
  });
});
