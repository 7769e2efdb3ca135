import koffi from 'koffi';
import {
  type CType,
  type Library,
  type Native,
  openLibrary,
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
  const opened = openLibrary((name) => koffi.load(name));
  const library: Record<string, (...args: unknown[]) => number> = {};
  for (const [name, signature] of Object.entries<Signature>(SIGNATURES)) {
    const args = signature.args.map((type) => TYPES[type]);
    const call = opened.func(signature.symbol ?? name, TYPES[signature.returns], args);
    library[name] = (...values) => Number(call(...values));
  }
  return { library: library as unknown as Library, errno: () => koffi.errno() };
}
