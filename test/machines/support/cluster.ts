/** Machines made of namespaces that share a GlusterFS volume: see cluster.sh. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { childrenOf } from '../../faults/support/storm.ts';

export type MachineName = 'b1' | 'b2' | 'b3' | 'c1' | 'c2';

export type Said = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

export type Running = {
  readonly ended: Promise<Said>;
  /** What it runs, not the nsenter that brought it there. */
  pid(): number | undefined;
};

const SCRIPT = fileURLToPath(new URL('./cluster.sh', import.meta.url));
const READY_MS = 120_000;
const CALL_MS = 180_000;

export class Cluster {
  /** Where c1 and c2 have the volume. */
  readonly mount: string;
  readonly #directory: string;
  readonly #script: ChildProcess;
  readonly #ended: Promise<void>;

  static async start(directory: string): Promise<Cluster> {
    mkdirSync(directory, { recursive: true });
    const script = spawn('bash', [SCRIPT, directory], { stdio: ['pipe', 'pipe', 'pipe'] });
    const cluster = new Cluster(directory, script);
    try {
      await cluster.#ready();
      return cluster;
    } catch (error) {
      await cluster.end();
      throw error;
    }
  }

  constructor(directory: string, script: ChildProcess) {
    this.#directory = directory;
    this.#script = script;
    this.mount = `${directory}/mnt`;
    this.#ended = new Promise((resolve) => script.once('close', () => resolve()));
  }

  async #ready(): Promise<void> {
    let stderr = '';
    this.#script.stderr?.on('data', (chunk) => {
      stderr += chunk;
    });
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
  }

  #command(machine: MachineName, command: readonly string[]): string[] {
    const pid = readFileSync(`${this.#directory}/${machine}.pid`, 'utf8').trim();
    return ['--target', pid, '--all', '--', ...command];
  }

  call(machine: MachineName, command: readonly string[], input = ''): Said {
    const args = this.#command(machine, command);
    const { status, stdout, stderr } = spawnSync('nsenter', args, {
      input,
      encoding: 'utf8',
      timeout: CALL_MS,
    });
    return { code: status, stdout, stderr };
  }

  run(machine: MachineName, command: readonly string[]): Running {
    const child = spawn('nsenter', this.#command(machine, command), { stdio: ['ignore', 'pipe', 'pipe'] });
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
  link(machine: MachineName, state: 'up' | 'down'): void {
    const { code, stderr } = this.call(machine, ['ip', 'link', 'set', 'eth0', state]);
    if (code !== 0) throw new Error(stderr);
  }

  killBrick(machine: 'b1' | 'b2' | 'b3'): void {
    const { code, stderr } = this.call(machine, ['pkill', '-KILL', '-x', 'glusterfsd']);
    if (code !== 0) throw new Error(`no brick ran: ${stderr}`);
  }

  /** Starts bricks that do not run. */
  startBricks(): void {
    const { code, stderr } = this.call('b1', [
      'gluster',
      '--mode=script',
      'volume',
      'start',
      'jobs',
      'force',
    ]);
    if (code !== 0) throw new Error(stderr);
  }

  async end(): Promise<void> {
    this.#script.stdin?.end();
    await this.#ended;
  }
}
