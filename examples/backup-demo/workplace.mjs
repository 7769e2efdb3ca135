// @ts-check
/**
 * A temporary directory with a laptop and a server in it, and the shell to run commands there.
 *
 *     bin/       put first on PATH: fspl, tar and bad-line
 *     running/   a file for each fspl that was started, named by its process id
 *     laptop/    the sender: home, snapshot, state, outbox
 *     server/    the receiver: queue, restore
 *
 * Each command has a process group of its own, so that nothing of it outlives `close`.
 */

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** How often the memory of a running fspl is read. */
const SAMPLE_MS = 4;
/** How long commands have to end when asked to, before they are killed. */
const GRACE_MS = 2000;
/** What `bad-line` lets through before it stalls. */
export const BAD_LINE_BYTES = 200_000;

/** Something is missing that the demo needs, or went wrong in it: the message says what. */
export class Failure extends Error {}

/**
 * @typedef {'laptop' | 'server'} Place
 * @typedef {{ code: number | null, stdout: string, stderr: string }} Result
 */

/** Finds what the demo is about: the executable, or else the same for Node. */
export function findFspl() {
  const project = fileURLToPath(new URL('../..', import.meta.url));
  const executable = join(project, 'dist/bin/fspl');
  if (spawnSync(executable, ['-V']).status === 0) return { name: 'dist/bin/fspl', words: [executable] };
  const script = join(project, 'dist/cli.js');
  const words = [process.execPath, script, 'fspl'];
  if (spawnSync(process.execPath, [script, 'fspl', '-V']).status === 0) {
    return { name: 'node dist/cli.js fspl', words };
  }
  throw new Failure('fspl is not built yet: run `npm run build` first.');
}

/** Finds GNU tar, which other systems call gtar. */
export function findTar() {
  for (const name of ['tar', 'gtar']) {
    const version = spawnSync(name, ['--version'], { encoding: 'utf8' }).stdout?.split('\n')[0] ?? '';
    if (version.includes('GNU tar')) return { name, version: version.replace('tar (GNU tar)', 'GNU tar') };
  }
  throw new Failure(
    'This demo needs GNU tar, for its incremental archives: neither tar nor gtar is GNU tar.',
  );
}

/**
 * A word for the shell.
 *
 * @param {string} word
 */
function quoted(word) {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

export class Workplace {
  root = mkdtempSync(join(tmpdir(), 'intray-demo-'));
  /** The most memory any one fspl had, in bytes; 0 where the system has no /proc. */
  peakBytes = 0;
  /** @type {Map<import('node:child_process').ChildProcess, Promise<unknown>>} */
  #children = new Map();
  #closing = false;

  /**
   * Makes what is in it.
   *
   * @param {{ words: string[] }} fspl
   * @param {{ name: string }} tar
   */
  furnish(fspl, tar) {
    for (const path of ['bin', 'running', 'laptop/home', 'laptop/outbox', 'server/restore']) {
      mkdirSync(join(this.root, path), { recursive: true });
    }
    const running = `${quoted(join(this.root, 'running'))}/$$`;
    this.#script('fspl', `echo "$1" > ${running}\nexec ${fspl.words.map(quoted).join(' ')} "$@"`);
    this.#script('bad-line', `head -c ${BAD_LINE_BYTES}\necho bad-line > ${running}\nexec sleep 60`);
    if (tar.name !== 'tar') this.#script('tar', `exec ${tar.name} "$@"`);
  }

  /**
   * @param {string} name
   * @param {string} lines
   */
  #script(name, lines) {
    writeFileSync(join(this.root, 'bin', name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  }

  /**
   * Runs a shell command and waits until everything in it has ended.
   *
   * @param {Place} place
   * @param {string} command
   * @returns {Promise<Result>}
   */
  async run(place, command) {
    // Nothing more happens once we are closing: whoever waits, waits until the process exits.
    if (this.#closing) return new Promise(() => {});
    this.#forgetRunning();
    const { TAR_OPTIONS: _, ...env } = process.env;
    const child = spawn('/bin/sh', ['-c', command], {
      cwd: join(this.root, place),
      env: { ...env, LC_ALL: 'C', PATH: `${join(this.root, 'bin')}:${env.PATH}` },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      output.stderr += text;
    });
    const sampling = setInterval(() => this.#sampleMemory(), SAMPLE_MS);
    /** @type {Promise<number | null>} */
    const ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    this.#children.set(child, ended);
    try {
      const code = await ended;
      return this.#closing ? await new Promise(() => {}) : { code, ...output };
    } finally {
      clearInterval(sampling);
      this.#children.delete(child);
    }
  }

  /**
   * The process id of an fspl that runs now, by its subcommand.
   *
   * @param {string} subcommand
   */
  processId(subcommand) {
    for (const id of readdirSync(join(this.root, 'running'))) {
      if (readFileSync(join(this.root, 'running', id), 'utf8').trim() === subcommand) return Number(id);
    }
    return undefined;
  }

  #forgetRunning() {
    for (const id of readdirSync(join(this.root, 'running'))) rmSync(join(this.root, 'running', id));
  }

  /** `VmHWM`, the most memory a process ever had, as Linux tells it; read often, since it is gone at its end. */
  #sampleMemory() {
    for (const id of readdirSync(join(this.root, 'running'))) {
      try {
        const status = readFileSync(`/proc/${id}/status`, 'utf8');
        const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
        this.peakBytes = Math.max(this.peakBytes, Number(kibibytes ?? 0) * 1024);
      } catch {
        // It has ended, or this system has no /proc.
      }
    }
  }

  /**
   * Ends every command that still runs and removes the directory.
   *
   * @param {{ keep: boolean }} options
   */
  async close({ keep }) {
    this.#closing = true;
    const all = Promise.allSettled(this.#children.values());
    this.#signal('SIGTERM');
    const timer = setTimeout(() => this.#signal('SIGKILL'), GRACE_MS);
    await all;
    clearTimeout(timer);
    if (!keep) rmSync(this.root, { recursive: true, force: true });
  }

  /** @param {'SIGTERM' | 'SIGKILL'} signal */
  #signal(signal) {
    for (const { pid } of this.#children.keys()) {
      try {
        if (pid !== undefined) process.kill(-pid, signal);
      } catch {
        // The whole group has ended.
      }
    }
  }
}
