import { decodeBytes } from '../../os/bytes.ts';
import { hasErrno } from '../../os/ports.ts';
import { readSmallFile } from '../../os/transfer.ts';
import { problemsOfVolume } from '../gluster.ts';
import { mountOf } from '../mount.ts';
import { fails, holds, type Probe, unknown } from '../probe.ts';

const LIMIT_BYTES = 1024 * 1024;

export const volume: Probe = {
  name: 'volume',
  title: 'settings of a volume',
  measure: async ({ machine: { files }, directory }) => {
    const mount = await mountOf(files, directory);
    if (mount?.type !== 'fuse.glusterfs') return holds('none that matter are known of this file system');
    const textOf = async (name: string) =>
      decodeBytes(await readSmallFile(files, `${mount.point}/.meta/${name}`, LIMIT_BYTES));
    try {
      const problems = problemsOfVolume(await textOf('graphs/active/volfile'), await textOf('cmdline'));
      return problems.length === 0 ? holds('as they should be') : fails(problems.join('; '));
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'EACCES', 'EPERM')) return unknown('the mount does not say');
      throw error;
    }
  },
};
