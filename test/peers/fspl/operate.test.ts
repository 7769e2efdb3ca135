/** The original, and an operator with our commands on its queue. */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { intray } from '../../../src/cli/intray/main.ts';
import { putJob } from '../../support/packets.ts';
import { listening } from '../../support/spoken.ts';
import { eventually, useTemporary } from '../../support/temporary.ts';

const ORIGINAL = '/usr/bin/fspl';
const missing = !existsSync(ORIGINAL) && process.env.INTRAY_REQUIRE_PEERS !== '1';

const temporary = useTemporary();
const q = () => temporary.path('q');

async function run(...argv: string[]) {
  const { machine, said } = listening();
  const status = await intray(machine, argv);
  return { status, ...said };
}

function original(...args: string[]): string {
  const { stdout, stderr, status } = spawnSync(ORIGINAL, args, { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return stdout;
}

const PROCESS = ['queue-process', '--allow-job-params', '-q'];

describe.skipIf(missing)(`on a queue of the original (skipped without ${ORIGINAL})`, () => {
  it('jobs are removed from its head, its middle and its end, and it runs the others', async () => {
    original('queue-init', '-q', q());
    for (const seq of [1, 2, 3, 4])
      putJob(q(), `job${seq}`, { seq, work: { kind: 'command', params: [`${seq}`], env: [] } });
    for (const job of ['job3', 'job1', 'job4']) expect((await run('rm', q(), job)).status).toBe(0);
    expect(original(...PROCESS, q(), 'echo')).toBe('2\n');
    expect(original('queue-get-next', '-q', q())).toBe('5\n');
  });

  it('a gap is skipped, and it goes on', async () => {
    original('queue-init', '-q', q());
    putJob(q(), 'late', { seq: 7, work: { kind: 'command', params: ['seven'], env: [] } });
    expect((await run('status', q())).status).toBe(4);
    expect((await run('skip', q())).status).toBe(0);
    expect(original(...PROCESS, q(), 'echo')).toBe('seven\n');
  });

  it('while it runs it is seen, not disturbed, and nothing is changed', async () => {
    original('queue-init', '-q', q());
    putJob(q(), 'aaaa', { seq: 1 });
    putJob(q(), 'bbbb', { seq: 2 });
    const gate = temporary.path('gate');
    const child = spawn(ORIGINAL, [
      'queue-process',
      '-q',
      q(),
      'sh',
      '--',
      '-c',
      `touch ${gate}.in; until [ -e ${gate} ]; do sleep 0.05; done`,
    ]);
    const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
    try {
      await eventually(() => expect(existsSync(`${gate}.in`)).toBe(true));
      expect((await run('status', q())).stdout).toContain(
        `Process ${child.pid} on this machine works it alone.`,
      );
      expect((await run('explain', q(), 'aaaa')).stdout).toContain(
        `Process ${child.pid} on this machine works the queue alone`,
      );
      expect((await run('rm', q(), 'bbbb')).status).toBe(7);
      expect((await run('repair', q())).status).toBe(0);
    } finally {
      writeFileSync(gate, '');
    }
    expect(await exit).toBe(0);
  });
});
