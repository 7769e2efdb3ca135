import { chmodSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Descriptor, FileKind, Files, OpenMode } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { isUnfinished, markUnfinished } from '../../src/packet/pipe-mark.ts';
import { faultyFiles } from '../support/faulty-files.ts';
import { useTemporary } from '../support/temporary.ts';

const { files: real, processes } = realMachine;
const temporary = useTemporary();

const STICKY = 0o1000;

async function withFile<T>(
  use: (target: Descriptor) => Promise<T>,
  path = temporary.path('f'),
  mode: OpenMode = 'lock',
) {
  const target = await real.open(path, mode);
  try {
    return await use(target);
  } finally {
    await real.close(target);
  }
}

async function modeOf(target: Descriptor): Promise<number> {
  return (await real.fstat(target)).mode;
}

describe('the mark of an unfinished packet', () => {
  test('is on a new file from the first byte until the writer says it is done', async () => {
    writeFileSync(temporary.path('f'), '');
    chmodSync(temporary.path('f'), 0o640);
    await withFile(async (target) => {
      const finished = await markUnfinished(real, target);
      await real.write(target, Buffer.from('half'));
      expect(isUnfinished(await real.fstat(target))).toBe(true);
      expect(await modeOf(target)).toBe(0o640 | STICKY);
      await finished();
      expect(isUnfinished(await real.fstat(target))).toBe(false);
      expect(await modeOf(target)).toBe(0o640);
    });
  });

  test('is seen at the other end of a pipe', async () => {
    const { readEnd, writeEnd } = await processes.pipe();
    try {
      const finished = await markUnfinished(real, writeEnd);
      expect(isUnfinished(await real.fstat(readEnd))).toBe(true);
      await finished();
      expect(isUnfinished(await real.fstat(readEnd))).toBe(false);
    } finally {
      await real.close(readEnd);
      await real.close(writeEnd);
    }
  });

  test('is not put on a file that has something in it: it is not ours from its first byte', async () => {
    writeFileSync(temporary.path('f'), 'x');
    await withFile(async (target) => {
      const before = await modeOf(target);
      const finished = await markUnfinished(real, target);
      expect(await modeOf(target)).toBe(before);
      await finished();
      expect(await modeOf(target)).toBe(before);
    });
  });

  test.each([
    ['a device', '/dev/null', 'truncate'],
    ['a directory', '/', 'directory'],
  ] as const)('is not put on %s', async (_, path, mode) => {
    const files = faultyFiles(real, ({ name }) => (name === 'fchmod' ? 'EIO' : undefined));
    await withFile(async (target) => (await markUnfinished(files, target))(), path, mode);
  });
});

describe('a target that does not take the mark', () => {
  const refusing = (code: string) => faultyFiles(real, ({ name }) => (name === 'fchmod' ? code : undefined));

  test.each(['EPERM', 'EINVAL', 'EROFS', 'ENOTSUP', 'EFTYPE'])(
    'with %s is written without it',
    async (code) => {
      await withFile(async (target) => {
        const finished = await markUnfinished(refusing(code), target);
        await finished();
      });
    },
  );

  test('is told when the disk failed', async () => {
    await withFile(async (target) => {
      await expect(markUnfinished(refusing('EIO'), target)).rejects.toMatchObject({ code: 'EIO' });
    });
  });

  test('a mark that cannot be taken away is told', async () => {
    let changes = 0;
    const files: Files = faultyFiles(real, ({ name }) =>
      name === 'fchmod' && ++changes === 2 ? 'EIO' : undefined,
    );
    await withFile(async (target) => {
      const finished = await markUnfinished(files, target);
      await expect(finished()).rejects.toMatchObject({ code: 'EIO' });
    });
  });
});

describe('isUnfinished', () => {
  const status = (kind: FileKind, mode: number) => ({
    kind,
    mode,
    size: 0,
    inode: 1n,
    device: 1n,
    modifiedMs: 0,
  });

  test.each<[FileKind, boolean]>([
    ['fifo', true],
    ['file', true],
    ['directory', false],
    ['device', false],
    ['socket', false],
  ])('a sticky %s: %s', (kind, expected) => {
    expect(isUnfinished(status(kind, 0o1666))).toBe(expected);
    expect(isUnfinished(status(kind, 0o6777))).toBe(false);
  });
});
