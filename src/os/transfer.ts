/** Moving bytes between descriptors in constant memory. */

import type { Descriptor, Files } from './ports.ts';

/** Best of those measured for pipes and files alike. */
const CHUNK_BYTES = 1024 * 1024;

/** For readers that keep each chunk. */
const STREAM_CHUNK_BYTES = 64 * 1024;

/**
 * Reads `length` bytes at the descriptor's own position; fewer only when the file ends before. Takes memory for
 * what is there, not for what was asked.
 */
export async function readExactly(
  files: Pick<Files, 'read'>,
  source: Descriptor,
  length: number,
): Promise<Uint8Array> {
  let bytes = new Uint8Array(Math.min(length, CHUNK_BYTES));
  let at = 0;
  while (at < length) {
    if (at === bytes.length) bytes = grown(bytes, Math.min(length, 2 * at));
    const count = await files.read(source, bytes, at, bytes.length - at);
    if (count === 0) return bytes.subarray(0, at);
    at += count;
  }
  return bytes;
}

function grown(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length);
  larger.set(bytes);
  return larger;
}

/** Copies everything from `source`'s position to its end. Returns the number of bytes. */
export async function copyAll(files: Files, source: Descriptor, target: Descriptor): Promise<number> {
  const chunk = new Uint8Array(CHUNK_BYTES);
  let total = 0;
  for (;;) {
    const count = await files.read(source, chunk, 0, chunk.length);
    if (count === 0) return total;
    await files.write(target, chunk.subarray(0, count));
    total += count;
  }
}

/** Everything from `source`'s position to its end, in pieces that are the reader's to keep. */
export async function* readChunks(files: Files, source: Descriptor): AsyncGenerator<Uint8Array> {
  for (;;) {
    const chunk = new Uint8Array(STREAM_CHUNK_BYTES);
    const count = await files.read(source, chunk, 0, chunk.length);
    if (count === 0) return;
    yield chunk.subarray(0, count);
  }
}

/** The same in larger pieces, each of them the reader's only until it asks for the next. */
export async function* readPieces(files: Files, source: Descriptor): AsyncGenerator<Uint8Array> {
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    const count = await files.read(source, chunk, 0, chunk.length);
    if (count === 0) return;
    yield chunk.subarray(0, count);
  }
}

/** Reads a small file whole. Throws a RangeError when it is longer than `limit` bytes. */
export async function readSmallFile(files: Files, path: string, limit: number): Promise<Uint8Array> {
  const descriptor = await files.open(path, 'read');
  try {
    const bytes = await readExactly(files, descriptor, limit + 1);
    if (bytes.length > limit) throw new RangeError(`${path} is longer than ${limit} bytes`);
    return bytes;
  } finally {
    await files.close(descriptor);
  }
}
