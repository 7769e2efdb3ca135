/** `intray add`: payloads, what goes along, when it is to run, names, lines. */

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseJobName } from '../../src/spool/home/job-name.ts';
import { eventually, exitOf } from '../support/fspl.ts';
import { INTRAY, INTRAY_VARIANTS, type IntrayCli, intrayCli, jsonLines } from '../support/intray-cli.ts';

const ID = /^[0-9a-f-]{36}\n$/;

function made(program?: string, first?: readonly string[]): IntrayCli {
  const cli = intrayCli(program, first);
  expect(cli.run(['init', 'q']).status).toBe(0);
  return cli;
}

/** What the one job in the queue says of itself by its name. */
function only({ list }: IntrayCli) {
  const [name = '', ...more] = list('q/jobs');
  expect(more).toEqual([]);
  const job = parseJobName(name);
  if (job === undefined) throw new Error(`${name} says nothing`);
  return job;
}

/** What a command sees of the jobs that wait. */
const SEE = 'printf "%s|" "$FSPL_SET_A" "$FSPL_SET_B" "$@"; cat';
const see = ({ run }: IntrayCli) =>
  run(['work', 'q', '-o', 'inherit', '--allow-job-params', '--', 'sh', '-c', SEE, 'sh']);

describe.each(INTRAY_VARIANTS)('intray add with %s', (_name, program, first) => {
  it('takes what is piped in as the payload, and prints the id of the job', () => {
    const cli = made(program, first);
    const { status, stdout, stderr } = cli.run(['add', 'q'], { input: 'hello' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(ID);
    expect(only(cli).stem).toBe(stdout.trim());
    expect(see(cli).stdout).toBe('||hello');
  });

  it('sends arguments and variables along', () => {
    const cli = made(program, first);
    const args = ['add', 'q', '--env', 'A=1', '-e', 'B=x=y z', '--', '--level', '9 9'];
    expect(cli.run(args, { env: { FSPL_SET_A: 'of the environment', FSPL_SET_C: 'c' } }).status).toBe(0);
    expect(see(cli).stdout).toBe('1|x=y z|--level|9 9|');
  });

  it('adds a job for each line', () => {
    const cli = made(program, first);
    const input = `${Array.from({ length: 500 }, (_, n) => `line ${n}`).join('\n')}\n\n\nlast`;
    const { status, stdout } = cli.run(['add', 'q', '--each-line'], { input });
    expect(status).toBe(0);
    expect(new Set(stdout.trim().split('\n')).size).toBe(501);
    const { stdout: seen } = cli.run(['work', 'q', '-o', 'inherit', '--', 'cat']);
    expect(seen).toBe(input.replace('\n\n\n', '\n'));
  });
});

describe('the payload', () => {
  it('is a file, binary and all', () => {
    const cli = made();
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * 7) % 256));
    writeFileSync(join(cli.dir, 'file'), bytes);
    expect(cli.run(['add', 'q', '--input', 'file']).status).toBe(0);
    cli.run(['work', 'q', '--', 'sh', '-c', 'cat > copy']);
    expect(readFileSync(join(cli.dir, 'copy')).equals(bytes)).toBe(true);
  });

  it('is empty for /dev/null, an empty pipe and --no-payload, which leaves standard input alone', () => {
    const cli = made();
    expect(cli.sh('intray add q < /dev/null && printf "" | intray add q').status).toBe(0);
    const loop = cli.sh(
      'printf "a\\nb\\n" | while read -r line; do intray add q --no-payload -- "$line"; done',
    );
    expect(loop.stdout.trim().split('\n')).toHaveLength(2);
    expect(see(cli).stdout).toBe('||||||a|||b|');
  });

  it('is none at a terminal, which is said', () => {
    const cli = made();
    const { stdout } = cli.sh(`script -qec "${INTRAY} add q" /dev/null`);
    expect(stdout).toContain('nothing is piped in, so the job has no payload');
    expect(only(cli).attempts).toBe(0);
  });

  it('is refused when the program before died in the middle', async () => {
    const cli = made();
    const stuck = cli.sh(
      'mkfifo p; (fspl prepare -s s -i p & echo $! > pid; wait) | intray add q > out 2> err & ' +
        'exec 3> p; printf half >&3; while [ ! -s pid ]; do sleep 0.01; done; ' +
        // Whoever writes a packet marks its pipe until it is whole.
        'until [ "$(stat -Lc %a /proc/$(cat pid)/fd/1 2>/dev/null)" = 1600 ]; do sleep 0.01; done; ' +
        'kill -9 $(cat pid); exec 3>&-; wait; cat err',
    );
    expect(stuck.stdout).toContain('because the program that wrote it died in the middle');
    expect(cli.list('q/jobs')).toEqual([]);
  });

  it('that is itself a packet is taken as it is, which is said', () => {
    const cli = made();
    const { status, stderr } = cli.sh('echo x | fspl prepare -s s -i - | intray add q');
    expect(status).toBe(0);
    expect(stderr).toContain('intray fspl queue-write -q q');
  });

  it('of any size takes no memory', async () => {
    const cli = made();
    const source = spawn('head', ['-c', String(300 * 1024 * 1024), '/dev/zero'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const child = spawn(INTRAY, ['add', 'q'], { cwd: cli.dir, stdio: [source.stdout, 'pipe', 'inherit'] });
    let peak = 0;
    const timer = setInterval(() => {
      const status = readFileSync(`/proc/${child.pid}/status`, 'latin1');
      peak = Math.max(peak, Number(/VmHWM:\s*(\d+) kB/.exec(status)?.[1] ?? 0));
    }, 5);
    const { code } = await exitOf(child).finally(() => clearInterval(timer));
    expect(code).toBe(0);
    expect(peak).toBeGreaterThan(0);
    expect(peak).toBeLessThan(70 * 1024);
  });
});

describe('when it runs', () => {
  it.each([
    [['--delay', '10m'], 600_000],
    [['-d', '1h30m'], 5_400_000],
    [['--at', '2d'], 172_800_000],
  ])('%j: not before', (options, afterMs) => {
    const cli = made();
    cli.run(['add', 'q', ...options]);
    const { notBeforeMs, addedMs } = only(cli);
    expect(Math.abs(notBeforeMs - addedMs - afterMs)).toBeLessThan(2000);
    expect(cli.run(['work', 'q', '--', 'false']).status).toBe(9);
  });

  it('--at a time that is past is at once', () => {
    const cli = made();
    cli.run(['add', 'q', '--at', '2020-01-01T00:00:00Z'], { input: 'now' });
    expect(only(cli).notBeforeMs).toBe(Date.parse('2020-01-01T00:00:00Z'));
    expect(see(cli).stdout).toBe('||now');
  });

  it('--expires: not after', () => {
    const cli = made();
    cli.run(['add', 'q', '--expires', '2020-01-01'], { input: 'late' });
    expect(see(cli)).toMatchObject({ stdout: '' });
    expect(cli.list('q/failed')).toHaveLength(1);
  });

  it('by priority, and in its lane', () => {
    const cli = made();
    const add = (payload: string, ...options: string[]) =>
      cli.run(['add', 'q', ...options], { input: payload });
    add('usual ');
    add('last ', '-p', '99');
    add('first ', '--priority', '0');
    expect(see(cli).stdout).toBe('||first ||usual ||last ');
    add('one ', '--lane', 'alice');
    add('two ', '-l', 'alice', '-p', '0');
    expect(cli.list('q/lanes')).toContain('alice.added');
    expect(see(cli).stdout).toBe('||one ||two ');
  });
});

describe('a name', () => {
  it('is added once, also when its job is done', () => {
    const cli = made();
    const first = cli.run(['add', 'q', '--name', 'backup'], { input: 'x' });
    const second = cli.run(['add', 'q', '--name', 'backup'], { input: 'y' });
    expect(second).toMatchObject({ status: 0, stdout: first.stdout });
    expect(second.stderr).toContain('a job named backup was added before, so nothing was added');
    expect(see(cli).stdout).toBe('||x');
    const [third] = jsonLines(cli.run(['add', 'q', '-n', 'backup', '--json']).stdout);
    expect(third).toMatchObject({ queue: 'q', id: first.stdout.trim(), duplicate: true });
    expect(see(cli).status).toBe(3);
  });

  it('needs a queue that remembers names', () => {
    const cli = intrayCli();
    cli.sh('fspl queue-init -q q');
    for (const options of [
      ['--name', 'x'],
      ['--lane', 'x'],
    ]) {
      const { status, stderr } = cli.run(['add', 'q', ...options]);
      expect(status).toBe(1);
      expect(stderr).toContain('`intray init DIR` gives it what is missing');
    }
    expect(cli.list('q/jobs')).toEqual([]);
    expect(cli.run(['add', 'q']).status).toBe(0);
  });
});

describe('what a job asks for in its variables', () => {
  it('counts when they are set for it, as with prepare', () => {
    const cli = made();
    cli.run(['add', 'q'], { env: { FSPL_SET_INTRAY_LANE: 'alice' } });
    expect(only(cli)).toMatchObject({ lane: 'alice', seq: 1n });
  });

  it('is not passed on to a job that its command adds', () => {
    const cli = made();
    cli.run(['add', 'q', '--lane', 'alice', '--name', 'once', '--env', 'A=kept']);
    const script = 'intray add q --no-payload > added';
    expect(cli.sh(`intray work q -n 1 -- sh -c '${script}'`).stderr).toBe('');
    expect(only(cli)).toMatchObject({ lane: undefined });
    expect(see(cli)).toMatchObject({ status: 0, stdout: 'kept||' });
  });
});

describe('lines', () => {
  it('are added as they come, while the input goes on', async () => {
    const cli = made();
    const child = spawn(INTRAY, ['add', 'q', '--each-line', '--json'], {
      cwd: cli.dir,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.stdin.write('one\ntwo\nthr');
    await eventually(() => said.split('\n').length === 3, 'two ids');
    expect(cli.list('q/jobs').filter((name) => name.startsWith('fspl-'))).toHaveLength(2);
    child.stdin.end('ee');
    expect((await exitOf(child)).code).toBe(0);
    expect(jsonLines(said)).toHaveLength(3);
    expect(cli.run(['work', 'q', '-o', 'inherit', '--', 'cat']).stdout).toBe('one\ntwo\nthree');
  });

  it('that are none are nothing to do', () => {
    expect(made().run(['add', 'q', '--each-line'], { input: '\n\n' }).status).toBe(3);
  });
});

describe('what cannot be added', () => {
  it.each([
    [['--delay', '10'], 'Expected `--delay` to be a span of time such as 10s, 5m, 2h, 1d or 1h30m, got "10"'],
    [['--at', '25:00'], 'Expected `--at` to be a time such as 18:30'],
    [
      ['--priority', '100'],
      'Expected `--priority` to be a whole number from 0 (first) to 99 (last), got "100"',
    ],
    [['--env', 'NAME'], 'Expected `--env` to be NAME=VALUE, got "NAME"'],
    [['--env', 'INTRAY_ID=x'], 'INTRAY_ID is said by an option of its own'],
    [['--lane', ''], 'Expected `--lane` to be a name, got ""'],
    [['--delay', '1h', '--at', '18:30'], '`--delay` and `--at` exclude each other'],
    [['--no-payload', '--input', 'x'], '`--no-payload` and `--input` exclude each other'],
    [['--each-line', '--name', 'x'], '`--name` names one job'],
    [
      ['hello'],
      '"hello" is one argument too many; a file is sent with `--input`, arguments for the command go after `--`',
    ],
  ])('%j', (options, message) => {
    const cli = made();
    const { status, stderr } = cli.run(['add', 'q', ...options]);
    expect(status).toBe(2);
    expect(stderr).toContain(message);
    expect(cli.list('q/jobs')).toEqual([]);
  });

  it.each([
    [['--input', 'nowhere'], 'nowhere: no such file or directory'],
    [
      ['--input', 'directory'],
      'directory: it is a directory; pipe an archive of it in: tar -cf - directory | intray add',
    ],
  ])('%j, with nothing added', (options, message) => {
    const cli = made();
    mkdirSync(join(cli.dir, 'directory'));
    const { status, stderr } = cli.run(['add', 'q', ...options]);
    expect(status).toBe(1);
    expect(stderr).toContain(message);
    expect(cli.list('q/jobs')).toEqual([]);
  });

  it('to what is no queue', () => {
    const { status, stderr } = intrayCli().run(['add', 'nowhere']);
    expect(status).toBe(1);
    expect(stderr).toContain('Make a queue there with `intray init DIR`');
  });
});
