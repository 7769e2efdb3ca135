/** A payload larger than memory should be goes through in memory that does not grow with it. */

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EXECUTABLE, exitOf, fsplFor } from '../support/fspl.ts';

const MIB = 1024 * 1024;
const PAYLOAD_BYTES = 600 * MIB;
/** Of resident memory, most of it the mapped executable. */
const LIMIT_BYTES = 60 * MIB;

describe('600 MiB through the executable', () => {
  it('is prepared in constant memory', async () => {
    const source = spawn('head', ['-c', String(PAYLOAD_BYTES), '/dev/zero'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const prepare = spawn(EXECUTABLE, ['prepare', '-s', '-', '-i', '-'], {
      stdio: [source.stdout, 'pipe', 'inherit'],
    });
    const { bytes, peak } = await drain(prepare);
    expect((await exitOf(prepare)).code).toBe(0);
    expect(bytes).toBeGreaterThan(PAYLOAD_BYTES);
    expect(peak).toBeGreaterThan(0);
    expect(peak).toBeLessThan(LIMIT_BYTES);
  });

  it('is written and processed in constant memory, the job file itself being the command’s input', async () => {
    const { dir, sh } = fsplFor(EXECUTABLE, []);
    expect(sh('fspl queue-init -q q').status).toBe(0);
    const made = sh(`head -c ${PAYLOAD_BYTES} /dev/zero | fspl prepare -s s -i - | fspl queue-write -q q`);
    expect(made.status).toBe(0);
    // The command looks at its processor's memory, and at what its own standard input is.
    const line = `cat | wc -c; readlink /proc/self/fd/0; grep VmHWM /proc/$PPID/status`;
    const processed = spawn(EXECUTABLE, ['queue-process', '-q', 'q', 'sh', '--', '-c', line], { cwd: dir });
    let output = '';
    processed.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    expect((await exitOf(processed)).code).toBe(0);
    const [size, input, peak] = output.split('\n');
    expect(Number(size)).toBe(PAYLOAD_BYTES);
    expect(input).toMatch(/q\/jobs\/fspl-.*\.fspl$/);
    expect(kilobytes(peak ?? '') * 1024).toBeLessThan(LIMIT_BYTES);
  });
});

/** Reads all of a program's output, looking at its peak memory while it still has something to write. */
async function drain(child: ChildProcess): Promise<{ bytes: number; peak: number }> {
  let bytes = 0;
  let peak = 0;
  for await (const chunk of child.stdout ?? []) {
    bytes += (chunk as Buffer).length;
    if (bytes > PAYLOAD_BYTES - 8 * MIB && bytes < PAYLOAD_BYTES) {
      const now = kilobytes(readFileSync(`/proc/${child.pid}/status`, 'latin1')) * 1024;
      if (now > peak) peak = now; // not a number once it has ended
    }
  }
  return { bytes, peak };
}

function kilobytes(status: string): number {
  return Number(/VmHWM:\s*(\d+) kB/.exec(status)?.[1]);
}
