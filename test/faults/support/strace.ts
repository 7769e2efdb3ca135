/**
 * Errors and kills at chosen system calls of the real executable.
 *
 * One run is recorded to see which calls touch the test's own directory; each of these is then a point where a
 * later run can be hit. strace counts the calls of one name for each thread, from the start of the program. Which
 * calls come before the first one of ours can change with the machine's mood, so whether the right one was hit is
 * read from the trace.
 */

import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import type { Ended } from './commands.ts';

/** The calls that change something, or find out whether it lasts. */
const CALLS =
  'openat,write,pwrite64,fsync,fdatasync,rename,renameat2,unlink,unlinkat,mkdir,ftruncate,flock,fchmod';

export type Point = {
  readonly call: string;
  /** Counted from 1, in its thread. */
  readonly when: number;
  /** What it was done to, with random parts left out. */
  readonly target: string;
};

export type Hit = Ended & { readonly hit: boolean };

export type Target = {
  readonly directory: string;
  readonly program: string;
  readonly args: readonly string[];
  /** A file to read standard input from. */
  readonly input?: string | undefined;
};

/** The points of a run, which is made. */
export async function pointsOf(target: Target): Promise<Point[]> {
  const { status, stderr, trace } = await traced(target, []);
  if (status !== 0) throw new Error(`${target.args.join(' ')}: exit status ${status}: ${stderr}`);
  const counts = new Map<string, number>();
  const points: Point[] = [];
  let own: string | undefined;
  for (const line of trace.split('\n')) {
    const [, thread = '', call = ''] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
    own ??= thread;
    const key = `${thread} ${call}`;
    const when = (counts.get(key) ?? 0) + 1;
    counts.set(key, when);
    const text = line.slice(0, line.lastIndexOf(') = '));
    if (own !== thread && call !== 'fsync') continue;
    if (call === '' || !text.replace(/AT_FDCWD<[^>]*>/g, '').includes(target.directory)) continue;
    const path = [...text.matchAll(new RegExp(`${target.directory}/([^">]*)`, 'g'))].at(-1)?.[1] ?? '';
    points.push({ call, when, target: path.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID') });
  }
  return points.filter((point, at) => points.findIndex((other) => same(point, other)) === at);
}

function same(one: Point, other: Point): boolean {
  return one.call === other.call && one.when === other.when;
}

/** A run in which the call at `point` is not made: it fails, or the program is killed. */
export async function hitAt(target: Target, point: Point, blow: string): Promise<Hit> {
  const inject = ['-e', `inject=${point.call}:${blow}:when=${point.when}`];
  const { trace, ...ended } = await traced(target, inject);
  // A killed program takes strace along, and the end of the trace with it.
  return { ...ended, hit: ended.status === null || trace.includes('(INJECTED)') };
}

let traces = 0;

async function traced(target: Target, options: readonly string[]): Promise<Ended & { trace: string }> {
  const trace = `${target.directory}/../trace-${process.pid}-${traces++}`;
  // With --seccomp-bpf it is fast, but strace 6.1 then injects no signals.
  const fast = options.some((option) => option.includes(':signal=')) ? [] : ['--seccomp-bpf'];
  const args = ['-f', ...fast, '-y', '-s', '8', '-o', trace, '-e', `trace=${CALLS}`, ...options];
  const input = openSync(target.input ?? '/dev/null', 'r');
  const child = spawn('strace', [...args, target.program, ...target.args], {
    cwd: target.directory,
    stdio: [input, 'pipe', 'pipe'],
    // One thread for calls made aside, so that they can be counted.
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
  });
  closeSync(input);
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const text = readFileSync(trace, 'latin1');
  rmSync(trace);
  return { status, stdout: Buffer.concat(stdout), stderr, trace: text };
}
