import fs from 'node:fs';
import { decodeBytes, encodeBytes, looksMangled, needsBytes } from '../bytes.ts';
import {
  type Descriptor,
  type DirectoryEntry,
  type FileKind,
  type Files,
  hasErrno,
  type OpenMode,
} from '../ports.ts';
import { isFuse, rewriteFirstByte } from './fuse.ts';
import { cString, native, systemError } from './native.ts';
import { syncNow, syncTogether } from './sync-together.ts';

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND } = fs.constants;
const { O_NONBLOCK, O_NOCTTY, O_NOFOLLOW, O_DIRECTORY } = fs.constants;

/** fcntl.h: a path that is not absolute is meant from our working directory. */
const AT_FDCWD = -100;
/** No times given: now, by the clock of the file's own keeper. See utimensat(2). */
const NO_TIMES = 0;

const FLAGS: Record<OpenMode, number> = {
  read: O_RDONLY,
  'read-job': O_RDONLY | O_NONBLOCK | O_NOCTTY,
  'read-own': O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW,
  create: O_WRONLY | O_CREAT | O_EXCL,
  truncate: O_WRONLY | O_CREAT | O_TRUNC,
  append: O_WRONLY | O_CREAT | O_APPEND,
  lock: O_RDWR | O_CREAT,
  'lock-present': O_RDWR,
  directory: O_RDONLY | O_DIRECTORY,
  trigger: O_WRONLY | O_NONBLOCK,
};

/** New files are readable and writable by all, less the umask. */
const NEW_FILE_MODE = 0o666;

/** How long to wait before asking a descriptor that said EAGAIN again. */
const RETRY_MS = 5;

/** The real file system, by synchronous calls: see "Runtime" in docs/decisions/0002-steps.md for why. */
export const realFiles: Files = {
  open: (path, mode) => fs.openSync(raw(path), FLAGS[mode], NEW_FILE_MODE) as Descriptor,
  close: (descriptor) => fs.closeSync(descriptor),
  read: (descriptor, buffer, offset, length) => {
    for (;;) {
      try {
        return fs.readSync(descriptor, buffer, offset, length, null);
      } catch (error) {
        if (hasErrno(error, 'EINTR')) continue;
        if (!hasErrno(error, 'EAGAIN')) throw error;
        pause();
      }
    }
  },
  readAside: (descriptor, buffer, offset, length) =>
    new Promise((resolve, reject) => {
      fs.read(descriptor, buffer, offset, length, null, (error, count) =>
        error === null ? resolve(count) : reject(error),
      );
    }),
  readAt: (descriptor, buffer, offset, length, position) =>
    fs.readSync(descriptor, buffer, offset, length, position),
  write: (descriptor, bytes) => {
    let written = 0;
    while (written < bytes.length) {
      try {
        written += fs.writeSync(descriptor, bytes, written, bytes.length - written, null);
      } catch (error) {
        if (hasErrno(error, 'EINTR')) continue;
        if (!hasErrno(error, 'EAGAIN')) throw error;
        pause();
      }
    }
  },
  writeAside: async (descriptor, bytes) => {
    for (let written = 0; written < bytes.length; ) written += await writeSome(descriptor, bytes, written);
  },
  writeNow: (descriptor, bytes) => fs.writeSync(descriptor, bytes),
  writeAt: (descriptor, bytes, position) => {
    fs.writeSync(descriptor, bytes, 0, bytes.length, position);
  },
  fsync: syncNow,
  // At the next turn of the event loop a command that was to be started is running, and the disk works beside it.
  // A thread of the pool would do the same for more: its two wake-ups cost more than this fsync often does.
  fsyncAside: (descriptor) =>
    new Promise((resolve, reject) => {
      setImmediate(() => {
        try {
          resolve(syncNow(descriptor));
        } catch (error) {
          reject(error);
        }
      });
    }),
  fsyncAll: syncTogether,
  fstat: (descriptor) => status(fs.fstatSync(descriptor, { bigint: true })),
  fchmod: (descriptor, mode) => fs.fchmodSync(descriptor, mode),
  fchown: (descriptor, user, group) => fs.fchownSync(descriptor, user, group),
  stat: (path) => status(fs.statSync(raw(path), { bigint: true })),
  exists: (path) => fs.statSync(raw(path), { throwIfNoEntry: false }) !== undefined,
  readdir: (path) => {
    const entries = fs.readdirSync(raw(path), { withFileTypes: true });
    // A name with U+FFFD may have been another sequence of bytes: only then is the directory read again, raw.
    if (entries.some((entry) => looksMangled(entry.name))) return readRawNames(path);
    return entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) }));
  },
  rename: (from, to) => fs.renameSync(raw(from), raw(to)),
  link: (existing, added) => fs.linkSync(raw(existing), raw(added)),
  unlink: (path) => fs.unlinkSync(raw(path)),
  mkfifo: async (path) => {
    const { library, errno } = await native();
    if (library.mkfifo(cString(path, 'mkfifo'), NEW_FILE_MODE) !== 0)
      throw systemError(errno(), 'mkfifo', path);
  },
  mkdir: (path) => fs.mkdirSync(raw(path)),
  rmdir: (path) => fs.rmdirSync(raw(path)),
  touch: async (path) => {
    const named = cString(path, 'utimensat');
    if (isFuse(raw(path)) && rewriteFirstByte(raw(path))) return;
    // Node's own utimes always names a time, by the clock of this host.
    const { library, errno } = await native();
    const failed = library.utimensat(AT_FDCWD, named, NO_TIMES, 0);
    if (failed !== 0) throw systemError(errno(), 'utimensat', path);
  },
  realPath: (path) => decodeBytes(fs.realpathSync.native(raw(path), 'buffer')),
  statfs: (path) => {
    const { type, bsize, blocks, bavail, files, ffree } = fs.statfsSync(raw(path), { bigint: true });
    return { type, size: blocks * bsize, free: bavail * bsize, inodes: files, freeInodes: ffree };
  },
};

