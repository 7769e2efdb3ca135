/**
 * A payload of 10 GB over real ssh, the connection cut again and again: it arrives whole, and neither side keeps it in memory.
 * It needs 30 GB of disk and some minutes, so it is run with INTRAY_LONG=1 alone.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { INTRAY, intrayCli, jsonLines } from '../support/intray-cli.ts';
import { SSHD, type Sshd, startSshd } from '../support/sshd.ts';
import { eventually } from '../support/temporary.ts';
import { pauseMs } from './support/chance.ts';
import { LONGER, lacking } from './support/needs.ts';
import { childrenOf, living, signal } from './support/storm.ts';

const BYTES = Number(process.env.INTRAY_HUGE_BYTES ?? 10_000_000_000);
const CUTS = 4;
const MOST_RSS_KIB = 300 * 1024;
const DEADLINE_MS = 3_600_000;
const GENERATE = `yes 'a line of a huge payload' | head -c ${BYTES}`;

const lack = LONGER === 1 ? 'INTRAY_LONG=1 asks for it' : lacking({ tools: ['ssh', 'ssh-keygen', SSHD] });
let server: Sshd | undefined;

afterEach(() => server?.stop());

/** What a process has had in memory at most; 0 when it is gone. */
function peakKib(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

async function shell(directory: string, line: string): Promise<number | null> {
  const child = spawn('bash', ['-c', line], { cwd: directory, stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

describe.skipIf(lack !== undefined)(`a huge payload${lack === undefined ? '' : ` (${lack})`}`, () => {
  it('arrives whole, in little memory, though it is cut', { timeout: DEADLINE_MS }, async () => {
    const cli = intrayCli();
    const keys = join(cli.dir, 'keys');
    mkdirSync(keys);
    server = await startSshd(keys);
    for (const queue of ['here', 'there']) expect(cli.run(['init', queue]).status).toBe(0);
    expect(await shell(cli.dir, `${GENERATE} | ${INTRAY} add here`)).toBe(0);
    const remote = `ssh://127.0.0.1:${server.port}${cli.dir}/there`;
    const words = ['--ssh', server.ssh, '--remote-intray', INTRAY, '--json', '--watch'];
    const relay = cli.start(['relay', 'here', remote, ...words]);
    let said = '';
    relay.stdout?.on('data', (chunk) => {
      said += chunk;
    });
    const peaks = { giver: 0, taker: 0 };
    let isOver = false;
    const watching = (async () => {
      while (!isOver) {
        peaks.giver = Math.max(peaks.giver, peakKib(relay.pid ?? 0));
        for (const { pid, command } of living()) {
          const isTaker = command.includes('--serve') && command.startsWith(INTRAY);
          if (isTaker && command.includes(cli.dir)) peaks.taker = Math.max(peaks.taker, peakKib(pid));
        }
        await pauseMs(200);
      }
    })();
    for (let cut = 0; cut < CUTS && !said.includes('"moved"'); cut++) {
      await pauseMs(8000);
      for (const { pid } of childrenOf(relay.pid ?? 0)) signal(pid, 'SIGKILL');
    }
    await eventually(() => expect(said).toContain('"moved"'), DEADLINE_MS);
    isOver = true;
    await watching;
    const ended = new Promise((resolve) => relay.once('exit', resolve));
    relay.kill('SIGTERM');
    await ended;
    console.log(`${BYTES} bytes: peak ${peaks.giver} KiB here, ${peaks.taker} KiB there`, jsonLines(said));
    expect(
      await shell(cli.dir, `${INTRAY} work there -- sh -c "exec 3<&0; ${GENERATE} | cmp - /dev/fd/3"`),
    ).toBe(0);
    expect(cli.list('there/relay-parts')).toEqual([]);
    expect(Math.max(peaks.giver, peaks.taker)).toBeLessThan(MOST_RSS_KIB);
  });
});
