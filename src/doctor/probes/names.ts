/** What a name may be. Our own are plain and short; those of other programs and senders need not be. */

import { isThere } from '../../os/if-there.ts';
import { hasErrno } from '../../os/ports.ts';
import { put } from '../bench.ts';
import { type Bench, fails, holds, type Probe } from '../probe.ts';

/** NAME_MAX of Linux. */
const LONGEST_BYTES = 255;

export const longNames: Probe = {
  name: 'long-names',
  title: 'long names',
  measure: async (bench) => {
    let fits = 0;
    let beyond = LONGEST_BYTES + 1;
    for (let tried = LONGEST_BYTES; beyond - fits > 1; tried = (fits + beyond) >> 1) {
      if (await comesBack(bench, 'n'.repeat(tried))) fits = tried;
      else beyond = tried;
    }
    const numbers = { longestBytes: fits };
    const seen = `up to ${fits} bytes`;
    return fits === LONGEST_BYTES ? holds(seen, numbers) : fails(seen, numbers);
  },
};

export const oddNames: Probe = {
  name: 'odd-names',
  title: 'names that are not UTF-8, or have a newline',
  measure: async (bench) => {
    if (!(await comesBack(bench, 'odd-\udce9-latin-1')))
      return fails('a name that is not UTF-8 is refused or changed');
    if (!(await comesBack(bench, 'odd-\n-line'))) return fails('a name with a newline is refused or changed');
    return holds('kept as they are');
  },
};

export const letterCase: Probe = {
  name: 'letter-case',
  title: 'capital and small letters',
  measure: async (bench) => {
    const path = await put(bench, 'case-abc');
    const same = await isThere(bench.machine, path.replace('case-abc', 'CASE-ABC'));
    return same ? fails('names that differ only in them are the same') : holds('make different names');
  },
};

/** Whether a file can have this name, and a listing has it too. */
async function comesBack(bench: Bench, name: string): Promise<boolean> {
  const { files } = bench.machine;
  try {
    await put(bench, name);
  } catch (error) {
    if (hasErrno(error, 'ENAMETOOLONG', 'EILSEQ', 'EINVAL', 'ENOENT', 'EIO', 'EPROTO')) return false;
    throw error;
  }
  return (await files.readdir(bench.directory)).some((entry) => entry.name === name);
}
