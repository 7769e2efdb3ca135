import type { Descriptor, Files } from '../os/ports.ts';
import { readExactly } from '../os/transfer.ts';
import { decodeAfterPrefix, decodePrefix } from './decode.ts';
import { type HeaderResult, METADATA_LIMIT_BYTES, PREFIX_BYTES } from './header.ts';

/**
 * Reads a packet's header at the descriptor's own position and not a byte further, so that the same descriptor,
 * a file's or a pipe's, can become a command's standard input and give it exactly the payload.
 */
export async function readHeader(
  files: Files,
  source: Descriptor,
  metadataLimit: number = METADATA_LIMIT_BYTES,
): Promise<HeaderResult> {
  const prefix = decodePrefix(await readExactly(files, source, PREFIX_BYTES), metadataLimit);
  if (prefix.kind === 'damaged') return prefix;
  return decodeAfterPrefix(prefix, await readExactly(files, source, prefix.metadataLength));
}
