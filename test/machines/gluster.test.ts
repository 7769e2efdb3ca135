/**
 * Queue directories worked from two machines, over a GlusterFS volume with three replicas. Machines are namespaces of
 * this one: each has its network, its processes, its name and its boot id, so that workers take each other for foreign.
 */

import { describe, expect, it } from 'vitest';
import { LONGER, lacking } from '../faults/support/needs.ts';
import { INTRAY } from '../support/intray-cli.ts';
import { TOOLS, useGround } from './gluster/ground.ts';
import { powerCutsOfBricks } from './gluster/power-cuts.ts';
import { workersOfTwoMachines } from './gluster/workers.ts';

const reason = lacking({ tools: TOOLS, mounts: true });

describe.skipIf(reason !== undefined)(
  `a GlusterFS volume${reason === undefined ? '' : ` (${reason})`}`,
  { timeout: 600_000 * LONGER },
  () => {
    const ground = useGround();

    describe('and workers of two machines', () => workersOfTwoMachines(ground));

    it('is known to doctor', () => {
      const said = ground.cluster.call('c1', [INTRAY, 'doctor', ground.cluster.mount]).stdout;
      expect(said).toContain('fuse.glusterfs');
      expect(said).toMatch(/yes +flock between hosts/);
      expect(said).toContain('attribute-timeout=0');
    });

    // The last: all machines begin again.
    describe('whose machines all lose their power', () => powerCutsOfBricks(ground));
  },
);
