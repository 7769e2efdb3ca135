/** Machines made of namespaces that share a GlusterFS volume: see cluster.sh. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { childrenOf, type Site, type Spawned, spawnGroup } from '../../faults/support/storm.ts';
import { eventually } from '../../support/temporary.ts';

export const BRICKS = ['b1', 'b2', 'b3'] as const;
export type BrickName = (typeof BRICKS)[number];
export type ClientName = 'c1' | 'c2';
export type MachineName = BrickName | ClientName;

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

  /** `bricks`: directories for the three, of disks of their own. In a directory that was used before, the volume is as it was. */
  static async start(directory: string, bricks: readonly string[] = []): Promise<Cluster> {
    for (const [at, brick] of bricks.entries()) {
      for (const path of [brick, `${directory}/${BRICKS[at]}`]) mkdirSync(path, { recursive: true });
      symlinkSync(brick, `${directory}/${BRICKS[at]}/brick`);
    }
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

  /** The volume as that machine has it, for who is on none of them. */
  mountOf(machine: ClientName): string {
    return `/proc/${this.#pid(machine)}/root${this.mount}`;
  }

  /** To start processes there that are to be killed. */
  site(machine: MachineName): Site {
    return {
      name: machine,
      start: async (program, args) => {
        const { pid, ended } = spawnGroup('nsenter', this.#command(machine, [program, ...args]), process.env);
        let isOver = false;
        void ended.then(() => {
          isOver = true;
        });
        const inner = await eventually(() => {
          const [child] = childrenOf(pid);
          if (!isOver && (child === undefined || child.command.startsWith('nsenter '))) {
            throw new Error(`${program} does not start on ${machine}`);
          }
          return child;
        });
        return { pid: inner?.pid ?? pid, group: pid, ended } satisfies Spawned;
      },
    };
  }

  #pid(machine: MachineName): string {
    return readFileSync(`${this.#directory}/${machine}.pid`, 'utf8').trim();
  }

  #command(machine: MachineName, command: readonly string[]): string[] {
    return ['--target', this.#pid(machine), '--all', '--', ...command];
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

  /** `before`: words before the program that serves the mount. */
  mountAgain(machine: ClientName, before: readonly string[] = []): void {
    const times = ['--attribute-timeout=0', '--entry-timeout=0', '--negative-timeout=0'];
    const mount = ['glusterfs', '--process-name', 'fuse', '--volfile-server=10.99.0.1', '--volfile-id=/jobs'];
    for (const command of [
      ['umount', this.mount],
      [...before, ...mount, ...times, this.mount],
    ]) {
      const { code, stderr } = this.call(machine, command);
      if (code !== 0) throw new Error(`${command[0]}: ${stderr}`);
    }
  }

  killBrick(machine: BrickName): void {
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

  /** All bricks have what they missed while they were dead. */
  async untilHealed(): Promise<void> {
    await eventually(() => {
      const { code, stdout } = this.call('b1', [
        'gluster',
        '--mode=script',
        'volume',
        'heal',
        'jobs',
        'info',
      ]);
      const open = [...stdout.matchAll(/^Number of entries: (\S+)$/gm)].map(([, count]) => count);
      if (code !== 0 || open.join() !== '0,0,0') throw new Error(`not healed: ${stdout}`);
    }, CALL_MS);
  }

  async end(): Promise<void> {
    this.#script.stdin?.end();
    await this.#ended;
  }
}
