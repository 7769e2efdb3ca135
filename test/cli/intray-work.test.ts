/** `intray work`: what it runs, what it says, how it ends. */

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually, exitOf } from '../support/fspl.ts';
import { INTRAY, INTRAY_VARIANTS, type IntrayCli, intrayCli, jsonLines } from '../support/intray-cli.ts';
import { isRunning } from '../support/temporary.ts';

/** A queue with a job for each of these payloads. */
function queueOf(cli: IntrayCli, payloads: readonly string[], name = 'q', ...options: string[]): void {
  expect(cli.run(['init', name]).status).toBe(0);
  const input = payloads.map((payload) => `${payload}\n`).join('');
  if (payloads.length > 0)
    expect(cli.run(['add', name, '--each-line', ...options], { input }).status).toBe(0);
}

/** Waits for the command of each job to have noted its process in `pids`. */
async function pidsIn(cli: IntrayCli, count: number): Promise<number[]> {
  const file = join(cli.dir, 'pids');
  return eventually(() => {
    const pids = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
    return pids.length === count && pids.map(Number);
  }, `${count} jobs that run`);
}

const UNTIL_GO = 'echo $$ >> pids; until [ -e go ]; do sleep 0.02; done';
const RUNS_LONG = 'echo $$ >> pids; exec sleep 1000';

