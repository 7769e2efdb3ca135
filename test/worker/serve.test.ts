import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { realMachine } from '../../src/os/real/index.ts';
import type { NewJob, Queue } from '../../src/queue/contract.ts';
import { parseJobName } from '../../src/spool/home/job-name.ts';
import type { CommandHandler, Handler } from '../../src/worker/handler.ts';
import { type RunEnd, type ServeOptions, serveQueues } from '../../src/worker/serve.ts';
import { notedPid } from '../support/commands.ts';
import { homeQueue, namesIn, param, runsOf } from '../support/home.ts';
import { packet } from '../support/packets.ts';
import { eventually, isRunning, useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
let queue: Queue;

beforeEach(async () => {
  queue = await homeQueue(temporary.path('queue'));
});

const script = (text: string): CommandHandler => ({ program: '/bin/sh', args: ['-c', text] });
const soon = { firstMs: 1, factor: 1 };
const serve = (handler: Handler | CommandHandler, options: ServeOptions = {}) =>
  serveQueues(realMachine, [queue], handler, options);
const logOf = (id: string, attempt: number, kind: 'out' | 'err') =>
  readFileSync(`${queue.location}/log/${id}.${attempt}.${kind}`, 'utf8');

async function add(job: NewJob = {}): Promise<string> {
  return (await queue.add(job)).id;
}

describe('a command', () => {
  it('gets the payload, the variables of the job, and nothing of our locks', async () => {
    const id = await add({ payload: 'text', env: { FOO: 'bar' }, lane: 'a' });
    const out = temporary.path('out');
    const report = await serve(
      script(
        `{ cat; echo " $FSPL_SET_FOO $INTRAY_LANE $INTRAY_ATTEMPT $INTRAY_JOB"; readlink /proc/$$/fd/* || true; } > ${out}`,
      ),
    );
    expect(report.counts.succeeded).toBe(1);
    const [first, ...open] = readFileSync(out, 'utf8').trim().split('\n');
    expect(first).toBe(`text bar a 1 ${id}`);
    expect(open.filter((path) => path.includes('/worker') || path.includes('nextseq.lock'))).toEqual([]);
  });

  it('that fails has failed for good, with all that it said', async () => {
    const id = await add();
    const ends: RunEnd[] = [];
    const report = await serve(script('echo out; echo err >&2; exit 3'), {
      onEnded: (_, __, end) => void ends.push(end),
    });
    expect(report.counts).toMatchObject({ failed: 1 });
    expect(ends).toEqual([{ ran: 'failed', attempt: 1, reason: 'it ended with exit code 3' }]);
    expect([logOf(id, 1, 'out'), logOf(id, 1, 'err')]).toEqual(['out\n', 'err\n']);
    expect(runsOf(queue, id)).toMatchObject([
      { outcome: 'failed', reason: 'it ended with exit code 3', exit: { kind: 'exited', code: 3 } },
    ]);
    expect(namesIn(queue, 'failed')).toHaveLength(1);
  });

  it('is tried again as often as it may be, each run with its own output', async () => {
    const id = await add();
    const ends: RunEnd[] = [];
    const report = await serve(script('echo "run $INTRAY_ATTEMPT"; exit 1'), {
      retries: 2,
      backoff: soon,
      onEnded: (_, __, end) => void ends.push(end),
    });
    expect(report.counts).toMatchObject({ again: 2, failed: 1, succeeded: 0 });
    expect(ends.map(({ ran, attempt }) => [ran, attempt])).toEqual([
      ['again', 1],
      ['again', 2],
      ['failed', 3],
    ]);
    expect([1, 2, 3].map((attempt) => logOf(id, attempt, 'out'))).toEqual(['run 1\n', 'run 2\n', 'run 3\n']);
    expect(runsOf(queue, id).map(({ outcome }) => outcome)).toEqual(['retry', 'retry', 'failed']);
  });

  it('waits before it is tried again', async () => {
    await add();
    const begun = performance.now();
    await serve(script('[ $INTRAY_ATTEMPT = 2 ]'), { retries: 1, backoff: { firstMs: 200 } });
    expect(performance.now() - begun).toBeGreaterThanOrEqual(180);
  });

  it('that takes too long is killed, and has failed', async () => {
    const id = await add();
    await serve({ ...script('exec sleep 1000'), timeoutMs: 50 });
    expect(runsOf(queue, id)[0]?.reason).toBe('it ran longer than 0.05 s');
  });

  it('that succeeds keeps nothing of what it said, unless asked to', async () => {
    await add();
    await serve(script('echo out'));
    expect(namesIn(queue, 'log')).toEqual([]);
    const id = await add();
    await serve(script('echo out'), { keepSucceeded: true });
    expect(logOf(id, 1, 'out')).toBe('out\n');
    expect(namesIn(queue, 'done')).toHaveLength(1);
  });

  it('that cannot be started ends everything, and the job stays', async () => {
    await add();
    const before = namesIn(queue, 'jobs');
    await expect(serve({ program: temporary.path('missing') })).rejects.toMatchObject({
      code: 'command-not-started',
    });
    expect(namesIn(queue, 'jobs')).toEqual(before);
    expect(namesIn(queue, 'log')).toEqual([]);
  });

  it('that is stopped after the grace time is ended with all it started, and given back', async () => {
    const id = await add();
    const before = namesIn(queue, 'jobs');
    const stop = new AbortController();
    const pids = [temporary.path('leader'), temporary.path('child')];
    const done = serve(script(`sleep 1000 & echo $! > ${pids[1]}; echo $$ > ${pids[0]}; wait`), {
      signal: stop.signal,
      graceMs: 20,
      keepWaiting: true,
    });
    const running = await Promise.all(pids.map(notedPid));
    stop.abort();
    expect(await done).toMatchObject({ ended: 'stopped', counts: { 'given-back': 1 } });
    await eventually(() => expect(running.filter(isRunning)).toEqual([]));
    expect(namesIn(queue, 'jobs')).toEqual(before);
    expect(existsSync(`${queue.location}/log/${id}.jsonl`)).toBe(false);
  });

  it('is not run for jobs that ask for nothing, or for failure', async () => {
    for (const kind of ['nop', 'fail'] as const) {
      writeFileSync(`${queue.location}/jobs/fspl-${kind}.fspl`, packet({ seq: 1, work: { kind } }));
    }
    const report = await serve(script(`touch ${temporary.path('ran')}`));
    expect(report.counts).toMatchObject({ succeeded: 1, failed: 1 });
    expect(existsSync(temporary.path('ran'))).toBe(false);
    expect(namesIn(queue, 'failed').map((name) => parseJobName(name)?.stem)).toEqual(['fail']);
  });
});

describe("exit codes as qmail's", () => {
  it('100 is failure for good, however many retries there are', async () => {
    await add();
    const report = await serve(script('exit 100'), { retries: 5, backoff: soon, exitCodes: 'qmail' });
    expect(report.counts).toMatchObject({ failed: 1, again: 0 });
  });

  it('111 is tried again, however often', async () => {
    const id = await add();
    const report = await serve(script('[ $INTRAY_ATTEMPT = 12 ] || exit 111'), {
      backoff: soon,
      exitCodes: 'qmail',
    });
    expect(report.counts).toMatchObject({ succeeded: 1, again: 11, failed: 0 });
    expect(runsOf(queue, id)).toHaveLength(12);
  });

  it.each([
    [4, 1],
    [5, 0],
  ])('a job whose last %i starts killed its worker is started %i more times', async (deaths, started) => {
    const lines = Array.from({ length: deaths }, (_, n) =>
      JSON.stringify({ attempt: n + 1, outcome: 'died' }),
    );
    writeFileSync(`${queue.location}/log/stem.jsonl`, `${lines.join('\n')}\n`);
    const name = `fspl-50.1763728496123.0.${deaths}.1..stem.fspl`;
    writeFileSync(`${queue.location}/jobs/${name}`, packet({ seq: 1 }));
    const report = await serve(script('exit 0'), { exitCodes: 'qmail' });
    expect(report.counts.succeeded).toBe(started);
    expect(namesIn(queue, 'failed')).toHaveLength(1 - started);
  });

  it('any other is failure that counts', async () => {
    await add();
    const report = await serve(script('exit 112'), { retries: 1, backoff: soon, exitCodes: 'qmail' });
    expect(report.counts).toMatchObject({ failed: 1, again: 1 });
  });

  it.each([100, 111])('mean nothing when not asked for: %i', async (code) => {
    await add();
    const report = await serve(script(`exit ${code}`), { retries: 1, backoff: soon });
    expect(report.counts).toMatchObject({ failed: 1, again: 1 });
  });
});

describe('a function', () => {
  it('is given the job and its payload', async () => {
    await add({ params: ['p'], payload: 'text' });
    const seen: string[] = [];
    const report = await serve(async (job, payload) => {
      seen.push(param({ job }), await payload.text());
    });
    expect([seen, report.counts.succeeded]).toEqual([['p', 'text'], 1]);
  });

  it('that throws is tried again, then has failed for that reason', async () => {
    const id = await add();
    await serve(
      () => {
        throw new Error('no luck');
      },
      { retries: 1, backoff: soon },
    );
    expect(runsOf(queue, id).map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ['retry', 'no luck'],
      ['failed', 'no luck'],
    ]);
  });

  it('that gives up because it is told to stop gives the job back', async () => {
    await add();
    const stop = new AbortController();
    const report = await serve(
      async (_, __, signal) => {
        stop.abort();
        await eventually(() => expect(signal.aborted).toBe(true));
        signal.throwIfAborted();
      },
      { signal: stop.signal, graceMs: 10 },
    );
    expect(report.counts).toMatchObject({ 'given-back': 1 });
    expect((await queue.jobs()).jobs).toHaveLength(1);
  });
});

