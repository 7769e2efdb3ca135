/** What the kind of file system tells, where nothing can be tried, and what room it has. */

import { locksAreLocal, storageOf } from '../file-systems.ts';
import { mountOf } from '../mount.ts';
import { type Bench, fails, holds, type Outcome, type Probe, unknown } from '../probe.ts';

export const keeps: Probe = {
  name: 'keeps',
  title: 'keeps what was synced',
  measure: async ({ machine, directory }) => {
    const mount = await mountOf(machine.files, directory);
    const type = mount?.type ?? 'this file system';
    switch (storageOf(mount?.type).keeps) {
      case 'disk-tested':
        return holds(`${type} does, as long as its disk does; its power cuts are among our tests`);
      case 'disk':
        return unknown(`${type} should, but its power cuts are not among our tests`);
      case 'memory':
        return fails(`${type} is in memory, and gone with the power`);
      case 'server':
        return unknown(`the server of this ${type} decides`);
      case 'unknown':
        return unknown(`what lies below ${type} decides`);
    }
  },
};

export const lockHosts: Probe = {
  name: 'lock-hosts',
  title: 'flock between hosts',
  measure: async ({ machine, directory }: Bench): Promise<Outcome> => {
    const mount = await mountOf(machine.files, directory);
    const type = mount?.type ?? 'this file system';
    const { locks, mountWith } = storageOf(mount?.type);
    if (locks === 'host') return holds('nobody but this host can reach it');
    if (locks === 'server-tested') {
      return holds(`hosts that share ${type} keep each other out; each must mount it with ${mountWith}`);
    }
    if (locks === 'mount') return fails(`with ${type} a lock holds within one mount only`);
    if (locks === 'server' && mount !== undefined && locksAreLocal(mount.options)) {
      return fails(`mounted with ${mount.options}, so that locks stay on this host`);
    }
    if (locks === 'server') return unknown(`${type} should; from one host it cannot be tried`);
    return unknown(`not known of ${type}`);
  },
};

const LEAST_BYTES = 64n * 1024n * 1024n;
const LEAST_FILES = 100n;
const MIB = 1024n * 1024n;

export const space: Probe = {
  name: 'space',
  title: 'room',
  measure: async ({ machine, directory }) => {
    const { free, inodes, freeInodes } = await machine.files.statfs(directory);
    const numbers = { freeBytes: Number(free), freeInodes: Number(freeInodes) };
    // Some file systems make inodes as they need them, and say 0 of 0.
    const files = inodes === 0n ? '' : ` and ${freeInodes} files`;
    const seen = `${free / MIB} MiB${files} are free`;
    const little = free < LEAST_BYTES || (inodes > 0n && freeInodes < LEAST_FILES);
    return little ? fails(`only ${seen}`, numbers) : holds(seen, numbers);
  },
};
