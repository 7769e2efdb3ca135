/// <reference path="./bun-ffi.d.ts" />
import { dlopen, read } from 'bun:ffi';
import {
  type CType,
  type Library,
  type Native,
  openLibrary,
  SIGNATURES,
  type Signature,
} from './native-signatures.ts';

const TYPES: Record<CType, string> = { int: 'i32', size: 'u64_fast', address: 'u64_fast', buffer: 'ptr' };

export function bindWithBun(): Native {
  const symbols: Record<string, { args: string[]; returns: string }> = {
    // errno is thread-local; its address stays the same for this thread.
    __errno_location: { args: [], returns: 'ptr' },
  };
  for (const [name, signature] of Object.entries<Signature>(SIGNATURES)) {
    symbols[signature.symbol ?? name] = {
      args: signature.args.map((type) => TYPES[type]),
      returns: TYPES[signature.returns],
    };
  }
  const bound = openLibrary((name) => dlopen(name, symbols).symbols);
  const library: Record<string, (...args: (number | Uint8Array)[]) => number> = {};
  for (const [name, signature] of Object.entries<Signature>(SIGNATURES)) {
    const call = bound[signature.symbol ?? name];
    if (call === undefined) throw new Error(`the C library has no ${signature.symbol ?? name}`);
    library[name] = call;
  }
  const errnoAddress = bound.__errno_location?.() ?? 0;
  return { library: library as Library, errno: () => read.i32(errnoAddress, 0) };
}
