import {
  type Child,
  type Command,
  type Descriptor,
  type Exit,
  hasErrno,
  type Processes,
  type SignalName,
  STDERR,
  STDIN,
  STDOUT,
} from '../ports.ts';
import { cString, native, systemError } from './native.ts';
import type { Library, Native } from './native-signatures.ts';
import { descendantsOf, groupIsAlive } from './proc.ts';

/**
 * Commands, started by posix_spawn and waited for by waitpid, on Node and Bun alike.
 *
 * The runtimes' own spawn is not used: on Node and Bun a death by a real-time signal is reported as exit code
 * 0, arguments and environment that are not UTF-8 are mangled, and a big parent makes Node's fork slow.
 *
 * A child goes through these states:
 *
 *   started   it is in `children`; SIGCHLD, or the sweep each second should a signal ever be missed, asks
 *             waitpid for it. Its group may be signalled.
 *   reaped    waitpid gave its status: out of `children`, `exit` is resolved, the pid may be anybody's. What
 *             it left in its group (a daemon, say) lives on; its group can be signalled by the number as long
 *             as a member is alive, for the kernel does not give a group's number to a new process.
 */
export const realProcesses: Processes = {
  spawn: async (command) => start(await native(), command),
  exists: (pid) => exists(pid),
  scratch: async () => {
    const { library, errno } = await native();
    const descriptor = library.memfdCreate(cString('intray', 'memfd_create'), MFD_CLOEXEC);
    if (descriptor < 0) throw systemError(errno(), 'memfd_create');
    return descriptor as Descriptor;
  },
  pipe: async () => {
    const { library, errno } = await native();
    const ends = new Int32Array(2);
    if (library.pipe2(bytesOf(ends), O_CLOEXEC) !== 0) throw systemError(errno(), 'pipe2');
    return { readEnd: ends[0] as Descriptor, writeEnd: ends[1] as Descriptor };
  },
};

const O_CLOEXEC = 0o2000000;
const MFD_CLOEXEC = 1;
const WNOHANG = 1;
const SWEEP_MS = 1000;
const LARGEST_PID = 2 ** 31 - 1;

// spawn.h of glibc and musl
const POSIX_SPAWN_SETPGROUP = 0x02;
const POSIX_SPAWN_SETSIGDEF = 0x04;
const SIGPIPE = 13;
const SIGXFSZ = 25;

/** More than any libc's posix_spawnattr_t (336 bytes in glibc) and sigset_t (128). */
const OPAQUE_BYTES = 1024;

const children = new Map<number, (exit: Exit) => void>();
let sweep: NodeJS.Timeout | undefined;
const attributesByFlags = new Map<number, Uint8Array>();

function start(c: Native, command: Command): Child {
  const { library } = c;
  const ownGroup = command.group !== 'ours';
  // Whatever may be refused comes before the first piece of C's memory that would have to be freed.
  const program = cString(command.program, 'spawn');
  const args = command.args.map((arg) => cString(arg, 'spawn'));
  const env = Array.from(command.env, ([name, value]) => cString(`${name}=${value}`, 'spawn'));
  const attributes = spawnAttributes(library, ownGroup);
  const actions = fileActions(library, command);
  const argv = pointerBlock(library, [program, ...args]);
  const envp = pointerBlock(library, env);
  const pid = new Int32Array(1);
  watch();
  const failed = library.posixSpawnp(bytesOf(pid), program, actions, attributes, argv, envp);
  library.free(argv);
  library.free(envp);
  library.actionsDestroy(actions);
  const leader = pid[0] ?? 0;
  if (failed !== 0) {
    unwatchWhenIdle();
    throw systemError(failed, 'spawn', command.program);
  }
  const exit = new Promise<Exit>((resolve) => children.set(leader, resolve));
  return ownGroup ? groupLeader(leader, exit) : groupMember(leader, exit);
}

function groupLeader(pid: number, exit: Promise<Exit>): Child {
  return {
    pid,
    exit,
    target: -pid,
    signalGroup: (signal) => signalTo(-pid, signal),
    groupExists: () => signalTo(-pid, 0) && groupIsAlive(pid),
  };
}

/** A command in our own group: its descendants are looked up each time, for only while it lives can they be. */
function groupMember(pid: number, exit: Promise<Exit>): Child {
  const known = new Set([pid]);
  const signalAll = (signal: SignalName | 0) => {
    if (children.has(pid)) for (const descendant of descendantsOf(pid)) known.add(descendant);
    let reached = false;
    for (const member of known) {
      if ((member !== pid || children.has(pid)) && signalTo(member, signal)) reached = true;
      else known.delete(member);
    }
    return reached;
  };
  return { pid, exit, target: pid, signalGroup: signalAll, groupExists: () => signalAll(0) };
}

