import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Descriptor, Files } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { type Durability, publish, syncDirectory } from '../../src/queue/publish.ts';
import { failEachCall, faultyFiles, systemError } from '../support/faulty-files.ts';
import { CHANGES, recordingFiles } from '../support/recording-files.ts';
import { openDescriptors, useTemporary } from '../support/temporary.ts';

const { files: real } = realMachine;
const temporary = useTemporary();

function publishTo(
  directory: string,
  files: Files,
  options: {
    readonly durability?: Durability;
    readonly write?: (target: Descriptor) => Promise<number>;
  } = {},
) {
  const { durability = 'power-safe' } = options;
  const write =
    options.write ??
    (async (target) => {
      await files.write(target, Buffer.from('con'));
      await files.write(target, Buffer.from('tent'));
      return 7;
    });
  return publish(files, { directory, temporaryName: 'tmp-x', name: 'x', durability, write });
}

describe('publish', () => {
  it('puts the whole file in place and says so', async () => {
    const directory = temporary.path();
    expect(await publishTo(directory, real)).toEqual({ path: `${directory}/x`, nameSync: 'synced', size: 7 });
    expect(readdirSync(directory)).toEqual(['x']);
    expect(readFileSync(`${directory}/x`, 'utf8')).toBe('content');
  });

  it('syncs the content before the rename and the name after it', async () => {
    const directory = temporary.path();
    const recording = recordingFiles(real);
    await publishTo(directory, recording.files);
    expect(recording.told(directory, ...CHANGES, 'open', 'close')).toEqual([
      'open tmp-x',
      'write tmp-x',
      'write tmp-x',
      'fsync tmp-x',
      'close tmp-x',
      'rename tmp-x x',
      'open .',
      'fsync .',
      'close .',
    ]);
  });

  it('at level crash-safe syncs nothing', async () => {
    const directory = temporary.path();
    const recording = recordingFiles(real);
    const published = await publishTo(directory, recording.files, { durability: 'crash-safe' });
    expect(published.nameSync).toBe('unasked');
    expect(recording.told(directory, ...CHANGES)).toEqual(['write tmp-x', 'write tmp-x', 'rename tmp-x x']);
    expect(readFileSync(`${directory}/x`, 'utf8')).toBe('content');
  });

  it('does not trust a write that came short', async () => {
    const directory = temporary.path();
    const write = async (target: Descriptor) => {
      await real.write(target, Buffer.from('123'));
      return 4;
    };
    await expect(publishTo(directory, real, { write })).rejects.toMatchObject({
      code: 'not-written',
      message: `${directory}/tmp-x: 4 bytes were written, but 3 are there`,
    });
    expect(readdirSync(directory)).toEqual([]);
  });

  it('leaves a temporary file of somebody else alone', async () => {
    const directory = temporary.path();
    writeFileSync(`${directory}/tmp-x`, 'theirs');
    await expect(publishTo(directory, real)).rejects.toMatchObject({ code: 'EEXIST' });
    expect(readFileSync(`${directory}/tmp-x`, 'utf8')).toBe('theirs');
    expect(readdirSync(directory)).toEqual(['tmp-x']);
  });

  it('removes the temporary file when the content fails, with the error of the content', async () => {
    const directory = temporary.path();
    const failure = new Error('no more content');
    const write = async (target: Descriptor) => {
      await real.write(target, Buffer.from('some'));
      throw failure;
    };
    await expect(publishTo(directory, real, { write })).rejects.toBe(failure);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('tells the first error when the clean-up fails too', async () => {
    const directory = temporary.path();
    const files = faultyFiles(real, ({ name }) =>
      name === 'fsync' ? 'EIO' : name === 'unlink' ? 'EROFS' : undefined,
    );
    await expect(publishTo(directory, files)).rejects.toMatchObject({ code: 'EIO', syscall: 'fsync' });
    expect(readdirSync(directory)).toEqual(['tmp-x']);
  });

  it('counts a failed fsync of the content as a failure, and of the name as not durable', async () => {
    const directory = temporary.path();
    const failing = (at: string) =>
      faultyFiles(real, ({ name, path }) => (name === 'fsync' && path === at ? 'EIO' : undefined));
    await expect(publishTo(directory, failing(`${directory}/tmp-x`))).rejects.toMatchObject({ code: 'EIO' });
    expect(readdirSync(directory)).toEqual([]);
    await expect(publishTo(directory, failing(directory))).rejects.toMatchObject({
      name: 'QueueError',
      code: 'not-durable',
      message: `${directory}/x: the disk did not confirm it: the disk reports an input/output error`,
    });
    expect(readdirSync(directory)).toEqual(['x']);
  });

  /** A server that has renamed the file, but whose answer got lost: the second try finds nothing to rename. */
  function answerLost(files: Files): Files {
    return {
      ...files,
      rename: async (from, to) => {
        await real.rename(from, to);
        throw systemError('ENOENT', 'rename', from);
      },
    };
  }

  it('believes the directory when a rename says it failed, but the file is there', async () => {
    const directory = temporary.path();
    const published = await publishTo(directory, answerLost(real));
    expect(published).toEqual({ path: `${directory}/x`, nameSync: 'synced', size: 7 });
    expect(readdirSync(directory)).toEqual(['x']);
  });

  it('says not-durable when nobody can tell whether a rename has happened', async () => {
    const directory = temporary.path();
    const files = faultyFiles(real, ({ name }) => (name === 'stat' ? 'EIO' : undefined));
    await expect(publishTo(directory, answerLost(files))).rejects.toMatchObject({
      code: 'not-durable',
      message: `${directory}/x: the disk did not confirm it: the disk reports an input/output error`,
    });
    expect(readdirSync(directory)).toEqual(['x']);
  });

  it.each(['EIO', 'ENOSPC', 'EDQUOT', 'EROFS'])(
    'with %s from any call leaves the file or nothing',
    async (code) => {
      let round = 0;
      const calls = await failEachCall(real, code, async (faulty, failed) => {
        const directory = temporary.path(`${round++}`);
        mkdirSync(directory);
        const before = openDescriptors();
        const outcome = await publishTo(directory, faulty).catch((error: unknown) => error);
        expect(openDescriptors()).toEqual(before);
        const there = readdirSync(directory);
        if (outcome instanceof Error) {
          const durable = (outcome as { code?: unknown }).code !== 'not-durable';
          expect(there).toEqual(durable ? [] : ['x']);
        } else {
          expect(there).toEqual(['x']);
          expect(readFileSync(`${directory}/x`, 'utf8')).toBe('content');
          expect([undefined, 'close']).toContain(failed()?.name);
        }
      });
      expect(calls).toBe(10);
    },
  );
});

describe('syncDirectory', () => {
  const failing = (call: keyof Files, code: string) =>
    faultyFiles(real, ({ name }) => (name === call ? code : undefined));

  it('confirms', async () => {
    expect(await syncDirectory(real, temporary.path(), 'x')).toBe('synced');
  });

  it.each(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])(
    'takes %s as a file system without it',
    async (code) => {
      expect(await syncDirectory(failing('fsync', code), temporary.path(), 'x')).toBe('unsupported');
    },
  );

  it('cannot ask for a directory it may write but not read', async () => {
    expect(await syncDirectory(failing('open', 'EACCES'), temporary.path(), 'x')).toBe('not-permitted');
  });

  it.each([
    ['open', 'EMFILE'],
    ['open', 'EIO'],
    ['fsync', 'EIO'],
    ['fsync', 'ENOSPC'],
  ] as const)('says not-durable when %s fails with %s', async (call, code) => {
    const error = await syncDirectory(failing(call, code), temporary.path(), 'x').catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'not-durable', cause: systemError(code, call, temporary.path()) });
  });

  it('is for directories', async () => {
    writeFileSync(temporary.path('x'), '');
    const error = await syncDirectory(real, temporary.path('x'), 'x').catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'not-durable', cause: { code: 'ENOTDIR' } });
  });

  it('does not mind a directory that will not close', async () => {
    const before = openDescriptors();
    expect(await syncDirectory(failing('close', 'EIO'), temporary.path(), 'x')).toBe('synced');
    expect(openDescriptors()).toEqual(before);
  });
});
