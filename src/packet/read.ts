import type { Descriptor, Files } from '../os/ports.ts';
import { readExactly } from '../os/transfer.ts';
import { decodeAfterPrefix, decodePrefix } from './decode.ts';
import { type HeaderResult, METADATA_LIMIT_BYTES, PREFIX_BYTES } from './header.ts';

/**
 * Reads a packet's header at the descriptor's own position and not a byte further, so that the same descriptor,
 * a file's or a pipe's, can become a command's standard input and give it exactly the payload.
 */
export async function readHeader(
  files: Pick<Files, 'read'>,
  source: Descriptor,
  metadataLimit: number = METADATA_LIMIT_BYTES,
): Promise<HeaderResult> {
  const prefix = decodePrefix(await readExactly(files, source, PREFIX_BYTES), metadataLimit);
  if (prefix.kind === 'damaged') return prefix;
  return decodeAfterPrefix(prefix, await readExactly(files, source, prefix.metadataLength));
}

/** Room for the header of all but unusual packets; more is read where it must be. */
export const PEEK_BYTES = 512;

/**
 * Reads a packet's header and, with it, what follows: in one call where `scratch` holds the header. For a descriptor
 * that is not used any further. `scratch` is the caller's, who uses it for one read after the other.
 */
export async function peekHeader(
  files: Files,
  source: Descriptor,
  scratch: Uint8Array,
  metadataLimit: number = METADATA_LIMIT_BYTES,
): Promise<HeaderResult> {
  const first = await fill(files, source, scratch, 0, PREFIX_BYTES);
  const prefix = decodePrefix(scratch.subarray(0, first), metadataLimit);
  if (prefix.kind === 'damaged') return prefix;
  const end = PREFIX_BYTES + prefix.metadataLength;
  if (end <= first) return decodeAfterPrefix(prefix, scratch.subarray(PREFIX_BYTES, end));
  const bytes = new Uint8Array(end);
  bytes.set(scratch.subarray(0, first));
  const filled = await fill(files, source, bytes, first, end);
  return decodeAfterPrefix(prefix, bytes.subarray(PREFIX_BYTES, filled));
}

/** Reads until `buffer` holds at least `needed` bytes or the file ends; returns how many it holds. */
async function fill(
  files: Files,
  source: Descriptor,
  buffer: Uint8Array,
  filled: number,
  needed: number,
): Promise<number> {
  let at = filled;
  while (at < needed) {
    const count = await files.read(source, buffer, at, buffer.length - at);
    if (count === 0) break;
    at += count;
  }
  return at;
}