/** Whoever may not be signalled is there. A number that no process can have is nobody's. */
function exists(pid: number): boolean {
  if (!Number.isInteger(pid) || pid < 1 || pid > LARGEST_PID) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasErrno(error, 'EPERM');
  }
}

function signalTo(target: number, signal: SignalName | 0): boolean {
  try {
    process.kill(target, signal);
    return true;
  } catch (error) {
    if (hasErrno(error, 'ESRCH')) return false;
    throw error;
  }
}

/** A group of its own if asked for, and the default for the two signals that both runtimes ignore. */
function spawnAttributes(library: Library, ownGroup: boolean): Uint8Array {
  const flags = POSIX_SPAWN_SETSIGDEF | (ownGroup ? POSIX_SPAWN_SETPGROUP : 0);
  const before = attributesByFlags.get(flags);
  if (before !== undefined) return before;
  const made = new Uint8Array(OPAQUE_BYTES);
  attributesByFlags.set(flags, made);
  library.attributesInit(made);
  library.attributesSetFlags(made, flags);
  const defaults = new Uint8Array(OPAQUE_BYTES);
  for (const signal of [SIGPIPE, SIGXFSZ]) {
    const bit = signal - 1;
    defaults[bit >> 3] = (defaults[bit >> 3] ?? 0) | (1 << (bit & 7));
  }
  library.attributesSetSigdefault(made, defaults);
  return made;
}

function fileActions(library: Library, command: Command): Uint8Array {
  const actions = new Uint8Array(OPAQUE_BYTES);
  library.actionsInit(actions);
  // Ours are given too where nothing else is: Node marks its own 0, 1 and 2 as not to be inherited, and a dup2 of
  // a descriptor onto itself takes that mark away (POSIX.1-2024; glibc since 2.29).
  const { stdin = STDIN, stdout = STDOUT, stderr = STDERR, extra = [] } = command;
  const sources: number[] = [stdin, stdout, stderr, ...extra];
  // A source below its target has been overwritten by then: such a set goes over numbers that nobody uses.
  const spare = sources.some((source, target) => source < target)
    ? Math.max(...sources, sources.length) + 1
    : 0;
  if (spare > 0) {
    sources.forEach((source, index) => {
      library.actionsDup2(actions, source, spare + index);
    });
  }
  sources.forEach((source, target) => {
    library.actionsDup2(actions, spare > 0 ? spare + target : source, target);
    if (spare > 0) library.actionsClose(actions, spare + target);
  });
  return actions;
}

/** A NULL-ended array of C strings in one piece of C's memory; the caller frees it. */
function pointerBlock(library: Library, strings: readonly Uint8Array[]): number {
  const tableBytes = (strings.length + 1) * 8;
  const size = strings.reduce((sum, string) => sum + string.length, tableBytes);
  const address = library.malloc(size);
  if (address === 0) throw systemError(12, 'malloc');
  const block = new Uint8Array(size);
  const table = new DataView(block.buffer);
  let at = tableBytes;
  strings.forEach((string, index) => {
    table.setBigUint64(index * 8, BigInt(address + at), true);
    block.set(string, at);
    at += string.length;
  });
  library.copyIn(address, block, size);
  return address;
}

/** Listens for ended children; the timer also keeps the event loop alive while one runs. */
function watch(): void {
  if (sweep !== undefined) return;
  process.on('SIGCHLD', reap);
  sweep = setInterval(reap, SWEEP_MS);
}

function unwatchWhenIdle(): void {
  if (children.size > 0 || sweep === undefined) return;
  process.removeListener('SIGCHLD', reap);
  clearInterval(sweep);
  sweep = undefined;
}

function reap(): void {
  void native().then(({ library }) => {
    const status = new Int32Array(1);
    for (const [pid, resolve] of children) {
      const answer = library.waitpid(pid, bytesOf(status), WNOHANG);
      if (answer === 0) continue;
      children.delete(pid);
      if (answer === pid) resolve(exitOf(status[0] ?? 0));
      // Somebody else reaped it (ECHILD): how it ended cannot be known, so it did not succeed.
      else resolve({ kind: 'exited', code: UNKNOWN_STATUS });
    }
    unwatchWhenIdle();
  });
}

/** Reported for a child whose status was lost; never 0. */
const UNKNOWN_STATUS = 255;

/** Linux's wait status: low seven bits the signal, the next eight the exit code. */
function exitOf(status: number): Exit {
  const signal = status & 0x7f;
  if (signal !== 0) return { kind: 'signaled', signal };
  return { kind: 'exited', code: (status >> 8) & 0xff };
}

function bytesOf(numbers: Int32Array): Uint8Array {
  return new Uint8Array(numbers.buffer);
}
