import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { encodeBytes } from '../../src/os/bytes.ts';
import { hasErrno, type OpenMode } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { readExactly } from '../../src/os/transfer.ts';
import { checkLeaks, closedLater, open, temporaryDirectory } from './checked.ts';
import { flagsOf, openFifo, start } from './machine.ts';

checkLeaks();

const { files } = realMachine;
const { O_RDONLY, O_WRONLY, O_RDWR, O_NONBLOCK, O_DIRECTORY } = fs.constants;
const LASTING_FLAGS = 0o3 | O_NONBLOCK | O_DIRECTORY;
const O_CLOEXEC = 0o2000000;

async function errnoOf(step: () => unknown): Promise<string> {
  try {
    await step();
  } catch (error) {
    const { code } = error as { code: string };
    return hasErrno(error, code) ? code : `not an errno: ${String(error)}`;
  }
  return 'none';
}

describe('open', () => {
  test.each<[OpenMode, number]>([
    ['read', O_RDONLY],
    ['read-job', O_RDONLY | O_NONBLOCK],
    ['create', O_WRONLY],
    ['truncate', O_WRONLY],
    ['lock', O_RDWR],
    ['lock-present', O_RDWR],
    ['directory', O_RDONLY | O_DIRECTORY],
  ])('%s has its flags, and is closed in commands', async (mode, flags) => {
    const directory = temporaryDirectory();
    const path = join(directory, 'file');
    if (mode !== 'create') fs.writeFileSync(path, 'content');
    const descriptor = await open(mode === 'directory' ? directory : path, mode);
    expect(flagsOf(descriptor) & LASTING_FLAGS).toBe(flags);
    expect(flagsOf(descriptor) & O_CLOEXEC).toBe(O_CLOEXEC);
  });

  test('says what is missing, and makes it where it may', async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'file');
    for (const mode of ['read', 'read-job', 'lock-present', 'directory'] as const) {
      expect(await errnoOf(() => files.open(path, mode))).toBe('ENOENT');
    }
    for (const mode of ['create', 'truncate', 'lock'] as const) {
      await open(path, mode);
      expect(fs.readFileSync(path, 'utf8')).toBe('');
      fs.unlinkSync(path);
    }
  });

  test('does to what is there as the table says', async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'file');
    fs.writeFileSync(path, 'content');
    expect(await errnoOf(() => files.open(path, 'create'))).toBe('EEXIST');
    expect(await errnoOf(() => files.open(path, 'directory'))).toBe('ENOTDIR');
    expect(await errnoOf(() => files.open(directory, 'lock'))).toBe('EISDIR');
    for (const mode of ['read', 'read-job', 'lock', 'lock-present'] as const) await open(path, mode);
    expect(fs.readFileSync(path, 'utf8')).toBe('content');
    await open(path, 'truncate');
    expect(fs.readFileSync(path, 'utf8')).toBe('');
  });

  test('create does not follow a dangling link', async () => {
    const directory = temporaryDirectory();
    fs.symlinkSync(join(directory, 'target'), join(directory, 'link'));
    expect(await errnoOf(() => files.open(join(directory, 'link'), 'create'))).toBe('EEXIST');
    expect(fs.existsSync(join(directory, 'target'))).toBe(false);
  });

  test('makes files readable and writable by all, less the umask', async () => {
    const directory = temporaryDirectory();
    const umask = Number.parseInt(execFileSync('sh', ['-c', 'umask'], { encoding: 'utf8' }), 8);
    for (const mode of ['create', 'truncate', 'lock'] as const) {
      const { mode: bits } = await files.fstat(await open(join(directory, mode), mode));
      expect(bits).toBe(0o666 & ~umask);
    }
    await files.mkdir(join(directory, 'sub'));
    expect((await files.stat(join(directory, 'sub'))).mode).toBe(0o777 & ~umask);
  });

  test('read-job of a FIFO without a writer does not wait and finds nothing', async () => {
    const path = join(temporaryDirectory(), 'fifo');
    execFileSync('mkfifo', [path]);
    const descriptor = closedLater(await openFifo(path));
    expect(await readExactly(files, descriptor, 10)).toHaveLength(0);
    expect((await files.fstat(descriptor)).kind).toBe('fifo');
  });
});