describe.each(INTRAY_VARIANTS)('intray work with %s', (_name, program, first) => {
  it('runs the command for each job, in silence, and then has nothing to do', () => {
    const cli = intrayCli(program, first);
    queueOf(cli, ['a', 'b', 'c']);
    const work = ['work', 'q', '--', 'sh', '-c', 'cat >> out; echo said'];
    expect(cli.run(work)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(cli.read('out')).toBe('a\nb\nc\n');
    expect(cli.run(work)).toEqual({ status: 3, stdout: '', stderr: '' });
    for (const room of ['jobs', 'failed', 'done', 'log', 'work']) expect(cli.list(`q/${room}`)).toEqual([]);
  });

  it('runs so many at once', () => {
    const cli = intrayCli(program, first);
    queueOf(cli, ['1', '2', '3']);
    // Each waits until it sees all three.
    const meet =
      'read n; touch here.$n; until [ -e here.1 ] && [ -e here.2 ] && [ -e here.3 ]; do sleep 0.02; done';
    expect(cli.run(['work', 'q', '-j3', '--timeout', '20s', '--', 'sh', '-c', meet])).toMatchObject({
      status: 0,
      stderr: '',
    });
  });

  it('says in a sentence what failed, with its last lines, and where the rest is', () => {
    const cli = intrayCli(program, first);
    queueOf(cli, ['a']);
    const { status, stdout, stderr } = cli.run([
      'work',
      'q',
      '--',
      'sh',
      '-c',
      'seq 9 >&2; echo out; exit 3',
    ]);
    expect({ status, stdout }).toEqual({ status: 5, stdout: '' });
    const [log = ''] = cli.list('q/log').filter((name) => name.endsWith('.err'));
    const id = log.replace('.1.err', '');
    expect(stderr).toBe(
      `intray: error: q: job ${id} failed: it ended with exit code 3\n` +
        `    5\n    6\n    7\n    8\n    9\n  All that it said: q/log/${log} and q/log/${id}.1.out\n`,
    );
    expect(cli.list('q/failed')).toHaveLength(1);
  });

  it('gives running jobs their time when told to stop, starts no more, and dies of the signal', async () => {
    const cli = intrayCli(program, first);
    queueOf(cli, ['a', 'b', 'c']);
    const script = 'echo $$ >> pids; until [ -e go ]; do sleep 0.02; done; cat >> out';
    const worker = cli.start(['work', 'q', '-j2', '--', 'sh', '-c', script]);
    const said = gather(worker);
    await pidsIn(cli, 2);
    worker.kill('SIGTERM');
    await eventually(
      () => said.text.includes('stopping: 2 jobs are running and have 10s to finish'),
      'the word',
    );
    writeFileSync(join(cli.dir, 'go'), '');
    expect(await exitOf(worker)).toEqual({ code: null, signal: 'SIGTERM' });
    expect(cli.read('out').split('\n').sort()).toEqual(['', 'a', 'b']);
    expect(cli.list('q/jobs')).toHaveLength(1);
    expect(cli.list('q/work')).toEqual([]);
  });

  it('ends them when the time is over, and puts them back as if they had not been started', async () => {
    const cli = intrayCli(program, first);
    queueOf(cli, ['a', 'b']);
    const before = cli.list('q/jobs');
    const worker = cli.start(['work', 'q', '-j2', '--grace', '100ms', '--', 'sh', '-c', RUNS_LONG]);
    const pids = await pidsIn(cli, 2);
    worker.kill('SIGINT');
    expect(await exitOf(worker)).toEqual({ code: null, signal: 'SIGINT' });
    expect(pids.filter(isRunning)).toEqual([]);
    expect(cli.list('q/jobs')).toEqual(before);
  });

  it('ends at once when told twice; nothing is left running, and the jobs come back', async () => {
    const cli = intrayCli(program, first);
    queueOf(cli, ['a', 'b']);
    const worker = cli.start(['work', 'q', '-j2', '--grace', '1000s', '--', 'sh', '-c', RUNS_LONG]);
    const said = gather(worker);
    const pids = await pidsIn(cli, 2);
    worker.kill('SIGTERM');
    await eventually(() => said.text.includes('stopping'), 'the word');
    worker.kill('SIGTERM');
    expect(await exitOf(worker)).toEqual({ code: null, signal: 'SIGTERM' });
    await eventually(() => pids.filter(isRunning).length === 0, 'the watchdogs');
    const next = await eventually(() => {
      const { stdout } = cli.run(['work', 'q', '-o', 'inherit', '--', 'cat']);
      return stdout !== '' && stdout;
    }, 'the jobs to come back');
    expect(next).toBe('a\nb\n');
  });
});

function gather(child: ReturnType<IntrayCli['start']>): { text: string; lines: string } {
  const said = { text: '', lines: '' };
  child.stderr?.on('data', (chunk: Buffer) => {
    said.text += chunk.toString();
  });
  child.stdout?.on('data', (chunk: Buffer) => {
    said.lines += chunk.toString();
  });
  return said;
}

describe('a job that fails', () => {
  it('is run again so often, each time said, and has failed then', () => {
    const cli = intrayCli();
    queueOf(cli, ['a']);
    const { status, stderr } = cli.run([
      'work',
      'q',
      '-r2',
      '--backoff',
      '10ms',
      '--',
      'sh',
      '-c',
      'echo x >> runs; exit 1',
    ]);
    expect(status).toBe(5);
    expect(cli.read('runs')).toBe('x\nx\nx\n');
    const sentences = stderr.match(/failed: it ended.*/g);
    expect(sentences).toEqual([
      'failed: it ended with exit code 1; it will be tried again (retry 1 of 2)',
      'failed: it ended with exit code 1; it will be tried again (retry 2 of 2)',
      'failed: it ended with exit code 1',
    ]);
  });

  it('and succeeds at last is all well', () => {
    const cli = intrayCli();
    queueOf(cli, ['a']);
    const script = 'echo x >> runs; [ $(wc -l < runs) = 3 ]';
    expect(cli.run(['work', 'q', '-r5', '--backoff', '10ms', '--', 'sh', '-c', script]).status).toBe(0);
    expect(cli.list('q/jobs')).toEqual([]);
  });

  it('with qmail exit codes says itself whether to try again', () => {
    const cli = intrayCli();
    queueOf(cli, ['a']);
    const script = 'echo x >> runs; [ $(wc -l < runs) = 3 ] && exit 100; exit 111';
    const { status } = cli.run([
      'work',
      'q',
      '--exit-codes',
      'qmail',
      '--backoff',
      '10ms',
      '--',
      'sh',
      '-c',
      script,
    ]);
    expect(status).toBe(5);
    expect(cli.read('runs')).toBe('x\nx\nx\n');
  });

  it('for its time is killed with all it started', () => {
    const cli = intrayCli();
    queueOf(cli, ['a']);
    const { status, stderr } = cli.run([
      'work',
      'q',
      '-t',
      '200ms',
      '--',
      'sh',
      '-c',
      `(${RUNS_LONG}) & wait`,
    ]);
    expect(status).toBe(5);
    expect(stderr).toContain('it ran longer than 0.2 s');
    expect(Number(cli.read('pids'))).toBeGreaterThan(0);
    expect(isRunning(Number(cli.read('pids')))).toBe(false);
  });

  it('holds its lane, skips or drops it, as asked', () => {
    for (const [action, out, status] of [
      ['hold', '', 5],
      ['skip', 'b\n', 5],
      ['drop', 'b\n', 5],
    ] as const) {
      const cli = intrayCli();
      queueOf(cli, ['a', 'b'], 'q', '--lane', 'x');
      const script = 'read p; [ $p != a ] && echo $p >> out';
      const ended = cli.run(['work', 'q', '--blocked', action, '--', 'sh', '-c', script]);
      expect(ended.status).toBe(status);
      expect(cli.sh('cat out 2>/dev/null').stdout).toBe(out);
      expect(cli.list('q/failed')).toHaveLength(action === 'skip' ? 1 : 0);
    }
  });
});

describe('how it ends', () => {
  it.each<[string, string, number, RegExp]>([
    [
      'a number is missing',
      'fspl queue-init -q q; fspl prepare-set-next -s s 3; fspl prepare -s s | fspl queue-write -q q',
      4,
      /q: job 1 is missing; 1 job waits behind it, the first is job 3/,
    ],
    ['the queue is paused', 'intray init q; intray add q; touch q/paused', 9, /^$/],
    ['jobs are not due', 'intray init q; intray add q --delay 1h', 9, /^$/],
    [
      'a lane is held',
      'intray init q; intray add q -l x; intray add q -l x; intray work q -- false',
      9,
      /q: 2 jobs wait for a person/,
    ],
    [
      'something is no job',
      'intray init q; mkdir q/jobs/fspl-x.fspl',
      6,
      /q\/jobs\/fspl-x.fspl: it is a directory, not a job file; it was stepped over/,
    ],
    ['there is nothing', 'intray init q', 3, /^$/],
    ['it is no queue', 'mkdir q', 1, /Make a queue there with `intray init DIR`/],
    [
      'it is append-only',
      'fspl queue-init --append-only -q q; echo | fspl prepare -s s | fspl queue-write -q q',
      1,
      /append-only/,
    ],
  ])('when %s', (_what, line, status, said) => {
    const cli = intrayCli();
    cli.sh(line);
    const ended = cli.run(['work', 'q', '--', 'true']);
    expect(ended.stderr).toMatch(said);
    expect({ status: ended.status, stdout: ended.stdout }).toEqual({ status, stdout: '' });
  });

  it('when Filespooler works the queue alone: not at all, and other queues are worked', () => {
    const cli = intrayCli();
    cli.sh('fspl queue-init -q q; echo x | fspl prepare -s s -i - | fspl queue-write -q q');
    queueOf(cli, ['theirs'], 'r');
    const line = 'intray work q r -o inherit -- cat; echo $?';
    const { stdout, stderr } = cli.sh(`fspl queue-process -q q sh -- -c '${line}'`);
    expect(stdout).toBe('theirs\n7\n');
    expect(stderr).toContain('another process works this queue alone');
  });

  it('when the command cannot be started: at once, and no job is lost', () => {
    const cli = intrayCli();
    queueOf(cli, ['a', 'b']);
    const before = cli.list('q/jobs');
    const { status, stderr } = cli.run(['work', 'q', '--', 'no-such-command']);
    expect(status).toBe(1);
    expect(stderr).toContain('cannot start no-such-command: no such file or directory');
    expect(cli.list('q/jobs')).toEqual(before);
  });

  it('after so many jobs', () => {
    const cli = intrayCli();
    queueOf(cli, ['a', 'b', 'c']);
    expect(cli.run(['work', 'q', '-n2', '-o', 'inherit', '--', 'cat'])).toMatchObject({
      status: 0,
      stdout: 'a\nb\n',
    });
    expect(cli.list('q/jobs')).toHaveLength(1);
  });
});

describe('what a command gets', () => {
  it('is said when it does not get the arguments of its jobs, once', () => {
    const cli = intrayCli();
    cli.sh('intray init q; intray add q --no-payload -- x; intray add q --no-payload -- y');
    const { stdout, stderr } = cli.run(['work', 'q', '-o', 'inherit', '-n1', '--', 'echo']);
    expect(stdout).toBe('\n');
    expect(stderr).toContain('--allow-job-params adds them');
    expect(cli.run(['work', 'q', '-o', 'inherit', '--allow-job-params', '--', 'echo'])).toMatchObject({
      stdout: 'y\n',
      stderr: '',
    });
  });

  it('is decoded', () => {
    const cli = intrayCli();
    cli.sh('fspl queue-init -q q; echo packed | fspl prepare -s s -i - | gzip | fspl queue-write -q q');
    expect(cli.run(['work', 'q', '-d', 'zcat', '-o', 'inherit', '--', 'cat']).stdout).toBe('packed\n');
  });
});

describe('what is kept', () => {
  it('of jobs that are done, when asked', () => {
    const cli = intrayCli();
    queueOf(cli, ['a']);
    cli.run(['work', 'q', '--keep', '--', 'echo', 'said']);
    expect(cli.list('q/done')).toHaveLength(1);
    const [out = ''] = cli.list('q/log').filter((name) => name.endsWith('.out'));
    expect(cli.read(`q/log/${out}`)).toBe('said\n');
  });
});

describe('--json', () => {
  it('says each event in a line', () => {
    const cli = intrayCli();
    queueOf(cli, ['good', 'bad']);
    const { status, stdout } = cli.run([
      'work',
      'q',
      '--json',
      '--',
      'sh',
      '-c',
      'read p; echo $p; [ $p = good ]',
    ]);
    expect(status).toBe(5);
    const events = jsonLines(stdout);
    // A job may be settled while the next one has begun.
    const of = (kind: string) => events.filter(({ event }) => event === kind);
    expect(events).toHaveLength(5);
    expect(of('started')).toHaveLength(2);
    expect(of('succeeded')).toHaveLength(1);
    const [failed] = of('failed');
    expect(failed).toMatchObject({ queue: 'q', attempt: 1, reason: 'it ended with exit code 1' });
    expect([failed?.log].flat().map((path) => cli.read(String(path)))).toEqual(['bad\n']);
    expect(events[4]).toMatchObject({
      event: 'finished',
      because: 'idle',
      succeeded: 1,
      failed: 1,
      status: 5,
    });
    for (const { at } of events) expect(at).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  it('says why nothing runs', () => {
    const cli = intrayCli();
    cli.sh('fspl queue-init -q q; fspl prepare-set-next -s s 3; fspl prepare -s s | fspl queue-write -q q');
    const [finished] = jsonLines(cli.run(['work', 'q', '--json', '--', 'true']).stdout);
    expect(finished).toMatchObject({
      event: 'finished',
      status: 4,
      waiting: [{ queue: 'q', reason: 'gap', missing: '1', next: '3', waiting: 1 }],
    });
  });
});

describe('a directory of queues', () => {
  it('is worked as all its queues; those that come later too, and those that go are forgotten', async () => {
    const cli = intrayCli();
    mkdirSync(join(cli.dir, 'all/nothing'), { recursive: true });
    const worker = cli.start(['work', 'all', '--watch', '-o', 'inherit', '--', 'cat']);
    const said = gather(worker);
    queueOf(cli, ['one'], 'all/a');
    await eventually(() => said.lines === 'one\n', 'the first queue');
    queueOf(cli, ['two'], 'all/b');
    await eventually(() => said.lines === 'one\ntwo\n', 'the second queue');
    cli.sh('rm -r all/a');
    cli.sh('fspl queue-init --append-only -q all/only-added-to; echo three | intray add all/b');
    await eventually(() => said.lines === 'one\ntwo\nthree\n', 'more of the second');
    worker.kill('SIGTERM');
    expect(await exitOf(worker)).toEqual({ code: null, signal: 'SIGTERM' });
    expect(said.text).not.toContain('append-only');
  });

  it('without --watch has to have some', () => {
    const cli = intrayCli();
    mkdirSync(join(cli.dir, 'all'));
    expect(cli.run(['work', 'all', '--', 'cat']).status).toBe(1);
    queueOf(cli, ['one'], 'all/a');
    queueOf(cli, ['two'], 'all/b');
    const { status, stdout } = cli.run(['work', 'all/', '-o', 'inherit', '--', 'cat']);
    expect(status).toBe(0);
    expect(stdout.split('\n').sort()).toEqual(['', 'one', 'two']);
  });
});

describe('a queue that cannot be worked now', () => {
  it('is said once while it is waited for, and worked when it can be', async () => {
    const cli = intrayCli();
    cli.sh(
      'fspl queue-init -q q; for n in 1 2; do echo $n | fspl prepare -s s -i - | fspl queue-write -q q; done',
    );
    const theirs = cli.start(['fspl', 'queue-process', '-q', 'q', '-n', '1', 'sh', '--', '-c', UNTIL_GO]);
    await pidsIn(cli, 1);
    const worker = cli.start(['work', 'q', '--watch', '-o', 'inherit', '--', 'cat']);
    const said = gather(worker);
    await eventually(() => said.text.includes('It is tried again and again.'), 'the word');
    writeFileSync(join(cli.dir, 'go'), '');
    expect((await exitOf(theirs)).code).toBe(0);
    await eventually(() => said.lines === '2\n', 'the other job');
    worker.kill('SIGTERM');
    await exitOf(worker);
    expect(said.text.match(/works this queue alone/g)).toHaveLength(1);
  });
});

describe('at a terminal', () => {
  it('says how a job that failed is run again', () => {
    const cli = intrayCli();
    queueOf(cli, ['a']);
    const { stdout } = cli.sh(`NO_COLOR=1 TERM=xterm script -qec "${INTRAY} work q -- false" /dev/null`);
    const [, command = ''] = /To run it again: intray (retry q [0-9a-f]{8})\r/.exec(stdout) ?? [];
    expect(cli.run(command.split(' ')).status).toBe(0);
    expect(cli.run(['work', 'q', '-o', 'inherit', '--', 'cat']).stdout).toBe('a\n');
  });

  it('it shows how far it is, and sums up', async () => {
    const cli = intrayCli();
    queueOf(cli, ['a', 'b', 'c']);
    const script = 'until [ -e go ]; do sleep 0.02; done';
    const child = spawn('script', ['-qec', `${INTRAY} work q -j2 -- sh -c '${script}'`, '/dev/null'], {
      cwd: cli.dir,
      env: { ...process.env, TERM: 'xterm', NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let screen = '';
    child.stdout.on('data', (chunk: Buffer) => {
      screen += chunk.toString();
    });
    await eventually(() => screen.includes('0 done, 2 running, 1 waiting'), 'the line');
    writeFileSync(join(cli.dir, 'go'), '');
    expect((await exitOf(child)).code).toBe(0);
    expect(screen).toMatch(/3 jobs done, in \d/);
    expect(screen).toContain('--output inherit shows it');
  });
});

describe('what cannot be meant', () => {
  it.each([
    [['q'], 'COMMAND is missing: it comes after `--`'],
    [['q', 'cat'], 'COMMAND is missing: it comes after `--`'],
    [['q', 'tar', '-xf', '-'], 'there is no option `-x` here; what is meant for COMMAND goes after `--`'],
    [['q', '-j', '0', '--', 'true'], 'Expected `--jobs` to be a whole number from 1 to 10000, got "0"'],
    [['q', '--json', '-o', 'inherit', '--', 'true'], '`--json` and `--output inherit`'],
    [['q', '--backoff', '1s', '--', 'true'], 'there are none without `--retries`'],
    [['q', '--blocked-after', '1s', '--', 'true'], '`--blocked-after` says when'],
    [['q', '--timeout', 'soon', '--', 'true'], 'Expected `--timeout` to be a span of time'],
  ])('%j', (args, message) => {
    const { status, stderr } = intrayCli().run(['work', ...args]);
    expect(status).toBe(2);
    expect(stderr).toContain(message);
  });
});
