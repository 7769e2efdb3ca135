/** `intray work --on-fail`, `--webhook`: what is refused, what is told, and that a kill loses nothing. */

import { once } from 'node:events';
import { existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { INTRAY_VARIANTS, intrayCli, jsonLines } from '../support/intray-cli.ts';
import { useReceivers } from '../support/receiver.ts';
import { eventually, useTemporary } from '../support/temporary.ts';

useTemporary();
const receiver = useReceivers();

/** A queue with one job. */
function queueOf(program: string, first: readonly string[], name = 'q') {
  const cli = intrayCli(program, first);
  expect(cli.run(['init', name]).status).toBe(0);
  expect(cli.run(['add', name, '--no-payload']).status).toBe(0);
  return cli;
}

describe.each(INTRAY_VARIANTS)('intray work with %s', (_name, program, first) => {
  it('runs a command for a job that has failed, from a queue beside its own that nobody works by mistake', () => {
    const cli = queueOf(program, first);
    const line = 'echo "$INTRAY_QUEUE: $INTRAY_REASON: $INTRAY_OUTPUT" > told';
    const failing = ['--', 'sh', '-c', 'echo oh dear; exit 4'];
    expect(cli.run(['work', 'q', '--on-fail', line, ...failing]).status).toBe(5);
    expect(cli.read('told')).toBe(
      `${realpathSync(join(cli.dir, 'q'))}: it ended with exit code 4: oh dear\n`,
    );
    expect(cli.list('.q.notices/jobs')).toEqual([]);
    expect(cli.run(['work', '.', '--', 'touch', 'worked']).status).toBe(3);
    expect(existsSync(join(cli.dir, 'worked'))).toBe(false);
  });

  it('says what does not go as it should, in JSON too, and ends as the work has ended', () => {
    const cli = queueOf(program, first);
    const { status, stdout, stderr } = cli.run(['work', 'q', '--json', '--on-fail', 'exit 7', '--', 'false']);
    expect(status).toBe(5);
    expect(stderr).toBe('');
    const said = jsonLines(stdout).filter(({ event }) => event === 'notices');
    expect(said.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/to be tried again: .* it ended with exit code 7$/),
      expect.stringMatching(/\.q\.notices: 1 notice waits/),
    ]);
  });

  it('tells it under the same id when it was killed while it told it', async () => {
    const { url, received } = await receiver((response, count) => count > 0 && response.end());
    const cli = queueOf(program, first);
    // Not `run`: the receiver is in this process.
    const work = ['work', 'q', '--webhook', url, '--notices', 'n', '--', 'false'];
    const worker = cli.start(work);
    await eventually(() => expect(received).toHaveLength(1));
    worker.kill('SIGKILL');
    await once(worker, 'exit');
    expect(await once(cli.start(work), 'exit')).toEqual([3, null]);
    const ids = received.map(({ headers }) => headers['webhook-id']);
    expect(ids).toEqual([ids[0], ids[0]]);
    expect(received[0]?.body).toBe(received[1]?.body);
    expect(cli.list('n/jobs')).toEqual([]);
  });
});

describe('intray work refuses', () => {
  const [, program, first] = INTRAY_VARIANTS[0] as (typeof INTRAY_VARIANTS)[number];

  it.each([
    [['--webhook', 'http://192.0.2.1/'], 'unencrypted'],
    [['--webhook', 'ftp://example.org/'], 'https://'],
    [['--webhook', 'https://me:secret@example.org/'], 'without a user'],
    [['--webhook-secret-file', 'secret', '--on-fail', 'true'], 'there is none'],
    [['--notices', 'n'], 'name one'],
    [['--on-fail', ''], '--on-fail'],
  ])('%j', (options, words) => {
    const cli = queueOf(program, first);
    const { status, stderr } = cli.run(['work', 'q', ...options, '--', 'false']);
    expect(status).toBe(2);
    expect(stderr).toContain(words);
    expect(cli.list('q/jobs')).toHaveLength(1);
  });

  it.each([
    ['q', 'q'],
    ['q', './q/'],
    ['.', 'notices'],
  ])('to work %j with notices in %j', (operand, notices) => {
    const cli = queueOf(program, first);
    const { status, stderr } = cli.run([
      'work',
      operand,
      '--on-fail',
      'true',
      '--notices',
      notices,
      '--',
      'false',
    ]);
    expect(status).toBe(2);
    expect(stderr).toContain('one of their own');
    expect(cli.list('q/jobs')).toHaveLength(1);
  });

  it('a place for notices that is something else, and a secret that is none', () => {
    const cli = queueOf(program, first);
    mkdirSync(join(cli.dir, 'full'));
    writeFileSync(join(cli.dir, 'full/file'), '');
    const elsewhere = cli.run(['work', 'q', '--on-fail', 'true', '--notices', 'full', '--', 'false']);
    expect(elsewhere.status).toBe(1);
    expect(elsewhere.stderr).toContain('full: it is there already, is no queue, and is not empty');
    const webhook = ['--webhook', 'http://127.0.0.1:1/', '--webhook-secret-file', 'full/file'];
    const secret = cli.run(['work', 'q', ...webhook, '--', 'false']);
    expect(secret.status).toBe(1);
    expect(secret.stderr).toContain('whsec_');
    expect(cli.list('q/jobs')).toHaveLength(1);
  });
});
