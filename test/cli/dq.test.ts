/** The commands of IPC::DirQueue, by their output and exit status. */

import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { filesIn, fixture } from '../support/dirqueues.ts';
import { INTRAY_VARIANTS, intrayCli } from '../support/intray-cli.ts';

describe.each(INTRAY_VARIANTS)('%s', (_, program, first) => {
  const cli = () => {
    const { dir, run } = intrayCli(program, first);
    return { dir, dq: (name: string, ...args: string[]) => run([name, ...args]) };
  };

  it('submits, lists, and does one job', () => {
    const { dir, dq } = cli();
    writeFileSync(`${dir}/a.txt`, 'alpha');
    expect(dq('dq-submit', '--dir', 'q', 'a.txt', 'a.txt')).toEqual({
      status: 0,
      stdout: 'enqueued: a.txt\nenqueued: a.txt\n',
      stderr: '',
    });
    expect(dq('dq-list', '--dir', 'q', '--count').stdout).toBe('Jobs: active: 0  queued: 2\n');
    expect(dq('dq-deque', '--dir', 'q', 'cat').stdout).toBe('alphafinished\n');
    expect(dq('dq-deque', '--dir', 'q', 'false')).toEqual({
      status: 0,
      stdout: 'finished\n',
      stderr: 'command failed: exit=1\n',
    });
    expect(dq('dq-deque', '--dir', 'q', 'cat')).toEqual({ status: 0, stdout: 'no jobs left\n', stderr: '' });
    expect(filesIn(`${dir}/q`)).toEqual([]);
  });

  it('serves so many jobs', () => {
    const { dir, dq } = cli();
    writeFileSync(`${dir}/a`, 'x');
    dq('dq-submit', '--dir', 'q', 'a', 'a', 'a');
    const { status, stdout, stderr } = dq(
      'dq-server',
      '--dir',
      'q',
      '--njobs',
      '2',
      'sh',
      '-c',
      'exit 3',
      'sh',
    );
    expect(stdout).toMatch(/^(running sh -c exit 3 sh q\/data\/.\/.\/50\.\S+\nfinished\n){2}$/);
    expect([status, stderr]).toEqual([0, 'command failed: exit=3\n'.repeat(2)]);
    expect(dq('dq-list', '--dir', 'q', '--count').stdout).toBe('Jobs: active: 0  queued: 1\n');
  });
});

const cli = () => {
  const { dir, run, read } = intrayCli();
  return { dir, read, dq: (name: string, ...args: string[]) => run([name, ...args]) };
};

it('lists what the original has made', () => {
  const { dir, dq } = cli();
  const path = fixture('basic', `${dir}/q`);
  const lock = `${path}/active/05.20261121014123341100.DNDk0`;
  writeFileSync(lock, 'far\n25659\n');
  const { stdout } = dq('dq-list', '--dir', 'q');
  const lines = stdout.split('\n');
  expect(lines.slice(0, 9)).toEqual([
    'Jobs: active: 1  queued: 25',
    'active:',
    '- ACTIVE 1: (pid: 25659@far)',
    '- 1: 05.20261121014123341100.DNDk0 (7 bytes)',
    '  Submitted: Sat Nov 21 01:41:23 2026 on vm',
    'queued:',
    '- 1: 50.20261121014123339608.DNDk0 (10 bytes)',
    '  Submitted: Sat Nov 21 01:41:23 2026 on vm',
    '- 2: 50.20261121014123341194.DNDk0 (0 bytes)',
  ]);
  writeFileSync(lock, '');
  expect(dq('dq-list', '--dir', 'q').stdout).toContain('- ACTIVE 1: (dead lockfile)\n');
  const json = JSON.parse(dq('dq-list', '--dir', 'q', '--json').stdout);
  expect(json).toMatchObject({ active: 1, queued: 25 });
  expect(json.jobs[0]).toEqual({
    id: '05.20261121014123341100.DNDk0',
    state: 'active',
    worker: null,
    bytes: 7,
    submitted: '2026-11-21T01:41:23Z',
    host: 'vm',
  });
  fixture('fanout', `${dir}/f`);
  expect(dq('dq-list', '--dir', 'f', '--fanout', '--count').stdout).toBe('Jobs: active: 0  queued: 10\n');
});

it('keeps failed jobs when told to, with metadata and priority in the environment', () => {
  const { dir, dq } = cli();
  writeFileSync(`${dir}/a`, 'x');
  const submitted = dq(
    'dq-submit',
    '--dir=q',
    '-meta',
    'to=alice',
    '--meta',
    'x y=1=2',
    '--prio',
    '7',
    '--json',
    'a',
  );
  const { file, id } = JSON.parse(submitted.stdout);
  expect([file, id.slice(0, 3)]).toEqual(['a', '07.']);
  const script = 'echo "$DQ_META_to $DQ_META_x_y $DQ_SIZE $DQ_ID"; exit 4';
  const kept = dq('dq-deque', '--dir', 'q', '--keep-failed', 'sh', '-c', script);
  expect(kept).toEqual({
    status: 1,
    stdout: `alice 1=2 1 ${id}\nfinished\n`,
    stderr: 'command failed: exit=4\n',
  });
  expect(readdirSync(`${dir}/q/intray/failed`)).toEqual([id]);
});

