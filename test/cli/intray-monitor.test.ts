import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { INTRAY_VARIANTS, intrayCli } from '../support/intray-cli.ts';
import { eventually } from '../support/temporary.ts';

describe.each(INTRAY_VARIANTS)('intray monitor as %s', (_name, program, first) => {
  const begin = () => {
    const cli = intrayCli(program, first);
    expect(cli.run(['monitor', 'init', 'jobs']).status).toBe(0);
    const jobs = (...names: string[]) => join(cli.dir, 'jobs', ...names);
    appendFileSync(
      jobs('config.txt'),
      `quiet seconds :: 0\njob say :: sh -c 'echo "$1"; exit "$2"' sh {WORDS} {CODE}\n`,
    );
    return { ...cli, jobs };
  };

  it('makes a root once', () => {
    const { run, jobs } = begin();
    expect(readdirSync(jobs())).toEqual([
      'archive',
      'config.txt',
      'currently-executing',
      'done-q',
      'error-q',
      'fail-q',
      'priority-q',
      'trash',
      'wait-q',
    ]);
    expect(readFileSync(jobs('fail-q/README'), 'utf8')).toContain('To run it again, mv it into wait-q');
    writeFileSync(jobs('wait-q/README'), 'ours');
    expect(run(['monitor', 'init', 'jobs/']).stdout).toContain('nothing was changed');
    expect(readFileSync(jobs('wait-q/README'), 'utf8')).toBe('ours');
    mkdirSync(jobs('..', 'other'));
    writeFileSync(jobs('..', 'other/file'), '');
    const refused = run(['monitor', 'init', 'other']);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('it is there already, is no simple-job-q, and is not empty');
  });

  it('submits files and items, and runs them', () => {
    const { run, jobs, dir } = begin();
    writeFileSync(join(dir, 'one.txt'), '==== UNIT OF WORK\nWORDS :: from a file\nCODE :: 0\n');
    expect(run(['monitor', 'submit', 'jobs', 'one.txt']).stdout).toBe('jobs/wait-q/one.txt\n');
    const items = ['-i', 'WORDS=from items', '--item', 'CODE=3'];
    expect(run(['monitor', 'submit', 'jobs', '--name', 'two', '--priority', ...items]).stdout).toBe(
      'jobs/priority-q/two\n',
    );
    expect(run(['monitor', 'submit', 'jobs', '--name', 'two', '--priority', ...items]).stdout).toBe(
      'jobs/priority-q/two.1\n',
    );
    expect(run(['monitor', 'status', 'jobs']).stdout).toMatch(
      /no Monitor works here\n\npriority-q \(2\)\n {2}two\n {2}two.1\n\nwait-q \(1\)\n {2}one.txt\n/,
    );
    const worked = run(['monitor', 'jobs', '--once']);
    expect(worked.status).toBe(5);
    expect(worked.stdout).toMatch(/two: started(.|\n)*two: error: exit code 3(.|\n)*one.txt: done/);
    expect(readFileSync(jobs('done-q/one.txt'), 'utf8')).toMatch(/from a file\n$/);
    expect(run(['monitor', 'jobs', '--once', '--quiet'])).toMatchObject({ status: 0, stdout: '' });
  });

  it('refuses what no Monitor would take', () => {
    const { run, dir } = begin();
    writeFileSync(join(dir, 'junk'), 'hello');
    expect(run(['monitor', 'submit', 'jobs', 'junk']).stderr).toContain('junk: line 1: Expected `timestamp');
    expect(run(['monitor', 'submit', 'jobs', '-n', 'readme', '-i', 'A=b']).stderr).toContain(
      'called like a README',
    );
    expect(run(['monitor', 'submit', 'jobs']).status).toBe(2);
    expect(run(['monitor', 'submit', 'jobs', '-i', 'A=b\nc']).status).toBe(2);
    expect(run(['monitor', 'say', 'jobs', 'RETRY']).status).toBe(2);
    expect(run(['monitor', 'nowhere', '--once']).status).toBe(1);
    writeFileSync(join(dir, 'jobs/config.txt'), 'job\n');
    const damaged = run(['monitor', 'jobs', '--once']);
    expect(damaged.status).toBe(6);
    expect(damaged.stderr).toContain('config.txt, line 1: Expected `NAME :: CONTENT`, got "job"');
  });

  it('answers, sends a second one away, and ends its job when it is told to stop', async () => {
    const { run, start, jobs } = begin();
    appendFileSync(jobs('config.txt'), 'job wait :: sleep 1000\n');
    const monitor = start(['monitor', 'jobs']);
    const said = (pattern: RegExp) =>
      eventually(() => expect(readFileSync(jobs('monitor_says'), 'utf8')).toMatch(pattern));
    await eventually(() => expect(existsSync(jobs('monitor_says'))).toBe(true));
    run(['monitor', 'submit', 'jobs', '-n', 'long', '-i', 'JOB=wait']);
    await said(/long: started/);
    expect(run(['monitor', 'say', 'jobs', 'status']).stdout).toContain('The Monitor reads it;');
    await said(/STATUS: long runs/);
    expect(run(['monitor', 'status', 'jobs']).stdout).toMatch(
      /currently-executing \(1\)\n {2}long {3}wait {3}running: wait, started(.|\n)*process \d+ on .* works it\n$/,
    );
    const second = run(['monitor', 'jobs', '--once']);
    expect(second.status).toBe(7);
    expect(second.stderr).toContain('another Monitor works here (process ');
    const ended = new Promise((resolve) => monitor.once('exit', (_code, signal) => resolve(signal)));
    monitor.kill('SIGTERM');
    expect(await ended).toBe('SIGTERM');
    expect(readFileSync(jobs('fail-q/long'), 'utf8')).toMatch(/^fail: ended by SHUTDOWN/m);
  });

  it('has help for each command', () => {
    const { run } = intrayCli(program, first);
    expect(run(['monitor', '--help']).stdout).toContain('Usage: intray monitor [OPTIONS] ROOT');
    expect(run(['monitor', 'submit', '--help']).stdout).toContain(
      'Usage: intray monitor submit [OPTIONS] ROOT [FILE...]',
    );
    expect(run(['help', 'monitor', 'say']).stdout).toContain('Usage: intray monitor say ROOT WORD...');
  });
});
