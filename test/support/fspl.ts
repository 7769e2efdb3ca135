/** Runs our fspl, as the executable and on Node, the way a user would. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

export const EXECUTABLE = join(root, 'dist/bin/fspl');

/** Both ways to run fspl: name, program, first arguments. */
export const VARIANTS: readonly (readonly [name: string, program: string, args: readonly string[]])[] = [
  ['the executable', EXECUTABLE, []],
  ['node', process.execPath, [join(root, 'dist/cli.js'), 'fspl']],
];

/** Both ways to run intray, in the same order. */
export const INTRAY_VARIANTS: typeof VARIANTS = [
  ['the executable', join(root, 'dist/bin/intray'), []],
  ['node', process.execPath, [join(root, 'dist/cli.js')]],
];

export type Result = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

export type Fspl = {
  /** A temporary directory, the working directory of every call; removed after the test. */
  readonly dir: string;
  run(args: readonly string[], options?: { input?: string | Buffer; env?: NodeJS.ProcessEnv }): Result;
  start(args: readonly string[]): ChildProcess;
  /** A line of sh in which `fspl` and `intray` are ours. */
  sh(line: string, env?: NodeJS.ProcessEnv): Result;
};

const DEADLINE_MS = 120_000;

export function fsplFor(program: string, first: readonly string[]): Fspl {
  const dir = mkdtempSync(join(tmpdir(), 'intray-cli-'));
  const started: ChildProcess[] = [];
  cleanups.push(() => {
    for (const child of started)
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  });
  const bin = mkdtempSync(join(tmpdir(), 'intray-bin-'));
  cleanups.push(() => rmSync(bin, { recursive: true, force: true }));
  const variant = VARIANTS.findIndex(([, other]) => other === program);
  const [, intray = '', before = []] = INTRAY_VARIANTS[variant] ?? [];
  for (const [name, ...words] of [
    ['fspl', program, ...first],
    ['intray', intray, ...before],
  ]) {
    const line = words.map((word) => `'${word}'`).join(' ');
    writeFileSync(join(bin, `${name}`), `#!/bin/sh\nexec ${line} "$@"\n`, { mode: 0o755 });
  }
  const env = { ...process.env, TZ: 'UTC', PATH: `${bin}:${process.env.PATH}` };
  return {
    dir,
    run: (args, options = {}) => {
      const { status, stdout, stderr, error } = spawnSync(program, [...first, ...args], {
        cwd: dir,
        input: options.input ?? '',
        env: { ...env, ...options.env },
        timeout: DEADLINE_MS,
      });
      if (error !== undefined) throw error;
      return { status, stdout: stdout.toString('latin1'), stderr: stderr.toString() };
    },
    start: (args) => {
      const child = spawn(program, [...first, ...args], { cwd: dir, env, stdio: ['ignore', 'pipe', 'pipe'] });
      started.push(child);
      return child;
    },
    sh: (line, extra = {}) => {
      const { status, stdout, stderr, error } = spawnSync('sh', ['-c', line], {
        cwd: dir,
        env: { ...env, ...extra },
        timeout: DEADLINE_MS,
      });
      if (error !== undefined) throw error;
      return { status, stdout: stdout.toString(), stderr: stderr.toString() };
    },
  };
}

const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** Waits until `look` gives something else than undefined or false. */
export async function eventually<T>(look: () => T | undefined | false, what: string): Promise<T> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`waited ${DEADLINE_MS} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export function exitOf(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return Promise.resolve({ code: child.exitCode, signal: child.signalCode });
  }
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}