it('says as JSON what became of jobs', () => {
  const { dir, dq } = cli();
  writeFileSync(`${dir}/a`, 'x');
  dq('dq-submit', '--dir', 'q', 'a', 'a', 'a', 'a');
  const { stdout } = dq('dq-server', '--dir', 'q', '--njobs', '4', '--workers', '2', '--json', 'true');
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toHaveLength(4);
  for (const line of lines) expect(line).toMatchObject({ ok: true, kept: false, settled: 'settled' });
});

it('leaves a job where it is whose command cannot be started', () => {
  const { dir, dq } = cli();
  writeFileSync(`${dir}/a`, 'x');
  dq('dq-submit', '--dir', 'q', 'a');
  const { status, stdout, stderr } = dq('dq-deque', '--dir', 'q', './not-there');
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toContain('cannot start ./not-there');
  expect(dq('dq-list', '--dir', 'q', '--count').stdout).toBe('Jobs: active: 0  queued: 1\n');
});

it('adds the files that can be read, and says which cannot', () => {
  const { dir, dq } = cli();
  writeFileSync(`${dir}/a`, 'x');
  mkdirSync(`${dir}/d`);
  const { status, stdout, stderr } = dq('dq-submit', '--dir', 'q', 'nope', 'a', 'd');
  expect([status, stdout]).toEqual([1, 'enqueued: a\n']);
  expect(stderr).toMatch(/^dq-submit: nope: nope: no such file or directory\ndq-submit: d: .*directory/);
  expect(filesIn(`${dir}/q`)).toHaveLength(2);
});

it('adds many files at once, and tells of them and does them in their order', () => {
  const { dir, dq } = cli();
  const files = Array.from({ length: 40 }, (_, n) => `file-${n}`);
  for (const file of files) if (file !== 'file-20') writeFileSync(`${dir}/${file}`, `${file},`);
  const { status, stdout, stderr } = dq('dq-submit', '--dir', 'q', ...files);
  const added = files.filter((file) => file !== 'file-20');
  expect(stdout).toBe(added.map((file) => `enqueued: ${file}\n`).join(''));
  expect(stderr).toMatch(/^dq-submit: file-20: .*\n$/);
  expect(status).toBe(1);
  const done = dq('dq-server', '--dir', 'q', '--njobs', '39', 'cat').stdout.match(/file-\d+/g);
  expect(done).toEqual(added);
});

it('steps over what is damaged, says so, and leaves stale locks of others alone', () => {
  const { dir, dq } = cli();
  writeFileSync(`${dir}/a`, 'x');
  dq('dq-submit', '--dir', 'q', 'a');
  writeFileSync(`${dir}/q/queue/00.junk`, 'junk');
  writeFileSync(`${dir}/q/queue/00.held`, 'QDFN: data/a/b/c\nQDSB: 1\n');
  writeFileSync(`${dir}/q/active/00.held`, 'far\n1\n');
  utimesSync(`${dir}/q/active/00.held`, 0, 0);
  const { stdout } = dq('dq-server', '--dir', 'q', '--njobs', '1', 'true');
  expect(stdout).toMatch(/^running true .*\nfinished\n$/);
  expect(readdirSync(`${dir}/q/active`)).toEqual(['00.held']);
  expect(dq('dq-deque', '--dir', 'q', 'true').stderr).toContain('00.junk: it ends in the middle of a line');
});

it.each([
  ['dq-submit', [], '--dir DIR is missing'],
  ['dq-submit', ['--dir', 'q'], 'FILE... is missing'],
  [
    'dq-submit',
    ['--dir', 'q', '--priority', '100', 'a'],
    'Expected --priority to be a whole number from 0 to 99',
  ],
  ['dq-submit', ['--dir', 'q', '--meta', 'x', 'a'], 'Expected --meta to be NAME=VALUE, got "x"'],
  ['dq-deque', ['--dir', 'q'], 'COMMAND... is missing'],
  ['dq-server', ['--dir', 'q', '--njobs', '0', 'true'], 'Expected --njobs to be a whole number from 1'],
  ['dq-list', ['--dir', 'q', 'more'], '"more" is one argument too many'],
  ['dq-list', ['--dir'], '--dir needs a value: DIR'],
  ['dq-list', ['--nope'], 'there is no option --nope here'],
])('%s %j is a usage error', (name, args, message) => {
  const { dq } = cli();
  const { status, stdout, stderr } = dq(name, ...args);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain(`${name}: ${message}`);
  expect(stderr).toContain(`\nusage: ${name} --dir DIR`);
});

it('says what is no queue, and helps', () => {
  const { dq } = cli();
  expect(dq('dq-list', '--dir', 'q')).toMatchObject({ status: 1 });
  for (const name of ['dq-submit', 'dq-deque', 'dq-server', 'dq-list']) {
    const { status, stdout } = dq(name, '--help');
    expect([status, stdout]).toEqual([0, expect.stringContaining(`Examples:\n  ${name} --dir`)]);
  }
});