/** 0 when the other end has set it non-blocking and it is full. */
function writeSome(descriptor: Descriptor, bytes: Uint8Array, from: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.write(descriptor, bytes, from, bytes.length - from, null, (error, count) => {
      if (error === null) resolve(count);
      else if (hasErrno(error, 'EAGAIN')) setTimeout(resolve, RETRY_MS, 0);
      else reject(error);
    });
  });
}

/** A path as node:fs takes it. */
export function raw(path: string): string | Buffer {
  return needsBytes(path) ? Buffer.from(encodeBytes(path)) : path;
}

/** Bun gives no names for Buffer entries withFileTypes, so each kind is asked for. */
function readRawNames(path: string): DirectoryEntry[] {
  const entries: DirectoryEntry[] = [];
  for (const bytes of fs.readdirSync(raw(path), { encoding: 'buffer' })) {
    const name = decodeBytes(bytes);
    try {
      entries.push({ name, kind: kindOf(fs.lstatSync(raw(`${path}/${name}`))) });
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error; // gone since the listing
    }
  }
  return entries;
}

type Kinds = Pick<
  fs.Dirent,
  'isFile' | 'isDirectory' | 'isSymbolicLink' | 'isFIFO' | 'isSocket' | 'isBlockDevice' | 'isCharacterDevice'
>;

function kindOf(entry: Kinds): FileKind {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  if (entry.isSymbolicLink()) return 'link';
  if (entry.isFIFO()) return 'fifo';
  if (entry.isSocket()) return 'socket';
  if (entry.isBlockDevice() || entry.isCharacterDevice()) return 'device';
  return 'unknown';
}

function status(from: fs.BigIntStats) {
  return {
    kind: kindOf(from),
    size: Number(from.size),
    mode: Number(from.mode & 0o7777n),
    inode: from.ino,
    device: from.dev,
    links: Number(from.nlink),
    modifiedMs: Number(from.mtimeMs),
    changedMs: Number(from.ctimeMs),
  };
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
}
