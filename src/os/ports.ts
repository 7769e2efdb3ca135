/**
 * The machine, as the rest of intray sees it: seven small interfaces.
 *
 * Everything above src/os reaches files, file events, locks, processes, time, chance and the host through these
 * and nothing else, so one engine runs on the real machine and on a simulated one. Every call is a `Step`: on
 * the real machine it is done when it returns (synchronous system calls, no thread hop on the per-job path),
 * on a simulated one it is a promise, and any other process may run before it settles. Callers always
 * `await`, and so never rely on two calls being one.
 *
 * Paths and names are strings. Bytes of a name that are not UTF-8 travel as lone surrogates (see bytes.ts)
 * and come out of the machine as the bytes they were.
 *
 * Failures are thrown as `SystemError`s with the errno name in `code`, as Node's own calls do.
 */

/** One call to the machine. */
export type Step<T> = T | Promise<T>;

/** An open file descriptor. */
export type Descriptor = number & { readonly __descriptor: unique symbol };

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

/**
 * File events: told, not asked. They only save waiting, and whoever uses them looks again now and then all the same:
 *
 * - changes made on another host of a network file system are not told at all;
 * - more than 16,384 at once are dropped by the kernel, in silence (fs.inotify.max_queued_events).
 */
export interface Watches {
  /**
   * Tells of every name that comes into a directory, leaves it or is renamed in it, from when this returns. Bytes
   * written to its files are not told, nor what happens in directories below. Does not keep the process alive: who
   * waits for an event sets a timer too. Returns how to end it, which may be called again.
   *
   * Throws ENOENT or ENOTDIR; ENOSPC (fs.inotify.max_user_watches) or EMFILE (fs.inotify.max_user_instances) when the
   * user has used up what the kernel allows.
   */
  watch(directory: string, listener: WatchListener): Step<() => void>;
}

export type WatchListener = {
  /** Some names have changed, one or many: a burst is told once or a few times. Which ones, a listing says. */
  readonly onChange: () => void;
  /** Nothing will be told any more. ENOENT: the directory was removed, moved away, or is another one by now; look, and watch again. */
  readonly onLost: (error: SystemError) => void;
};

export type LockKind = 'exclusive' | 'shared';

export interface Locks {
  /**
   * flock(2) without waiting: true when the lock is ours now, false when another open file holds it. The
   * lock belongs to the open file description, so a child that inherits the descriptor shares it.
   */
  tryLock(descriptor: Descriptor, kind: LockKind): Step<boolean>;
  /** Gives the lock up for every holder of this open file description, heirs included. */
  unlock(descriptor: Descriptor): Step<void>;
}

export type Command = {
  /** A path, or a name to be looked up in PATH. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: ReadonlyMap<string, string>;
  /** What the command gets as descriptors 0, 1, 2; left out: what we have ourselves. */
  readonly stdin?: Descriptor;
  readonly stdout?: Descriptor;
  readonly stderr?: Descriptor;
  /**
   * `own` (default): the command leads a process group of its own, which can be ended as a whole. `ours`: it stays
   * in our group, as it must to use the terminal we were started from.
   */
  readonly group?: 'own' | 'ours';
  /** More descriptors to hand down, as numbers 3, 4 and so on. */
  readonly extra?: readonly Descriptor[];
};

/** How a command ended. Death by a signal, real-time ones too, is never an exit code. */
export type Exit =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signaled'; readonly signal: number };

export interface Child {
  readonly pid: number;
  readonly exit: Promise<Exit>;
  /** What kill(2) takes to reach it with all it started: minus its group, or its pid in a group of ours. */
  readonly target: number;
  /**
   * Sends a signal to the whole process group the command leads; in a group of ours, to the command and its
   * descendants as they can be found. False when none is left.
   */
  signalGroup(signal: SignalName): Step<boolean>;
  /** Whether any of those is left; the command itself may be gone already. */
  groupExists(): Step<boolean>;
}

export type SignalName = 'SIGTERM' | 'SIGKILL' | 'SIGINT' | 'SIGHUP' | 'SIGQUIT';

export interface Processes {
  /**
   * Starts a command. Throws a SystemError when it cannot be started
   * (ENOENT, EACCES, ENOEXEC, E2BIG, EAGAIN, ...).
   */
  spawn(command: Command): Step<Child>;
  /** Whether there is a process of that number on this host, anybody's. */
  exists(pid: number): Step<boolean>;
  /** An empty file in memory, without a name; it passes only to a command it is given to. */
  scratch(): Step<Descriptor>;
  /** A pipe; neither end passes to a command unless it is given to it. */
  pipe(): Step<{ readonly readEnd: Descriptor; readonly writeEnd: Descriptor }>;
}

export type Timestamp = {
  /** Whole seconds since 1970, before it negative. */
  readonly seconds: bigint;
  /** 0 to 999,999,999; in a leap second up to 1,999,999,999. */
  readonly nanos: number;
};

