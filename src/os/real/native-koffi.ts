import koffi from 'koffi';
import {
  type CType,
  LIBRARY_NAMES,
  type Library,
  type Native,
  SIGNATURES,
  type Signature,
} from './native-signatures.ts';

const TYPES: Record<CType, string> = {
  int: 'int',
  size: 'uint64_t',
  address: 'uint64_t',
  buffer: 'uint8_t *',
};

export function bindWithKoffi(): Native {
  const opened = openLibrary();
  const library: Record<string, (...args: unknown[]) => number> = {};
  for (const [name, signature] of Object.entries<Signature>(SIGNATURES)) {
    const args = signature.args.map((type) => TYPES[type]);
    const call = opened.func(signature.symbol ?? name, TYPES[signature.returns], args);
    library[name] = (...values) => Number(call(...values));
  }
  return { library: library as unknown as Library, errno: () => koffi.errno() };
}

function openLibrary() {
  let cause: unknown;
  for (const name of LIBRARY_NAMES) {
    try {
      return koffi.load(name);
    } catch (error) {
      cause ??= error;
    }
  }
  throw new Error(`cannot load the C library (tried ${LIBRARY_NAMES.join(', ')})`, { cause });
}
