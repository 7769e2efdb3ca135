/** Runs the intray command, as the executable and on Node, the way a user would. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

export const INTRAY = join(root, 'dist/bin/intray');

/** Both ways to run intray: name, program, first arguments. */
export const INTRAY_VARIANTS: readonly (readonly [name: string, program: string, args: readonly string[]])[] =
  [
    ['the executable', INTRAY, []],
    ['node', process.execPath, [join(root, 'dist/cli.js')]],
  ];

export type Result = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

export type IntrayCli = {
  /** A temporary directory, the working directory of every call; removed after the test. */
  readonly dir: string;
  run(args: readonly string[], options?: { input?: string | Buffer; env?: NodeJS.ProcessEnv }): Result;
  /** With standard output and error as pipes. */
  start(args: readonly string[]): ChildProcess;
  /** A line of sh in which `intray`, `fspl`, `fsq` and the `dq-` commands are ours. */
  sh(line: string, env?: NodeJS.ProcessEnv): Result;
  /** Names in a directory, sorted. */
  list(path: string): string[];
  read(path: string): string;
};

const DEADLINE_MS = 120_000;

export function intrayCli(program = INTRAY, first: readonly string[] = []): IntrayCli {
  const dir = mkdtempSync(join(tmpdir(), 'intray-cli-'));
  const bin = mkdtempSync(join(tmpdir(), 'intray-bin-'));
  const started: ChildProcess[] = [];
  cleanups.push(async () => {
    for (const child of started) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
    rmSync(dir, { recursive: true, force: true });
    rmSync(bin, { recursive: true, force: true });
  });
  const words = [program, ...first].map((word) => `'${word}'`).join(' ');
  writeFileSync(join(bin, 'intray'), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  for (const name of ['fspl', 'fsq', 'dq-submit', 'dq-deque', 'dq-server', 'dq-list']) {
    writeFileSync(join(bin, name), `#!/bin/sh\nexec ${words} ${name} "$@"\n`, { mode: 0o755 });
  }
  const env = { ...process.env, TZ: 'UTC', PATH: `${bin}:${process.env.PATH}` };
  const call = (
    command: string,
    args: readonly string[],
    options: { input?: string | Buffer; env?: NodeJS.ProcessEnv },
  ) => {
    const { status, stdout, stderr, error } = spawnSync(command, args, {
      cwd: dir,
      input: options.input ?? '',
      env: { ...env, ...options.env },
      timeout: DEADLINE_MS,
    });
    if (error !== undefined) throw error;
    return { status, stdout: stdout.toString(), stderr: stderr.toString() };
  };
  return {
    dir,
    run: (args, options = {}) => call(program, [...first, ...args], options),
    sh: (line, extra = {}) => call('sh', ['-c', line], { env: extra }),
    start: (args) => {
      const child = spawn(program, [...first, ...args], { cwd: dir, env, stdio: ['ignore', 'pipe', 'pipe'] });
      started.push(child);
      return child;
    },
    list: (path) => readdirSync(join(dir, path)).sort(),
    read: (path) => readFileSync(join(dir, path), 'utf8'),
  };
}

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** The lines of JSON that a command has printed. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
