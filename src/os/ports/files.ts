/** Files and directories. */

import type { Descriptor, Step } from './step.ts';

/**
 * How to open a file.
 *
 * | mode         | open(2) flags                    | for |
 * |--------------|----------------------------------|-----|
 * | read         | RDONLY                           | a file the user named: may wait for the writer of a FIFO |
 * | read-job     | RDONLY NONBLOCK NOCTTY           | a file found in a directory: never waits, whatever it is |
 * | read-own     | the same and NOFOLLOW            | the same, and no other file: a symbolic link is ELOOP |
 * | create       | WRONLY CREAT EXCL                | a new file; EEXIST when the name is taken |
 * | truncate     | WRONLY CREAT TRUNC               | a file of our own, written from its start |
 * | lock         | RDWR CREAT                       | a lock file, made when missing |
 * | lock-present | RDWR                             | a lock file that must be there already |
 * | append       | WRONLY CREAT APPEND              | a log: each write goes to its end |
 * | directory    | RDONLY DIRECTORY                 | fsync of a directory |
 * | trigger      | WRONLY NONBLOCK                  | a FIFO that somebody may listen to; ENXIO when nobody does |
 */
export type OpenMode =
  | 'read'
  | 'read-job'
  | 'read-own'
  | 'create'
  | 'truncate'
  | 'append'
  | 'lock'
  | 'lock-present'
  | 'directory'
  | 'trigger';

export type FileKind = 'file' | 'directory' | 'link' | 'fifo' | 'socket' | 'device' | 'unknown';

export type FileStatus = {
  readonly kind: FileKind;
  /** Bytes. */
  readonly size: number;
  /** Permission bits with setuid, setgid and sticky: `st_mode & 0o7777`. */
  readonly mode: number;
  readonly inode: bigint;
  readonly device: bigint;
  /** How many names it has; left out by machines that do not know. */
  readonly links?: number;
  /** Last change of the content, milliseconds since 1970. */
  readonly modifiedMs: number;
  /** Last change of the content, the mode or a name, a rename among them; where the machine knows it. */
  readonly changedMs?: number;
};

export type DirectoryEntry = { readonly name: string; readonly kind: FileKind };

export interface Files {
  open(path: string, mode: OpenMode): Step<Descriptor>;
  close(descriptor: Descriptor): Step<void>;
  /**
   * Reads up to `length` bytes at the descriptor's own position and moves it. 0 means end of file. A terminal
   * or pipe that was set non-blocking is waited for.
   */
  read(descriptor: Descriptor, buffer: Uint8Array, offset: number, length: number): Step<number>;
  /** The same for a pipe that may bring nothing for long: what else this process has to do goes on meanwhile. */
  readAside(descriptor: Descriptor, buffer: Uint8Array, offset: number, length: number): Promise<number>;
  /** The same at `position`; the descriptor's own position stays. Left out by machines on which nobody looks on. */
  readAt?(
    descriptor: Descriptor,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Step<number>;
  /** Writes all of `bytes` at the descriptor's own position. */
  write(descriptor: Descriptor, bytes: Uint8Array): Step<void>;
  /** The same to a pipe whose reader may be slow: what else this process has to do goes on meanwhile. Left out by machines without such pipes. */
  writeAside?(descriptor: Descriptor, bytes: Uint8Array): Promise<void>;
  /** Writes as much as goes without waiting, and returns how much; EAGAIN: nothing. For FIFOs; left out where there are none. */
  writeNow?(descriptor: Descriptor, bytes: Uint8Array): Step<number>;
  /** Writes all of `bytes` at `position`, in one call; the descriptor's own position stays. */
  writeAt(descriptor: Descriptor, bytes: Uint8Array, position: number): Step<void>;
  /** Makes content (or, for a directory, its names) survive a power cut. */
  fsync(descriptor: Descriptor): Step<void>;
  /** The same, but after whatever this process is about to start, such as a command. */
  fsyncAside(descriptor: Descriptor): Promise<void>;
  /** fsync of several files of one file system, together where the machine can; others may use this process meanwhile. */
  fsyncAll(descriptors: readonly Descriptor[]): Promise<void>;
  fstat(descriptor: Descriptor): Step<FileStatus>;
  fchmod(descriptor: Descriptor, mode: number): Step<void>;
  /** -1 leaves the user, or the group. Left out by machines that know nobody. */
  fchown?(descriptor: Descriptor, user: number, group: number): Step<void>;
  /** Follows symbolic links. */
  stat(path: string): Step<FileStatus>;
  /** Whether stat would find something: false where it throws ENOENT, for much less than an error costs. */
  exists(path: string): Step<boolean>;
  /** The names in a directory, `.` and `..` left out, in no order. Kinds are as lstat would say. */
  readdir(path: string): Step<DirectoryEntry[]>;
  rename(from: string, to: string): Step<void>;
  link(existing: string, added: string): Step<void>;
  unlink(path: string): Step<void>;
  /** A FIFO, mode 0666 less the umask. Left out by machines that have none. */
  mkfifo?(path: string): Step<void>;
  /** One directory; the parent must exist. Mode 0777 less the umask. */
  mkdir(path: string): Step<void>;
  /** One empty directory. */
  rmdir(path: string): Step<void>;
  /**
   * Sets the modification time to now, by the clock of whoever keeps the file: on NFS the server's, so that several
   * hosts can be compared by it. (A time that we name ourselves would be by the clock of this host. To write a byte
   * would do as well, but the server learns of that only at the next fsync.) Follows symbolic links. ENOENT when
   * somebody has taken the file away, which the holder of a lease needs to know.
   */
  touch(path: string): Step<void>;
  /** Where a path leads in the end: absolute, without symbolic links. */
  realPath(path: string): Step<string>;
  /** The file system that a path is on. */
  statfs(path: string): Step<FileSystemStatus>;
}

export type FileSystemStatus = {
  /** `f_type` of statfs(2): 0xef53 for ext4. */
  readonly type: bigint;
  /** Bytes. */
  readonly size: bigint;
  /** Bytes that we may still use; what is reserved for root is left out. */
  readonly free: bigint;
  /** How many files it can hold, and how many more; 0 and 0 where there is no such limit. */
  readonly inodes: bigint;
  readonly freeInodes: bigint;
};
