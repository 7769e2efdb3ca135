/** `intray relay`: what it understands, what it says, how it ends. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually, exitOf } from '../support/fspl.ts';
import { INTRAY_VARIANTS, type IntrayCli, intrayCli, jsonLines } from '../support/intray-cli.ts';

/** Two queues, the first with these jobs. */
function queuesOf(cli: IntrayCli, payloads: readonly string[], ...options: string[]): void {
  for (const queue of ['from', 'to']) expect(cli.run(['init', queue]).status).toBe(0);
  const input = payloads.map((payload) => `${payload}\n`).join('');
  if (payloads.length > 0)
    expect(cli.run(['add', 'from', '--each-line', ...options], { input }).status).toBe(0);
}

describe.each(INTRAY_VARIANTS)('intray relay with %s', (_, program, first) => {
  it('moves jobs, in silence, and then has nothing to do', () => {
    const cli = intrayCli(program, first);
    queuesOf(cli, ['a', 'b', 'c'], '--lane', 'l');
    expect(cli.run(['relay', 'from', 'to'])).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(cli.list('from/jobs')).toEqual([]);
    expect(cli.run(['relay', 'from', 'to', '--once'])).toEqual({ status: 3, stdout: '', stderr: '' });
    expect(cli.run(['work', 'to', '--output', 'inherit', '--', 'cat']).stdout).toBe('a\nb\nc\n');
  });

  it('tells each event as a line of JSON', () => {
    const cli = intrayCli(program, first);
    queuesOf(cli, ['a']);
    const { stdout } = cli.run(['relay', 'from', 'to', '--json']);
    const time = expect.stringMatching(/^\d{4}-.*Z$/);
    const id = expect.stringMatching(/^[0-9a-f-]{36}$/);
    expect(jsonLines(stdout)).toEqual([
      { at: time, event: 'moved', job: id, id, duplicate: false, bytes: 2 },
      {
        at: time,
        event: 'finished',
        moved: 1,
        refused: 0,
        bytes: 2,
        seconds: expect.any(Number),
        waiting: [],
        status: 0,
        meaning: 'done; all is well',
      },
    ]);
  });

  it('says what the target does not take', () => {
    const cli = intrayCli(program, first);
    queuesOf(cli, ['a'], '--lane', 'l');
    for (const name of ['queue', 'data', 'active']) mkdirSync(join(cli.dir, 'dq', name), { recursive: true });
    const { status, stderr } = cli.run(['relay', 'from', 'dq']);
    expect(status).toBe(5);
    expect(stderr).toMatch(
      /^intray: error: from: job \S+ was not taken: a queue of IPC::DirQueue has no lanes/,
    );
    expect(cli.run(['ls', 'from']).stdout).toContain('failed, holds');
  });

  it('says that an order is lost, where it is, and not where a lane keeps it', () => {
    const cli = intrayCli(program, first);
    for (const queue of ['from', 'same']) expect(cli.run(['init', queue, '--ordered']).status).toBe(0);
    expect(cli.run(['init', 'to']).status).toBe(0);
    expect(cli.run(['add', 'from', '--each-line'], { input: 'a\nb\nc\n' }).status).toBe(0);
    const said = (...words: string[]) => cli.run(['relay', 'from', ...words, '--max-jobs', '1']).stderr;
    expect(said('same')).toBe('');
    expect(said('to')).toContain('--lane NAME keeps it there too');
    expect(said('to', '--lane', 'l')).toBe('');
  });

  it('waits for more with --watch, gives back what it has not moved, and dies of the signal', async () => {
    const cli = intrayCli(program, first);
    queuesOf(cli, ['a']);
    const relay = cli.start(['relay', 'from', 'to', '--watch', '--max-waiting', '2']);
    await eventually(() => cli.list('to/jobs').length === 1, 'the first job');
    expect(cli.run(['add', 'from', '--each-line'], { input: 'b\nc\nd\n' }).status).toBe(0);
    await eventually(
      () => cli.list('to/jobs').filter((name) => name.endsWith('.fspl')).length === 2,
      'the second',
    );
    relay.kill('SIGTERM');
    expect(await exitOf(relay)).toEqual({ code: null, signal: 'SIGTERM' });
    expect(cli.list('to/jobs')).toHaveLength(2);
    expect(cli.list('from/jobs')).toHaveLength(2);
    expect(cli.list('from/work')).toEqual([]);
  });
});

describe('intray relay', () => {
  it.each([
    [['from'], 'TARGET is missing'],
    [['from', 'to', '--serve'], 'takes one queue'],
    [['from', '--give'], 'goes with `--serve`'],
    [['from', 'to', '--watch', '--once'], 'exclude each other'],
    [['from', '--serve', '--json'], 'has no place'],
    [['from', 'to', '--limit', 'fast'], 'Expected `--limit` to be a number of bytes a second'],
    [['from', 'to', '--leave-out', 'payload'], 'Expected `--leave-out` to be params, env'],
  ])('%j is not understood', (words, sentence) => {
    const { status, stderr } = intrayCli().run(['relay', ...words]);
    expect({ status, stderr }).toMatchObject({ status: 2, stderr: expect.stringContaining(sentence) });
  });

  it.each([
    [['from', 'from'], 'it is the queue that the jobs are in already'],
    [['from', 'nowhere'], 'nowhere: '],
    [['nowhere', 'to'], 'nowhere: '],
    [['ssh://a/b', 'ssh://c/d'], 'one of the two queues has to be on this machine'],
    [['from', 'ssh://-oProxyCommand=x/d'], 'Expected ssh://HOST/PATH'],
  ])('%j is refused', (words, sentence) => {
    const cli = intrayCli();
    queuesOf(cli, []);
    const { status, stderr } = cli.run(['relay', ...words]);
    expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringContaining(sentence) });
  });

  it('keeps to its limit', () => {
    const cli = intrayCli();
    queuesOf(cli, []);
    writeFileSync(join(cli.dir, 'big'), Buffer.alloc(600_000));
    expect(cli.run(['add', 'from', '--input', 'big']).status).toBe(0);
    const { stdout } = cli.run(['relay', 'from', 'to', '--limit', '300k', '--json']);
    // A quarter of a second may be had in advance.
    const [moved, finished] = jsonLines(stdout);
    expect(moved?.bytes).toBe(600_000);
    expect(finished?.seconds).toBeGreaterThanOrEqual(1);
  });
});
