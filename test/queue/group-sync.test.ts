import { mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Descriptor, Files } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { GroupSync } from '../../src/queue/group-sync.ts';
import { faultyFiles, systemError } from '../support/faulty-files.ts';
import { openDescriptors, useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const FILES = [901, 902, 903, 904] as readonly number[] as readonly Descriptor[];
const [A, B, C, D] = FILES as readonly [Descriptor, Descriptor, Descriptor, Descriptor];

/** A disk that is busy with files until it is told to end; directories it syncs at once. */
function slowDisk() {
  const running: { end(error?: Error): void }[] = [];
  const begun: (readonly Descriptor[])[] = [];
  let directories = 0;
  const files: Files = {
    ...realMachine.files,
    fsyncAll: async (descriptors) => {
      if (!descriptors.every((descriptor) => FILES.includes(descriptor))) {
        directories += 1;
        return realMachine.files.fsyncAll(descriptors);
      }
      begun.push([...descriptors]);
      return new Promise((resolve, reject) => {
        running.push({ end: (error) => (error === undefined ? resolve() : reject(error)) });
      });
    },
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return {
    files,
    begun,
    directories: () => directories,
    turn,
    /** Ends the sync that runs, and lets go on what can. */
    end: async (error?: Error) => {
      running.shift()?.end(error);
      await turn();
    },
  };
}

const settled = (promise: Promise<void>) =>
  promise.then(
    () => 'done',
    (error: Error) => error.message,
  );

describe('a group sync', () => {
  it('takes all who come while the disk is busy together, and never with what had begun before', async () => {
    const disk = slowDisk();
    const sync = new GroupSync(disk.files);
    const ended: string[] = [];
    const note = (name: string, promise: Promise<void>) => promise.then(() => ended.push(name));
    const all = [note('A', sync.sync({ files: [A] }))];
    await disk.turn();
    all.push(note('B', sync.sync({ files: [B] })), note('C', sync.sync({ files: [C] })));
    await disk.turn();
    expect([disk.begun, ended]).toEqual([[[A]], []]);
    await disk.end();
    expect([disk.begun, ended]).toEqual([[[A], [B, C]], ['A']]);
    all.push(note('D', sync.sync({ files: [D] })));
    await disk.end();
    expect([disk.begun, ended]).toEqual([
      [[A], [B, C], [D]],
      ['A', 'B', 'C'],
    ]);
    await disk.end();
    await Promise.all(all);
  });

  it('asks for each directory once a round, and leaves none open', async () => {
    mkdirSync(temporary.path('a'));
    const before = openDescriptors();
    const disk = slowDisk();
    const sync = new GroupSync(disk.files);
    const both = [temporary.path(), temporary.path('a')];
    await Promise.all([sync.sync({ directories: both }), sync.sync({ directories: both })]);
    expect(disk.directories()).toBe(2);
    expect(openDescriptors()).toEqual(before);
  });

  it('that fails is told to all who went together, when nothing of it goes on any more, and to nobody else', async () => {
    const disk = slowDisk();
    const sync = new GroupSync(disk.files);
    const together = [sync.sync({ files: [A] }), sync.sync({ directories: [temporary.path('none')] })].map(
      settled,
    );
    let isTold = false;
    void Promise.race(together).then(() => {
      isTold = true;
    });
    await disk.turn();
    const later = settled(sync.sync({ files: [B] }));
    expect(isTold).toBe(false);
    await disk.end();
    expect(await Promise.all(together)).toEqual([
      expect.stringContaining('none: the disk did not confirm it'),
      expect.stringContaining('none: the disk did not confirm it'),
    ]);
    await disk.end();
    expect(await later).toBe('done');
    const refused = settled(sync.sync({ files: [C] }));
    await disk.turn();
    await disk.end(systemError('EIO', 'fsync'));
    expect(await refused).toContain('EIO');
  });

  it('leaves to the file system what it cannot be asked for', async () => {
    const unsupported = faultyFiles(realMachine.files, ({ name }) =>
      name === 'fsyncAll' ? 'EINVAL' : undefined,
    );
    const closed = faultyFiles(realMachine.files, ({ name }) => (name === 'open' ? 'EACCES' : undefined));
    for (const files of [unsupported, closed]) {
      expect(await settled(new GroupSync(files).sync({ directories: [temporary.path()] }))).toBe('done');
    }
  });
});
