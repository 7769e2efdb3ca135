import { mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Descriptor, Files } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { SharedSync } from '../../src/queue/shared-sync.ts';
import { systemError } from '../support/faulty-files.ts';
import { openDescriptors, useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();

/** A disk that is busy until it is told to end. */
function slowDisk() {
  const running: { readonly descriptors: readonly Descriptor[]; end(error?: Error): void }[] = [];
  let begun = 0;
  const files: Files = {
    ...realMachine.files,
    fsyncAll: (descriptors) =>
      new Promise((resolve, reject) => {
        begun += 1;
        running.push({ descriptors, end: (error) => (error === undefined ? resolve() : reject(error)) });
      }),
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return {
    files,
    begun: () => begun,
    /** Lets what can go on go on, ends the sync that runs, and lets go on again. */
    end: async (error?: Error) => {
      await turn();
      running.shift()?.end(error);
      await turn();
    },
    turn,
  };
}

/** Notes when a promise has settled. */
function watched(promise: Promise<void>) {
  const state = { is: 'waiting' };
  promise.then(
    () => {
      state.is = 'done';
    },
    (error: Error) => {
      state.is = error.message;
    },
  );
  return state;
}

describe('a shared sync', () => {
  it('is one for all who come while the disk is busy, and never the one that had begun before', async () => {
    const disk = slowDisk();
    const sync = new SharedSync(disk.files);
    const first = watched(sync.sync(temporary.path()));
    await disk.turn();
    const later = [1, 2, 3].map(() => watched(sync.sync(temporary.path())));
    await disk.turn();
    expect(disk.begun()).toBe(1);
    await disk.end();
    expect(first.is).toBe('done');
    expect(later.map(({ is }) => is)).toEqual(['waiting', 'waiting', 'waiting']);
    expect(disk.begun()).toBe(2);
    const last = watched(sync.sync(temporary.path()));
    await disk.end();
    expect(later.map(({ is }) => is)).toEqual(['done', 'done', 'done']);
    expect(last.is).toBe('waiting');
    await disk.end();
    expect(last.is).toBe('done');
    expect(disk.begun()).toBe(3);
    await sync.close();
  });

  it('of two directories is two', async () => {
    mkdirSync(temporary.path('a'));
    const disk = slowDisk();
    const sync = new SharedSync(disk.files);
    const both = [watched(sync.sync(temporary.path('a'))), watched(sync.sync(temporary.path()))];
    await disk.turn();
    expect(disk.begun()).toBe(2);
    await disk.end();
    await disk.end();
    expect(both.map(({ is }) => is)).toEqual(['done', 'done']);
    await sync.close();
  });

  it('that fails is told to those whose sync it was; the next has its own', async () => {
    const disk = slowDisk();
    const sync = new SharedSync(disk.files);
    const first = watched(sync.sync(temporary.path()));
    await disk.turn();
    const second = watched(sync.sync(temporary.path()));
    await disk.end(systemError('EIO', 'fsync'));
    expect(first.is).toContain(temporary.path());
    expect(second.is).toBe('waiting');
    await disk.end();
    expect(second.is).toBe('done');
    await sync.close();
  });

  it('wakes no thread for somebody who is alone, and fails in the same way', async () => {
    const disk = slowDisk();
    let error: Error | undefined;
    const files: Files = {
      ...disk.files,
      fsync: (descriptor) => {
        if (error !== undefined) throw error;
        return realMachine.files.fsync(descriptor);
      },
    };
    const sync = new SharedSync(files);
    await sync.sync(temporary.path(), { isAlone: true });
    expect(disk.begun()).toBe(0);
    error = systemError('EIO', 'fsync');
    await expect(sync.sync(temporary.path(), { isAlone: true })).rejects.toMatchObject({
      code: 'not-durable',
    });
    error = systemError('EINVAL', 'fsync');
    await sync.sync(temporary.path(), { isAlone: true });
    await sync.close();
  });

  it('throws not-durable', async () => {
    const disk = slowDisk();
    const sync = new SharedSync(disk.files);
    const failed = expect(sync.sync(temporary.path())).rejects.toMatchObject({ code: 'not-durable' });
    await disk.end(systemError('EIO', 'fsync'));
    await failed;
    await expect(sync.sync(temporary.path('missing'))).rejects.toMatchObject({ code: 'not-durable' });
    await sync.close();
  });

  it.each(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])(
    'that cannot be had there (%s) is none',
    async (code) => {
      const disk = slowDisk();
      const sync = new SharedSync(disk.files);
      const asked = watched(sync.sync(temporary.path()));
      await disk.end(systemError(code, 'fsync'));
      expect(asked.is).toBe('done');
      await sync.close();
    },
  );

  it('of a directory that may not be opened is left to the file system', async () => {
    const files: Files = {
      ...realMachine.files,
      open: () => Promise.reject(systemError('EACCES', 'open')),
    };
    const sync = new SharedSync(files);
    await sync.sync(temporary.path());
    await sync.close();
  });

  it('opens a directory once, and lets go of it', async () => {
    const before = openDescriptors().length;
    const sync = new SharedSync(realMachine.files);
    await Promise.all([1, 2, 3].map(() => sync.sync(temporary.path())));
    expect(openDescriptors().length).toBe(before + 1);
    await sync.close();
    expect(openDescriptors().length).toBe(before);
  });
});