it('tells of starts, ends and files that cannot be read', async () => {
  const id = await add();
  writeFileSync(`${queue.location}/jobs/fspl-junk.fspl`, 'junk');
  const told: unknown[] = [];
  await serve(() => {}, {
    onStarted: (job, _, attempt) => void told.push(['start', job.id, attempt]),
    onEnded: (job, _, { ran, attempt }) => void told.push(['end', job.id, ran, attempt]),
    onUnreadable: (_, files) => void told.push(files.map(({ path }) => path)),
  });
  const junk = [`${queue.location}/jobs/fspl-junk.fspl`];
  expect(told).toContainEqual(junk);
  expect(told.filter((one) => JSON.stringify(one) !== JSON.stringify(junk))).toEqual([
    ['start', id, 1],
    ['end', id, 'succeeded', 1],
  ]);
});

it('ends with the trouble of a queue, unless somebody wants to be told', async () => {
  await add();
  writeFileSync(`${queue.location}/settings.json`, '{');
  await expect(serve(() => {})).rejects.toMatchObject({ code: 'settings-damaged' });
  const told: unknown[] = [];
  await serve(() => {}, { onTrouble: (_, error) => void told.push(error) });
  expect(told).toMatchObject([{ code: 'settings-damaged' }]);
});

it.each([
  ['concurrency', -1],
  ['retries', Number.NaN],
  ['graceMs', -5],
  ['maxJobs', Number.POSITIVE_INFINITY],
])('refuses %s of %d', async (name, value) => {
  await expect(serve(() => {}, { [name]: value })).rejects.toThrow(
    `Expected \`${name}\` to be a number from 0`,
  );
});