export interface Clock {
  now(): Timestamp;
  /** Milliseconds that never go back, from an arbitrary start. */
  monotonicMs(): number;
  /** Calls `action` once, `ms` from now. Returns how to call it off. */
  after(ms: number, action: () => void): () => void;
  /** Local time's distance from UTC at that moment, in seconds, east positive. */
  utcOffsetSeconds(at: Timestamp): number;
}

export interface Random {
  /** A random (version 4) UUID in lower case. */
  uuid(): string;
}

export interface Host {
  readonly name: string;
  readonly pid: number;
  /** Tells this run of the kernel from all others: processes with the same one see each other's locks. */
  readonly bootId: string;
  /** The environment this process was given. */
  env(): ReadonlyMap<string, string>;
  /** Calls `handler` on the signal until disposed. A signal that our parent set to be ignored stays so. */
  onSignal(signal: SignalName, handler: () => void): () => void;
  /** Whether we were started from a terminal and it is ours now: keys go to our process group. */
  inForeground(): Step<boolean>;
  /** Whether somebody looks at what is written there, rather than a file or a program. */
  isTerminal(descriptor: Descriptor): Step<boolean>;
  /** How many characters fit on a line of our terminal; undefined when standard output is none, or nobody knows. */
  terminalColumns?(): Step<number | undefined>;
  /** Takes the whole terminal; undefined when standard input or output is none. */
  openScreen?(listener: ScreenListener): Step<Screen | undefined>;
  /** Ends this process the way the signal would have, so that our parent sees it. */
  dieOf(signal: SignalName): void;
}

export type TerminalSize = { readonly columns: number; readonly rows: number };

/**
 * The whole terminal: an empty screen for what we write to standard output, without cursor, on which long lines do not
 * go on in the next; and keys as they are typed, Ctrl-C and Ctrl-Z too. Closing brings back what was there before, and so
 * does this process when it ends otherwise, short of kill -9.
 */
export interface Screen {
  /** Not while we are being stopped: what is written then is written over what others show. */
  readonly isOurs: boolean;
  size(): TerminalSize;
  /** Gives the terminal back and stops our process group, as Ctrl-Z does; when it goes on, the screen is ours again. */
  suspend(): void;
  close(): void;
}

export type ScreenListener = {
  /** What the terminal sent: one key or several, as escape sequences where keys have such. */
  readonly onInput: (text: string) => void;
  /** Nothing of what was drawn need be there any more: the size is another one, or we had been stopped. */
  readonly onRedraw: () => void;
  /** Nobody is there any more: the terminal was closed. */
  readonly onGone: () => void;
};

/** Where somebody serves: on a port of this machine (0: any that is free), or at a socket in the file system. */
export type HttpAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

export type HttpRequest = {
  readonly method: string;
  /** As it was written: path and query. */
  readonly path: string;
  /** By their names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** To be read once; as it comes. */
  readonly body: AsyncIterable<Uint8Array>;
  /** The address it comes from; left out by a request of our own, and at a socket in the file system. */
  readonly from?: string | undefined;
};

export type HttpResponse = {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
};

export type HttpLimits = {
  /** How long a request may take until all of it is there. */
  readonly requestMs: number;
  /** And until its headers are there. Default: the same. */
  readonly headersMs?: number;
  /** More connections at once are not taken. */
  readonly connections: number;
};

export interface HttpServer {
  /** Undefined for a socket in the file system. */
  readonly port: number | undefined;
  /** Takes no more requests; resolves when those that are there have been answered. */
  close(): Promise<void>;
}

/** Requests and answers, both as streams. */
export interface Http {
  /** A handler that rejects, or answers before the body was read, loses the connection; the answer is sent. */
  serve(
    address: HttpAddress,
    limits: HttpLimits,
    handle: (request: HttpRequest) => Promise<HttpResponse>,
  ): Promise<HttpServer>;
  /**
   * Sends a request to a URL: `http:`, `https:`, or `unix:` and the path of a socket. `idleMs`: how long nothing may come
   * or go. Resolves when the answer begins; its body must be read to its end. Aborted: the connection is broken off.
   */
  request(url: string, request: HttpRequest, idleMs: number, stop?: AbortSignal): Promise<HttpResponse>;
}

export interface Machine {
  /** Left out by machines without a network. */
  readonly http?: Http;
  readonly files: Files;
  readonly watches: Watches;
  readonly locks: Locks;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly random: Random;
  readonly host: Host;
}

/** An errno as thrown by every port. */
export type SystemError = Error & {
  readonly code: string;
  readonly syscall?: string;
  readonly path?: string;
};

export function isSystemError(error: unknown): error is SystemError {
  return (
    error instanceof Error && typeof (error as { code?: unknown }).code === 'string' && 'syscall' in error
  );
}

/** True when `error` is the system's, with one of these errno names. */
export function hasErrno(error: unknown, ...names: string[]): boolean {
  return isSystemError(error) && names.includes(error.code);
}

/** Standard input, output and error of this process. */
export const STDIN = 0 as Descriptor;
export const STDOUT = 1 as Descriptor;
export const STDERR = 2 as Descriptor;
