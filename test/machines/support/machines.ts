/** Machines made of namespaces on this one, by a script that prints `ready`: see namespaces.sh. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { childrenOf } from '../../faults/support/storm.ts';

export type Said = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

export type Running = {
  readonly ended: Promise<Said>;
  /** What it runs, not the nsenter that brought it there. */
  pid(): number | undefined;
};

const READY_MS = 120_000;
/** A call there may take so long. */
export const CALL_MS = 180_000;

export class Machines<Name extends string> {
  readonly #directory: string;
  readonly #script: ChildProcess;
  readonly #ended: Promise<void>;

  /** `script` is a file beside this one. */
  constructor(script: string, directory: string) {
    mkdirSync(directory, { recursive: true });
    const path = fileURLToPath(new URL(`./${script}`, import.meta.url));
    this.#directory = directory;
    this.#script = spawn('bash', [path, directory], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#ended = new Promise((resolve) => this.#script.once('close', () => resolve()));
  }

  /** Ends them when they cannot be had. */
  async ready(): Promise<void> {
    let stderr = '';
    this.#script.stderr?.on('data', (chunk) => {
      stderr += chunk;
    });
    try {
      await new Promise<void>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`the machines are not ready: ${stderr}`)), READY_MS);
        this.#script.stdout?.once('data', () => {
          clearTimeout(late);
          resolve();
        });
        this.#script.once('close', () => {
          clearTimeout(late);
          reject(new Error(`the machines did not start: ${stderr}`));
        });
      });
    } catch (error) {
      await this.end();
      throw error;
    }
  }

  protected pidOf(machine: Name): string {
    return readFileSync(`${this.#directory}/${machine}.pid`, 'utf8').trim();
  }

  /** The arguments of nsenter(1) that run it there. */
  protected command(machine: Name, command: readonly string[]): string[] {
    return ['--target', this.pidOf(machine), '--all', '--', ...command];
  }

  call(machine: Name, command: readonly string[], input = ''): Said {
    const args = this.command(machine, command);
    const { status, stdout, stderr } = spawnSync('nsenter', args, {
      input,
      encoding: 'utf8',
      timeout: CALL_MS,
    });
    return { code: status, stdout, stderr };
  }

  run(machine: Name, command: readonly string[]): Running {
    const child = spawn('nsenter', this.command(machine, command), { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const ended = new Promise<Said>((resolve) => {
      child.once('close', (code) => resolve({ code, stdout, stderr }));
    });
    return { ended, pid: () => childrenOf(child.pid ?? 0)[0]?.pid };
  }

  /** Takes the machine's network card away, or gives it back. */
  link(machine: Name, state: 'up' | 'down'): void {
    const { code, stderr } = this.call(machine, ['ip', 'link', 'set', 'eth0', state]);
    if (code !== 0) throw new Error(stderr);
  }

  async end(): Promise<void> {
    this.#script.stdin?.end();
    await this.#ended;
  }
}
