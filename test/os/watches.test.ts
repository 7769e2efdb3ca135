/** File events as Node tells them. What Bun does differently would show in bun.test.ts, which asks both the same. */

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { SystemError } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { temporaryDirectory } from './checked.ts';

const ROOT = join(import.meta.dirname, '../..');

/** A watch whose next word can be waited for. */
async function watched(directory: string) {
  const told: (string | SystemError)[] = [];
  let wake = () => {};
  const hear = (word: string | SystemError) => {
    told.push(word);
    wake();
  };
  const end = await realMachine.watches.watch(directory, { onChange: () => hear('change'), onLost: hear });
  onTestFinished(end);
  return {
    end,
    told,
    async next(): Promise<string | SystemError> {
      while (told.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return told.shift() ?? '';
    },
  };
}

/** By now everything that happened before has been told. */
async function settled(): Promise<void> {
  const directory = temporaryDirectory();
  const other = await watched(directory);
  fs.writeFileSync(join(directory, 'mark'), '');
  await other.next();
}

describe('a watch', () => {
  test('tells of names, not of bytes, nor of what is further down', async () => {
    const directory = temporaryDirectory();
    fs.mkdirSync(join(directory, 'sub'));
    fs.writeFileSync(join(directory, 'file'), '');
    const watch = await watched(directory);
    fs.appendFileSync(join(directory, 'file'), 'more');
    fs.utimesSync(join(directory, 'file'), 1, 1);
    fs.chmodSync(join(directory, 'file'), 0o600);
    fs.writeFileSync(join(directory, 'sub/file'), '');
    await settled();
    expect(watch.told).toEqual([]);
    fs.linkSync(join(directory, 'file'), join(directory, 'link'));
    expect(await watch.next()).toBe('change');
  });

  test('tells a burst a few times, though the kernel keeps only 16,384 of them', async () => {
    const directory = temporaryDirectory();
    const watch = await watched(directory);
    for (let at = 0; at < 9_000; at++) {
      fs.writeFileSync(join(directory, 'a'), '');
      fs.unlinkSync(join(directory, 'a'));
    }
    expect(await watch.next()).toBe('change');
    await settled();
    expect(watch.told.length).toBeLessThan(100);
  });

  test('is lost with its directory, even when that event is lost in a burst', async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'watched');
    fs.mkdirSync(path);
    const watch = await watched(path);
    for (let at = 0; at < 9_000; at++) fs.writeFileSync(join(path, `${at}`), '');
    fs.rmSync(path, { recursive: true });
    fs.mkdirSync(join(directory, 'takes the inode number'));
    fs.mkdirSync(path);
    expect(await watch.next()).toMatchObject({ code: 'ENOENT', syscall: 'watch', path });
    fs.writeFileSync(join(path, 'in another directory'), '');
    await settled();
    expect(watch.told).toEqual([]);
  });

  test('is lost with its directory, even when a new one is there at once, with the same inode number', async () => {
    const path = join(temporaryDirectory(), 'watched');
    fs.mkdirSync(path);
    const watch = await watched(path);
    fs.rmdirSync(path);
    fs.mkdirSync(path);
    expect(await watch.next()).toMatchObject({ code: 'ENOENT' });
  });

  test('is lost when its directory is moved away', async () => {
    const directory = temporaryDirectory();
    fs.mkdirSync(join(directory, 'before'));
    const watch = await watched(join(directory, 'before'));
    fs.renameSync(join(directory, 'before'), join(directory, 'after'));
    expect(await watch.next()).toMatchObject({ code: 'ENOENT' });
  });

  test('tells nothing once it is ended', async () => {
    const directory = temporaryDirectory();
    const watch = await watched(directory);
    fs.writeFileSync(join(directory, 'a'), '');
    watch.end();
    watch.end();
    await settled();
    expect(watch.told).toEqual([]);
  });

  test('is refused for what is missing or no directory', async () => {
    const path = join(temporaryDirectory(), 'file');
    await expect(watched(path)).rejects.toMatchObject({ code: 'ENOENT' });
    fs.writeFileSync(path, '');
    await expect(watched(path)).rejects.toMatchObject({ code: 'ENOTDIR' });
  });
});

// In a user namespace the limits are our own.
const canUnshare = spawnSync('unshare', ['-Ur', 'true']).status === 0;

describe.skipIf(!canUnshare)('without inotify to spare (needs unshare -Ur)', () => {
  test.each([
    ['max_inotify_instances', 'EMFILE', 'node', process.execPath],
    ['max_inotify_instances', 'EMFILE', 'Bun', join(ROOT, 'node_modules/.bin/bun')],
    ['max_inotify_watches', 'ENOSPC', 'node', process.execPath],
    ['max_inotify_watches', 'ENOSPC', 'Bun', join(ROOT, 'node_modules/.bin/bun')],
  ])('%s makes a watch fail with %s in %s', (limit, code, _, runtime) => {
    const script = `import { realMachine } from '${ROOT}/dist/os/real/index.js';
      try { realMachine.watches.watch('/', {}); } catch (error) { process.stdout.write(error.code); }`;
    const file = join(temporaryDirectory(), 'watch.mjs');
    fs.writeFileSync(file, script);
    const line = `echo 0 > /proc/sys/user/${limit} && exec '${runtime}' '${file}'`;
    expect(spawnSync('unshare', ['-Ur', 'sh', '-c', line], { encoding: 'utf8' }).stdout).toBe(code);
  });
});
