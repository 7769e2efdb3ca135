/**
 * Queue directories worked from two machines, over a GlusterFS volume with three replicas. Machines are namespaces of
 * this one: each has its network, its processes, its name and its boot id, so that workers take each other for foreign.
 */

import { describe, expect, it } from 'vitest';
import { LONGER, lacking } from '../faults/support/needs.ts';
import { INTRAY } from '../support/intray-cli.ts';
import { eventually } from '../support/temporary.ts';
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
      expect(said('c1')).toContain('fuse.glusterfs');
      expect(said('c1')).toMatch(/yes +flock between hosts/);
      expect(said('c1')).toMatch(/yes +settings of a volume +as they should be/);
      ground.setVolume('ctime', 'on');
      try {
        await eventually(() => expect(said('c2')).toMatch(/NO +settings of a volume +not off: ctime/));
        expect(said('c2')).toMatch(/NO +workers on several machines/);
      } finally {
        ground.setVolume('ctime', 'off');
      }
      await eventually(() => expect(said('c2')).toMatch(/yes +settings of a volume/));
    });

    describe('and kill -9 at any moment', () => stormsOnTwoMachines(ground));

    describe('and the clocks of its machines', () => clocksThatDiffer(ground));

    // The last: all machines begin again.
    describe('whose machines all lose their power', () => powerCutsOfBricks(ground));
  },
);
