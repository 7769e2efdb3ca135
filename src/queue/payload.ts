/** A new job's payload, whatever it comes from, as bytes in a file. */

import { encodeBytes } from '../os/bytes.ts';
import type { Descriptor, Machine } from '../os/ports.ts';
import type { PayloadSource } from './contract.ts';

export function chunksOf(payload: PayloadSource | undefined): Exclude<PayloadSource, string | Uint8Array> {
  if (payload === undefined) return [];
  if (typeof payload === 'string') return [encodeBytes(payload)];
  return payload instanceof Uint8Array ? [payload] : payload;
}

/** Writes chunks from memory, text as UTF-8; returns how many bytes they were. */
export async function writeChunks(
  machine: Machine,
  target: Descriptor,
  chunks: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>,
): Promise<number> {
  let size = 0;
  for await (const chunk of chunks) {
    const bytes = typeof chunk === 'string' ? encodeBytes(chunk) : chunk;
    await machine.files.write(target, bytes);
    size += bytes.length;
  }
  return size;
}
