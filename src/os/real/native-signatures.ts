/**
 * The few C functions that neither Node nor Bun offers: flock, mkfifo, posix_spawn and waitpid,
 * pipe2 and memfd_create, and who has the terminal.
 *
 * One table of signatures, two ways to bind it: bun:ffi (built into Bun, and so into our executable) and koffi
 * (Node). Why C at all: see docs/decisions/0003-native-calls.md.
 *
 * Memory that C keeps pointers into is made with C's own malloc and filled with memcpy, so neither runtime's
 * garbage collector can move it, and addresses are plain numbers in both.
 */

/** int: 32 bits; size: 64 bits; address: a pointer as a number; buffer: the start of a Uint8Array's memory. */
export type CType = 'int' | 'size' | 'address' | 'buffer';

export type Signature = {
  readonly args: readonly CType[];
  readonly returns: CType;
  readonly symbol?: string;
};

export const SIGNATURES = {
  flock: { args: ['int', 'int'], returns: 'int' },
  mkfifo: { args: ['buffer', 'int'], returns: 'int' },
  utimensat: { args: ['int', 'buffer', 'address', 'int'], returns: 'int' },
  pipe2: { args: ['buffer', 'int'], returns: 'int' },
  memfdCreate: { args: ['buffer', 'int'], returns: 'int', symbol: 'memfd_create' },
  waitpid: { args: ['int', 'buffer', 'int'], returns: 'int' },
  tcgetpgrp: { args: ['int'], returns: 'int' },
  getpgrp: { args: [], returns: 'int' },
  malloc: { args: ['size'], returns: 'address' },
  free: { args: ['address'], returns: 'int' },
  copyIn: { args: ['address', 'buffer', 'size'], returns: 'address', symbol: 'memcpy' },
  posixSpawnp: {
    args: ['buffer', 'buffer', 'buffer', 'buffer', 'address', 'address'],
    returns: 'int',
    symbol: 'posix_spawnp',
  },
  attributesInit: { args: ['buffer'], returns: 'int', symbol: 'posix_spawnattr_init' },
  attributesSetFlags: { args: ['buffer', 'int'], returns: 'int', symbol: 'posix_spawnattr_setflags' },
  attributesSetSigdefault: {
    args: ['buffer', 'buffer'],
    returns: 'int',
    symbol: 'posix_spawnattr_setsigdefault',
  },
  actionsInit: { args: ['buffer'], returns: 'int', symbol: 'posix_spawn_file_actions_init' },
  actionsDup2: { args: ['buffer', 'int', 'int'], returns: 'int', symbol: 'posix_spawn_file_actions_adddup2' },
  actionsClose: { args: ['buffer', 'int'], returns: 'int', symbol: 'posix_spawn_file_actions_addclose' },
  actionsDestroy: { args: ['buffer'], returns: 'int', symbol: 'posix_spawn_file_actions_destroy' },
} as const satisfies Record<string, Signature>;

type Value<T extends CType> = T extends 'buffer' ? Uint8Array : number;
type Values<A extends readonly CType[]> = { -readonly [I in keyof A]: Value<A[I]> };

export type Library = {
  readonly [N in keyof typeof SIGNATURES]: (...args: Values<(typeof SIGNATURES)[N]['args']>) => number;
};

export type Native = {
  readonly library: Library;
  /** errno of the call made just before, on this thread. */
  readonly errno: () => number;
};

/** Names of the C library, in the order they are tried. */
const LIBRARY_NAMES = ['libc.so.6', `libc.musl-${machineName()}.so.1`, 'libc.so'];

function machineName(): string {
  return process.arch === 'arm64' ? 'aarch64' : 'x86_64';
}

/** The C library, by the first of its names that opens. */
export function openLibrary<T>(open: (name: string) => T): T {
  let cause: unknown;
  for (const name of LIBRARY_NAMES) {
    try {
      return open(name);
    } catch (error) {
      cause ??= error;
    }
  }
  throw new Error(`cannot load the C library (tried ${LIBRARY_NAMES.join(', ')})`, { cause });
}
