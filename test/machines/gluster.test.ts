/**
 * Queue directories worked from two machines, over a GlusterFS volume with three replicas. Machines are namespaces of
 * this one: each has its network, its processes, its name and its boot id, so that workers take each other for foreign.
 */

import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { LONGER, lacking } from '../faults/support/needs.ts';
import { INTRAY } from '../support/intray-cli.ts';
import { clocksThatDiffer } from './gluster/clocks.ts';
import { TOOLS, useGround } from './gluster/ground.ts';
import { powerCutsOfBricks } from './gluster/power-cuts.ts';
import { stormsOnTwoMachines } from './gluster/storms.ts';
import { workersOfTwoMachines } from './gluster/workers.ts';

const reason = lacking({ tools: TOOLS, mounts: true });

describe.skipIf(reason !== undefined)(
  `a GlusterFS volume${reason === undefined ? '' : ` (${reason})`}`,
  { timeout: 600_000 * LONGER },
  () => {
    const ground = useGround();

    describe('and workers of two machines', () => workersOfTwoMachines(ground));

    it('is known to doctor, who sees how it is set', async () => {
      const said = (machine: 'c1' | 'c2') =>
        ground.cluster.call(machine, [INTRAY, 'doctor', ground.cluster.mount]).stdout;
      const well = said('c1');
      expect(well).toContain('fuse.glusterfs');
      expect(well).toMatch(/yes +flock between hosts/);
      expect(well).toMatch(/yes +settings of a volume +as they should be/);
      await ground.setTimesOfFiles('by-hosts');
      try {
        const wrong = said('c2');
        expect(wrong).toMatch(/NO +settings of a volume +not off: ctime/);
        expect(wrong).toMatch(/NO +workers on several machines/);
      } finally {
        await ground.setTimesOfFiles('by-servers');
      }
    });

    describe('and kill -9 at any moment', () => stormsOnTwoMachines(ground));

    describe('and the clocks of its machines', () => clocksThatDiffer(ground));

    // Minutes: each of the suite's calls goes over the network.
    it.skipIf(LONGER === 1).each(['spool', 'dirqueue', 'fsq'])(
      'keeps the contract of queues (%s)',
      { timeout: 3_600_000 },
      async (layout) => {
        const place = `${ground.cluster.mount}/contract-${layout}`;
        const root = fileURLToPath(new URL('../..', import.meta.url));
        const suite = ['npx', 'vitest', 'run', `test/contract/${layout}.test.ts`];
        const script = 'mkdir -p "$0" && cd "$1" && shift && TMPDIR="$0" INTRAY_SLOW_DISK=1 exec "$@"';
        const { code, stdout } = await ground.cluster.run('c1', ['sh', '-c', script, place, root, ...suite])
          .ended;
        expect({ code, stdout }).toMatchObject({ code: 0 });
      },
    );

    // The last: all machines begin again.
    describe('whose machines all lose their power', () => powerCutsOfBricks(ground));
  },
);
