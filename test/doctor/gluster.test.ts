/** What the mounts of three volumes of GlusterFS 10.3 have said of themselves. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseLayers, problemsOfVolume } from '../../src/doctor/gluster.ts';

const volfile = (name: string) =>
  readFileSync(new URL(`../fixtures/glusterfs/${name}.vol`, import.meta.url), 'utf8');

const MOUNT = '/usr/sbin/glusterfs --process-name fuse --volfile-server=a --volfile-id=/jobs /mnt/jobs';
const TIMEOUTS = '--attribute-timeout=0 --entry-timeout=0 --negative-timeout=0';
const WELL_MOUNTED = MOUNT.replace(' --process-name', ` ${TIMEOUTS} --process-name`);

describe('a volume of GlusterFS', () => {
  it('is made of layers', () => {
    const layers = parseLayers(volfile('as-advised'));
    expect(layers.map(({ type }) => type)).toEqual([
      ...Array.from({ length: 3 }, () => 'protocol/client'),
      'cluster/replicate',
      'cluster/distribute',
      'debug/io-stats',
      'meta',
    ]);
    expect(layers[0]?.options.get('ping-timeout')).toBe('5');
    expect(layers[3]?.subvolumes).toEqual(['jobs-client-0', 'jobs-client-1', 'jobs-client-2']);
  });

  it('has nothing wrong when it is set as we say', () => {
    expect(problemsOfVolume(volfile('as-advised'), WELL_MOUNTED)).toEqual([]);
  });

  it('is to be mounted without memory', () => {
    expect(problemsOfVolume(volfile('as-advised'), MOUNT)).toEqual([
      'not mounted with attribute-timeout=0,entry-timeout=0,negative-timeout=0',
    ]);
    expect(
      problemsOfVolume(volfile('as-advised'), WELL_MOUNTED.replace('entry-timeout=0', 'entry-timeout=05')),
    ).toEqual(['not mounted with entry-timeout=0']);
  });

  it('of two replicas that is spread, as it comes, is not for several hosts', () => {
    expect(problemsOfVolume(volfile('defaults'), WELL_MOUNTED)).toEqual([
      'not off: performance.write-behind, performance.open-behind, performance.quick-read, performance.stat-prefetch',
      'not off: ctime',
      'fewer than 3 replicas',
      'spread over several sets of replicas, which nobody has tested',
    ]);
  });

  it('may have an arbiter for a third replica', () => {
    expect(problemsOfVolume(volfile('arbiter'), WELL_MOUNTED)).toEqual([
      expect.stringMatching(/^not off: performance\./),
      'not off: ctime',
    ]);
  });

  it('without quorum, or without replicas, is not for several hosts', () => {
    const noQuorum = volfile('as-advised').replace(
      '    type cluster/replicate',
      '$&\n    option quorum-type none',
    );
    expect(problemsOfVolume(noQuorum, WELL_MOUNTED)).toEqual(['no quorum of replicas']);
    const single = volfile('as-advised').replace('cluster/replicate', 'cluster/other');
    expect(problemsOfVolume(single, WELL_MOUNTED)).toEqual(['no replicas']);
  });
});