describe('read and write', () => {
  test('reads elsewhere without moving', async () => {
    const path = join(temporaryDirectory(), 'file');
    fs.writeFileSync(path, '0123456789');
    const descriptor = await open(path, 'read');
    const bytes = new Uint8Array(4);
    expect(await files.readAt?.(descriptor, bytes, 1, 3, 6)).toBe(3);
    expect(new TextDecoder().decode(bytes)).toBe('\0' + '678');
    expect(await files.readAt?.(descriptor, bytes, 0, 4, 9)).toBe(1);
    expect(await files.readAt?.(descriptor, bytes, 0, 4, 10)).toBe(0);
    expect(new TextDecoder().decode(await readExactly(files, descriptor, 2))).toBe('01');
  });

  test('go on where they stopped', async () => {
    const path = join(temporaryDirectory(), 'file');
    const descriptor = await open(path, 'create');
    await files.write(descriptor, encodeBytes('one'));
    await files.write(descriptor, new Uint8Array());
    await files.write(descriptor, encodeBytes('two'));
    await files.fsync(descriptor);
    const source = await open(path, 'read');
    const buffer = new Uint8Array(8);
    expect(await files.read(source, buffer, 2, 4)).toBe(4);
    expect(buffer).toEqual(Uint8Array.of(0, 0, ...encodeBytes('onet'), 0, 0));
    expect(await files.read(source, buffer, 0, 8)).toBe(2);
    expect(await files.read(source, buffer, 0, 8)).toBe(0);
  });

  test('a directory is synced and not read', async () => {
    const descriptor = await open(temporaryDirectory(), 'directory');
    await files.fsync(descriptor);
    expect(await errnoOf(() => files.read(descriptor, new Uint8Array(1), 0, 1))).toBe('EISDIR');
  });

  test('on a closed descriptor are EBADF', async () => {
    const descriptor = await files.open(temporaryDirectory(), 'directory');
    await files.close(descriptor);
    expect(await errnoOf(() => files.read(descriptor, new Uint8Array(1), 0, 1))).toBe('EBADF');
    expect(await errnoOf(() => files.write(descriptor, new Uint8Array(1)))).toBe('EBADF');
    expect(await errnoOf(() => files.fsync(descriptor))).toBe('EBADF');
    expect(await errnoOf(() => files.fstat(descriptor))).toBe('EBADF');
    expect(await errnoOf(() => files.close(descriptor))).toBe('EBADF');
  });
});

describe('status', () => {
  test('has kind, size, all mode bits, identity and time', async () => {
    const path = join(temporaryDirectory(), 'file');
    const descriptor = await open(path, 'create');
    await files.write(descriptor, new Uint8Array(12345));
    await files.fchmod(descriptor, 0o6751);
    fs.utimesSync(path, 1, 1_795_225_283.25);
    const { ino, dev, ctimeMs } = fs.statSync(path, { bigint: true });
    const expected = {
      kind: 'file',
      size: 12345,
      mode: 0o6751,
      inode: ino,
      device: dev,
      links: 1,
      modifiedMs: 1_795_225_283_250,
      changedMs: Number(ctimeMs),
    };
    expect(await files.fstat(descriptor)).toEqual(expected);
    fs.symlinkSync(path, `${path}.link`);
    expect(await files.stat(`${path}.link`)).toEqual(expected);
  });

  test('of a dangling link is ENOENT', async () => {
    const path = join(temporaryDirectory(), 'link');
    fs.symlinkSync('nowhere', path);
    expect(await errnoOf(() => files.stat(path))).toBe('ENOENT');
    expect(await files.exists(path)).toBe(false);
  });

  test('that only says whether something is there', async () => {
    const directory = temporaryDirectory();
    const odd = join(directory, 'odd\udcff');
    expect(await files.exists(odd)).toBe(false);
    const descriptor = await open(odd, 'create');
    await files.close(descriptor);
    expect(await files.exists(odd)).toBe(true);
    expect(await files.exists(directory)).toBe(true);
    expect(await errnoOf(() => files.exists(`${odd}/below`))).toBe('ENOTDIR');
    expect(await errnoOf(() => files.exists(join(directory, 'x'.repeat(300))))).toBe('ENAMETOOLONG');
  });
});

// Each listing is read in one of two ways, by whether a name looks mangled.
describe.each([
  ['of plain names', '', 'plain'],
  ['where one name is not UTF-8', '', 'odd\udcff'],
  ['in a directory whose name is not UTF-8', 'sub\udc80', 'plain'],
  ['in such a directory, with such a name', 'sub\udc80', 'odd\udcff'],
  ['where one name has U+FFFD itself', '', 'odd\ufffd'],
])('a listing %s', (_, below, added) => {
  test('has the kind of everything, links not followed', async () => {
    const top = temporaryDirectory();
    const directory = below === '' ? top : join(top, below);
    if (below !== '') await files.mkdir(directory);
    const at = (name: string) => Buffer.from(encodeBytes(join(directory, name)));
    fs.writeFileSync(at('file'), '');
    fs.writeFileSync(at(added), '');
    fs.mkdirSync(at('directory'));
    fs.symlinkSync('file', at('link'));
    fs.symlinkSync('directory', at('link-to-directory'));
    fs.symlinkSync('nowhere', at('dangling'));
    await (await start({ program: 'mkfifo', args: [join(directory, 'fifo')] })).exit;
    const server = await listen(join(top, 'socket'));
    if (below !== '') fs.renameSync(join(top, 'socket'), at('socket'));
    const entries = await files.readdir(directory);
    await new Promise((resolve) => server.close(resolve));
    const kinds = Object.fromEntries(entries.map(({ name, kind }) => [name, kind]));
    expect(kinds).toEqual({
      file: 'file',
      [added]: 'file',
      directory: 'directory',
      link: 'link',
      'link-to-directory': 'link',
      dangling: 'link',
      fifo: 'fifo',
      socket: 'socket',
    });
    expect(entries).toHaveLength(8);
  });
});

