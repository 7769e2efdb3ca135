/** `fsq jsonrpcd` and `fsq push`, as two hosts use them. */

import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { INTRAY_VARIANTS, intrayCli } from '../support/intray-cli.ts';

const MIB = 1024 * 1024;

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  let text = '';
  for await (const piece of stdout ?? []) {
    text += String(piece);
    if (text.includes('\n')) return text.slice(0, text.indexOf('\n'));
  }
  throw new Error(`it ended, having said ${JSON.stringify(text)}`);
}

const ended = (child: ChildProcess) =>
  new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));

describe.each(INTRAY_VARIANTS)('fsq push and jsonrpcd, %s', (_, program, first) => {
  const cli = () => {
    const made = intrayCli(program, first);
    made.sh('mkdir here there; fsq -r here install -a east q; fsq -r there install q');
    const serve = (...args: string[]) => made.start(['fsq', '-r', `${made.dir}/there`, 'jsonrpcd', ...args]);
    const push = (url: string, options = '') =>
      made.sh(`fsq -r here push ${options} ${url} q q east $(ls here/q/hosts/east/queue)`);
    return { ...made, serve, push };
  };

  it('bring items over, whatever they hold', async () => {
    const { sh, dir, list, serve, push } = cli();
    const server = serve('127.0.0.1', '0');
    const url = await firstLine(server);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    writeFileSync(`${dir}/large`, randomBytes(20 * MIB));
    sh(
      'fsq -r here enqueue -f large q large; echo text | fsq -r here enqueue q small; fsq -r here host-dist q',
    );
    const names = list('here/q/hosts/east/queue');
    expect(push(url)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(list('there/q/queue')).toEqual(names);
    expect(list('here/q/hosts/east/done')).toEqual(names);
    const large = names.find((name) => name.endsWith('_large'));
    expect(Buffer.compare(readFileSync(`${dir}/there/q/queue/${large}`), readFileSync(`${dir}/large`))).toBe(
      0,
    );
    expect(sh(`fsq -r here push ${url} q q east ${names[0]}`)).toMatchObject({
      status: 111,
      stderr: expect.stringContaining('no such item'),
    });
    // What was acknowledged outlives the receiver, however it ends.
    const gone = ended(server);
    server.kill('SIGKILL');
    expect(await gone).toBe('SIGKILL');
    expect(sh('fsq -r there scan q sh -c \'echo "$1"; cat | wc -c\' sh').stdout).toBe(
      `large\n${20 * MIB}\nsmall\n5\n`,
    );
    expect(list('there/q/tmp')).toEqual([]);
  });

  it('meet at a socket, with a token, which can be changed', async () => {
    const { sh, dir, list, serve, push } = cli();
    writeFileSync(`${dir}/token`, 'a-secret-of-ours\n');
    writeFileSync(`${dir}/other`, 'another-secret\n');
    const server = serve('--token-file', `${dir}/token`, `unix:${dir}/socket`);
    expect(await firstLine(server)).toBe(`unix:${dir}/socket`);
    expect(statSync(`${dir}/socket`).mode & 0o777).toBe(0o600);
    sh('fsq -r here enqueue -e q a; fsq -r here host-dist q');
    const url = `unix:${dir}/socket`;
    expect(push(url)).toMatchObject({ status: 111, stderr: expect.stringContaining('401') });
    expect(push(url, '--token-file other').status).toBe(111);
    expect(list('here/q/hosts/east/queue')).toHaveLength(1);
    expect(push(url, '--token-file token').status).toBe(0);
    expect(list('there/q/queue')).toHaveLength(1);
    const gone = ended(server);
    server.kill('SIGTERM');
    expect(await gone).toBe('SIGTERM');
    expect(list('.')).not.toContain('socket');
  });

  it('are not started where others could reach them without a token', () => {
    const { sh } = cli();
    for (const line of [
      'fsq -r there jsonrpcd 0.0.0.0 0',
      'fsq jsonrpcd 127.0.0.1',
      'fsq jsonrpcd 127.0.0.1 x',
    ]) {
      expect(sh(line), line).toMatchObject({ status: 100, stdout: '' });
    }
    expect(sh('fsq -r here push ftp://x q q east x').status).toBe(100);
    expect(sh('fsq -r here push http://127.0.0.1:1/ q q east x').status).toBe(111);
  });
});
