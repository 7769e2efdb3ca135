/** The two programs, and how to run them to their end. */

import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { EXECUTABLE } from '../../support/fspl.ts';

export type Program = { readonly name: string; readonly path: string };

export const OURS: Program = { name: 'intray', path: EXECUTABLE };
export const ORIGINAL: Program = { name: 'filespooler', path: '/usr/bin/fspl' };

const DEADLINE_MS = 180_000;

export type Ended = { readonly status: number | null; readonly stdout: Buffer; readonly stderr: string };

export function run(program: string, args: readonly string[], input: string | Buffer = ''): Ended {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    input,
    timeout: DEADLINE_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) throw error;
  return { status, stdout, stderr: stderr.toString() };
}

/** The same, and everything but exit status 0 is an error. */
export function runWell(program: string, args: readonly string[], input: string | Buffer = ''): string {
  const { status, stdout, stderr } = run(program, args, input);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: exit status ${status}: ${stderr}`);
  return stdout.toString();
}

/** A process that runs beside the test, and can be killed. */
export type Running = {
  readonly pid: number;
  /** Resolves with the exit status, or null after a signal. */
  readonly ended: Promise<number | null>;
  kill(): void;
};

export function start(program: string, args: readonly string[]): Running {
  const child = spawn(program, args, { stdio: 'ignore', detached: true });
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${program}`);
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code));
  });
  return { pid, ended, kill: () => killGroup(pid) };
}

export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

const DIST = fileURLToPath(new URL('../../../dist/index.js', import.meta.url));

/** Adds one job for each payload file with the library on Node, as a program of a user would. */
const LIBRARY_ADDER = `
import { readFileSync } from 'node:fs';
const [dist, path, sequenceFile, ...payloads] = process.argv.slice(1);
const { openQueue } = await import(dist);
const queue = await openQueue(path);
for (const file of payloads) {
  const { seq } = await queue.add({ payload: readFileSync(file) }, { sequenceFile });
  console.log(String(seq));
}`;

export function addWithLibrary(queue: string, sequenceFile: string, payloads: readonly string[]): number[] {
  const args = ['--input-type=module', '-e', LIBRARY_ADDER, DIST, queue, sequenceFile, ...payloads];
  return runWell(process.execPath, args).trim().split('\n').map(Number);
}
