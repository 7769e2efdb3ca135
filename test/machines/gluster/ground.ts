/** What the tests of one GlusterFS volume on five machines stand on: see support/cluster.sh. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { DISK_TOOLS, type Disk, openVault, type Vault } from '../../faults/support/disks.ts';
import { LONGER } from '../../faults/support/needs.ts';
import { INTRAY } from '../../support/intray-cli.ts';
import { eventually } from '../../support/temporary.ts';
import { BRICKS, type ClientName, Cluster, type Running } from '../support/cluster.ts';
import { HISTORY_COMMAND } from '../support/history.ts';

export const TOOLS = [
  ...['glusterd', 'gluster', 'mount.glusterfs', 'unshare', 'nsenter', 'ip', 'pkill', 'faketime'],
  ...DISK_TOOLS,
];
export const JOBS = 40 * LONGER;
export const BIN = INTRAY.slice(0, INTRAY.lastIndexOf('/'));

const BRICK_MIB = 512;

/** For each test of the file a queue's path and a file for what its jobs note; both machines have both. */
export class Ground {
  directory = '';
  queue = '';
  history = '';
  disks: readonly Disk[] = [];
  #vault: Vault | undefined;
  #cluster: Cluster | undefined;
  #tests = 0;

  get cluster(): Cluster {
    if (this.#cluster === undefined) throw new Error('the machines do not run');
    return this.#cluster;
  }

  async begin(): Promise<void> {
    this.directory = mkdtempSync(`${tmpdir()}/intray-machines-`);
    this.#vault = openVault();
    this.disks = BRICKS.map(() => (this.#vault as Vault).disk('ext4', BRICK_MIB));
    const bricks = this.disks.map(({ mountPoint }) => `${mountPoint}/brick`);
    this.#cluster = await Cluster.start(this.directory, bricks);
    writeFileSync(`${this.directory}/job.sh`, HISTORY_COMMAND, { mode: 0o755 });
  }

  async end(): Promise<void> {
    await this.#cluster?.end();
    await this.#vault?.remove();
    rmSync(this.directory, { recursive: true, force: true });
  }

  nextTest(): void {
    this.#tests += 1;
    this.queue = `${this.cluster.mount}/queue-${this.#tests}`;
    this.history = `${this.directory}/history-${this.#tests}`;
    writeFileSync(this.history, '');
  }

  /** All machines lose their power, and have it again; the disks of the bricks are as `cutPower` has found them. */
  async powerIsBack(): Promise<void> {
    await this.cluster.end();
    for (const disk of this.disks) await disk.restart();
    this.#cluster = await Cluster.start(this.directory);
  }

  setVolume(option: string, value: string): void {
    const words = ['gluster', '--mode=script', 'volume', 'set', 'jobs', option, value];
    expect(this.cluster.call('b1', words)).toMatchObject({ code: 0 });
  }

  well(machine: ClientName, command: readonly string[], input?: string): string {
    const { code, stdout, stderr } = this.cluster.call(machine, command, input);
    expect({ command, code, stderr }).toMatchObject({ code: 0 });
    return stdout;
  }

  intray(machine: ClientName, args: readonly string[], input?: string): string {
    return this.well(machine, [INTRAY, ...args], input);
  }

  add(machine: ClientName, ids: readonly string[], ...options: string[]): string {
    return this.intray(machine, ['add', this.queue, '--each-line', ...options], `${ids.join('\n')}\n`);
  }

  /** Jobs that take so many tenths of a second. */
  work(machine: ClientName, tenths: number, ...options: string[]): Running {
    return this.cluster.run(machine, [INTRAY, ...this.workWords(tenths, ...options)]);
  }

  workWords(tenths: number, ...options: string[]): string[] {
    return [
      ...['work', this.queue, '-j', '3', '--output', 'inherit', ...options],
      ...['--', `${this.directory}/job.sh`, this.history, String(tenths)],
    ];
  }

  nothingIsLeft(machine: ClientName): void {
    const { queues } = JSON.parse(this.intray(machine, ['status', this.queue, '--json']));
    const { waiting, running, failed } = queues[0].counts;
    expect({ waiting, running, failed }).toEqual({ waiting: 0, running: 0, failed: 0 });
  }

  /** What another worker has is not there to be run until its lease is over. */
  async workUntilNothingIsLeft(machine: ClientName, ...options: string[]): Promise<void> {
    await eventually(async () => {
      const { code, stderr } = await this.work(machine, 2, ...options).ended;
      expect({ nothingToDo: code === 0 || code === 3, stderr }).toEqual({ nothingToDo: true, stderr: '' });
      this.nothingIsLeft(machine);
    }, 120_000);
  }
}

/** To be called once in a file, inside its `describe`. */
export function useGround(): Ground {
  const ground = new Ground();
  beforeAll(() => ground.begin(), 300_000);
  afterAll(() => ground.end(), 300_000);
  beforeEach(() => ground.nextTest());
  return ground;
}

export function names(count: number, prefix = 'job'): string[] {
  return Array.from({ length: count }, (_, n) => `${prefix}-${n}`);
}
