import { constants } from 'node:os';
import { encodeBytes } from '../bytes.ts';
import type { SystemError } from '../ports.ts';
import type { Native } from './native-signatures.ts';

let loaded: Promise<Native> | undefined;

/** Binds the functions on first use: 1 ms in the executable, 10 ms on Node. */
export function native(): Promise<Native> {
  loaded ??=
    'bun' in process.versions
      ? import('./native-bun.ts').then((module) => module.bindWithBun())
      : import('./native-koffi.ts').then((module) => module.bindWithKoffi());
  return loaded;
}

/** The error a failed C call stands for, shaped like those of node:fs. */
export function systemError(errno: number, syscall: string, path?: string): SystemError {
  const code = errnoName(errno);
  const error = new Error(`${code}: ${syscall}${path === undefined ? '' : ` '${path}'`}`);
  return Object.assign(error, { code, errno: -errno, syscall, ...(path === undefined ? {} : { path }) });
}

/** A string as C takes it; one with a NUL within it is EINVAL. */
export function cString(text: string, syscall: string): Uint8Array {
  const bytes = encodeBytes(text);
  if (bytes.includes(0)) throw systemError(EINVAL, syscall, text);
  const string = new Uint8Array(bytes.length + 1);
  string.set(bytes);
  return string;
}

const EINVAL = 22;

/** Node's own list of names is libuv's, which lacks some, ENOEXEC for one; and node:util costs 2 ms of a start. */
function errnoName(errno: number): string {
  return Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`;
}
