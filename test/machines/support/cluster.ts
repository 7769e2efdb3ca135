/** Machines made of namespaces that share a GlusterFS volume: see cluster.sh. */

import { mkdirSync, symlinkSync } from 'node:fs';
import { childrenOf, type Site, type Spawned, spawnGroup } from '../../faults/support/storm.ts';
import { eventually } from '../../support/temporary.ts';
import { CALL_MS, Machines } from './machines.ts';

export type { Running, Said } from './machines.ts';

export const BRICKS = ['b1', 'b2', 'b3'] as const;
export type BrickName = (typeof BRICKS)[number];
export type ClientName = 'c1' | 'c2';
export type MachineName = BrickName | ClientName;

export class Cluster extends Machines<MachineName> {
  /** Where c1 and c2 have the volume. */
  readonly mount: string;

  /** `bricks`: directories for the three, of disks of their own. In a directory that was used before, the volume is as it was. */
  static async start(directory: string, bricks: readonly string[] = []): Promise<Cluster> {
    for (const [at, brick] of bricks.entries()) {
      for (const path of [brick, `${directory}/${BRICKS[at]}`]) mkdirSync(path, { recursive: true });
      symlinkSync(brick, `${directory}/${BRICKS[at]}/brick`);
    }
    const cluster = new Cluster(directory);
    await cluster.ready();
    return cluster;
  }

  constructor(directory: string) {
    super('cluster.sh', directory);
    this.mount = `${directory}/mnt`;
  }

  /** The volume as that machine has it, for who is on none of them. */
  mountOf(machine: ClientName): string {
    return `/proc/${this.pidOf(machine)}/root${this.mount}`;
  }

  /** To start processes there that are to be killed. */
  site(machine: MachineName): Site {
    return {
      name: machine,
      start: async (program, args) => {
        const { pid, ended } = spawnGroup('nsenter', this.command(machine, [program, ...args]), process.env);
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
}
