/** Machines made of namespaces that share a GlusterFS volume: see cluster.sh. */

import { Machines } from './machines.ts';

export type MachineName = 'b1' | 'b2' | 'b3' | 'c1' | 'c2';

export class Cluster extends Machines<MachineName> {
  /** Where c1 and c2 have the volume. */
  readonly mount: string;

  static async start(directory: string): Promise<Cluster> {
    const cluster = new Cluster(directory);
    await cluster.ready();
    return cluster;
  }

  constructor(directory: string) {
    super('cluster.sh', directory);
    this.mount = `${directory}/mnt`;
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
}
