/** Names that come, change and go: what publishing and claiming a job is made of. */

import { decodeBytes } from '../../os/bytes.ts';
import { isThere } from '../../os/if-there.ts';
import { type Files, hasErrno } from '../../os/ports.ts';
import { sleep } from '../../os/sleep.ts';
import { killGroup } from '../../os/stop-group.ts';
import { readExactly, readSmallFile } from '../../os/transfer.ts';
import { reasonOf } from '../../queue/errors.ts';
import { put, using } from '../bench.ts';
import { fails, holds, type Probe, unknown } from '../probe.ts';

/** How the errno of a call that a file system does not have may read. */
const NO_SUCH_CALL = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL', 'EMLINK'];

export const exclusiveCreate: Probe = {
  name: 'exclusive-create',
  title: 'exclusive create',
  measure: async (bench) => {
    const path = await put(bench, 'exclusive');
    const { files } = bench.machine;
    try {
      await using(files, await files.open(path, 'create'), async () => {});
    } catch (error) {
      if (hasErrno(error, 'EEXIST')) return holds('a name is given out once');
      throw error;
    }
    return fails('a second file could be made under the same name');
  },
};

export const hardLink: Probe = {
  name: 'link',
  title: 'hard links',
  measure: async (bench) => {
    const { files } = bench.machine;
    const path = await put(bench, 'linked', 'linked');
    const other = `${path}.link`;
    try {
      await files.link(path, other);
    } catch (error) {
      if (hasErrno(error, ...NO_SUCH_CALL)) return fails('there are none');
      throw error;
    }
    if ((await textOf(files, other)) !== 'linked') return fails('a second name leads to another file');
    try {
      await files.link(path, other);
    } catch (error) {
      if (hasErrno(error, 'EEXIST')) return holds('a file can have two names, and a name is given once');
      throw error;
    }
    return fails('a link took a name that was taken');
  },
};

export const rename: Probe = {
  name: 'rename',
  title: 'rename',
  measure: async (bench) => {
    const { files } = bench.machine;
    const before = await put(bench, 'rename-before', 'new');
    const after = await put(bench, 'rename-after', 'old');
    const below = `${bench.directory}/rename-below`;
    await files.mkdir(below);
    try {
      await files.rename(before, after);
      if ((await textOf(files, after)) !== 'new') return fails('the file in the way was not replaced');
      if (await isThere(bench.machine, before)) return fails('the old name stayed');
      await files.rename(after, `${below}/moved`);
    } catch (error) {
      if (hasErrno(error, ...NO_SUCH_CALL, 'EXDEV', 'EEXIST', 'EACCES')) {
        return fails(`it is refused: ${reasonOf(error)}`);
      }
      throw error;
    }
    if ((await textOf(files, `${below}/moved`)) !== 'new')
      return fails('a file moved down has other content');
    return holds('replaces what is there, and moves between directories');
  },
};

const REPLACEMENTS = 200;
const START_MS = 3000;
const LOOK_AGAIN_MS = 2;
const MISSED = 9;

/** Looks at a name from another process, over and over, until it is told that it is over. */
const READER = `exec 2>/dev/null
: > "$1/reader"
until [ -e "$1/over" ]; do [ -e "$1/replaced" ] || exit ${MISSED}; done`;

export const atomicRename: Probe = {
  name: 'atomic-rename',
  title: 'rename in one step',
  measure: async (bench) => {
    const { directory, machine, stop } = bench;
    const { files, clock, host, processes } = machine;
    const target = await put(bench, 'replaced');
    const args = ['-c', READER, 'sh', directory];
    const reader = await processes.spawn({ program: '/bin/sh', args, env: host.env() });
    try {
      const deadline = clock.monotonicMs() + START_MS;
      while (!(await isThere(machine, `${directory}/reader`))) {
        if (stop.aborted || clock.monotonicMs() > deadline)
          return unknown('its second process did not start');
        await sleep(clock, LOOK_AGAIN_MS);
      }
      for (let at = 0; at < REPLACEMENTS && !stop.aborted; at++) {
        await files.rename(await put(bench, `replacement-${at}`), target);
      }
      await put(bench, 'over');
      const exit = await reader.exit;
      if (exit.kind === 'exited' && exit.code === 0) return holds('the name was there all the time');
      if (exit.kind === 'exited' && exit.code === MISSED) {
        return fails('for a moment another process found nothing under the name');
      }
      return unknown('its second process was killed');
    } finally {
      if (await reader.groupExists()) await killGroup(reader);
    }
  },
};

export const openUnlinked: Probe = {
  name: 'open-unlinked',
  title: 'open files outlive their name',
  measure: async (bench) => {
    const { files } = bench.machine;
    const path = await put(bench, 'unlinked', 'still here');
    return using(files, await files.open(path, 'read'), async (file) => {
      await files.unlink(path);
      try {
        const text = decodeBytes(await readExactly(files, file, 100));
        return text === 'still here' ? holds('they can be read to the end') : fails('their content is lost');
      } catch (error) {
        if (hasErrno(error, 'ESTALE', 'EIO', 'ENOENT')) return fails('they can no longer be read');
        throw error;
      }
    });
  },
};

const TEXT_LIMIT_BYTES = 4096;

async function textOf(files: Files, path: string): Promise<string> {
  return decodeBytes(await readSmallFile(files, path, TEXT_LIMIT_BYTES));
}