describe('a listing', () => {
  test('knows devices', async () => {
    expect(await files.readdir('/dev')).toContainEqual({ name: 'null', kind: 'device' });
    expect((await files.stat('/dev/null')).kind).toBe('device');
  });

  test('of nothing, of what is missing, of what is none', async () => {
    const directory = temporaryDirectory();
    expect(await files.readdir(directory)).toEqual([]);
    expect(await errnoOf(() => files.readdir(join(directory, 'missing')))).toBe('ENOENT');
    fs.writeFileSync(join(directory, 'file'), '');
    expect(await errnoOf(() => files.readdir(join(directory, 'file')))).toBe('ENOTDIR');
  });
});

describe('rmdir', () => {
  test('takes an empty directory and nothing else', async () => {
    const directory = temporaryDirectory();
    const sub = join(directory, 'sub');
    await files.mkdir(sub);
    fs.writeFileSync(join(sub, 'file'), '');
    expect(await errnoOf(() => files.rmdir(sub))).toBe('ENOTEMPTY');
    expect(await errnoOf(() => files.rmdir(join(sub, 'file')))).toBe('ENOTDIR');
    fs.unlinkSync(join(sub, 'file'));
    await files.rmdir(sub);
    expect(await errnoOf(() => files.rmdir(sub))).toBe('ENOENT');
  });
});

describe('touch', () => {
  test("sets a file's time to now, through a link and with a name that is not UTF-8", async () => {
    const path = `${temporaryDirectory()}/a\udcff`;
    const reference = `${path}.new`;
    await open(path, 'create');
    fs.symlinkSync(Buffer.from(encodeBytes(path)), Buffer.from(encodeBytes(`${path}.link`)));
    for (const name of [path, `${path}.link`]) {
      fs.utimesSync(Buffer.from(encodeBytes(path)), 1, 1);
      await open(`${reference}${name.length}`, 'create');
      await files.touch(name);
      const { modifiedMs } = await files.stat(path);
      expect(modifiedMs).toBeGreaterThanOrEqual((await files.stat(`${reference}${name.length}`)).modifiedMs);
    }
  });

  test('says that a file is gone', async () => {
    const path = join(temporaryDirectory(), 'none');
    expect(await errnoOf(() => files.touch(path))).toBe('ENOENT');
    expect(await errnoOf(() => files.touch(`${path}\0`))).toBe('EINVAL');
  });
});

describe('statfs', () => {
  test('is what stat -f says', async () => {
    const directory = temporaryDirectory();
    const [type, blocks, size, inodes] = execFileSync('stat', ['-f', '-c', '%t %b %S %c', directory], {
      encoding: 'utf8',
    }).split(' ');
    const found = await files.statfs(directory);
    expect(found.type.toString(16)).toBe(type);
    expect(found.size).toBe(BigInt(blocks ?? 0) * BigInt(size ?? 0));
    expect(found.inodes).toBe(BigInt(inodes?.trim() ?? 0));
    expect(found.free).toBeLessThanOrEqual(found.size);
    expect(found.freeInodes).toBeLessThanOrEqual(found.inodes);
    expect(await errnoOf(() => files.statfs(join(directory, 'none')))).toBe('ENOENT');
  });
});

describe('names that are not UTF-8', () => {
  test('go through every call', async () => {
    const top = temporaryDirectory();
    const directory = join(top, 'd\udcc3');
    const first = join(directory, 'a\udcff');
    const second = join(directory, 'b\udc80é');
    await files.mkdir(directory);
    await open(first, 'create');
    expect(await errnoOf(() => files.open(first, 'create'))).toBe('EEXIST');
    expect((await files.stat(first)).kind).toBe('file');
    await files.link(first, second);
    expect(await errnoOf(() => files.link(first, second))).toBe('EEXIST');
    expect((await files.stat(second)).inode).toBe((await files.stat(first)).inode);
    await files.unlink(first);
    await files.rename(second, first);
    expect(await files.readdir(directory)).toEqual([{ name: 'a\udcff', kind: 'file' }]);
    expect(fs.readdirSync(Buffer.from(encodeBytes(directory)), { encoding: 'buffer' })).toEqual([
      Buffer.from([0x61, 0xff]),
    ]);
    await files.unlink(first);
    expect(await errnoOf(() => files.unlink(first))).toBe('ENOENT');
    expect(await files.readdir(directory)).toEqual([]);
  });
});

async function listen(path: string): Promise<net.Server> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return server;
}
