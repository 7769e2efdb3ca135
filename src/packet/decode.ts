import { unsignedAt } from '../os/bytes.ts';
import { crc32 } from './crc32.ts';
import {
  type Damage,
  damaged,
  type HeaderResult,
  METADATA_LIMIT_BYTES,
  PREFIX_BYTES,
  TAG,
  VERSION,
} from './header.ts';
import { decodeMetadata } from './metadata.ts';

export type Prefix = {
  readonly kind: 'prefix';
  /** Bytes. */
  readonly metadataLength: number;
  readonly metadataCrc: number;
};

/**
 * Reads the first 30 bytes of a packet. The checks come in the original's order: length, tag, version, checksum;
 * then ours: the metadata is at most `limit` bytes long.
 */
export function decodePrefix(bytes: Uint8Array, limit: number = METADATA_LIMIT_BYTES): Prefix | Damage {
  if (bytes.length === 0) return damaged('empty', 'it is empty');
  if (bytes.length < PREFIX_BYTES) {
    return damaged('truncated', `it ends after ${bytes.length} of the ${PREFIX_BYTES} bytes of its prefix`);
  }
  for (let at = 0; at < TAG.length; at++) {
    if (bytes[at] !== TAG.charCodeAt(at)) return damaged('tag', `it does not begin with ${TAG}`);
  }
  const version = unsignedAt(bytes, 12, 2);
  if (version !== VERSION) return damaged('version', `it has format version ${version}, known is ${VERSION}`);
  if (crc32(bytes, 0, 26) !== unsignedAt(bytes, 26, 4)) {
    return damaged('prefix-checksum', 'the checksum of its prefix is wrong');
  }
  const metadataLength = (BigInt(unsignedAt(bytes, 14, 4)) << 32n) | BigInt(unsignedAt(bytes, 18, 4));
  if (metadataLength > BigInt(limit)) {
    return damaged(
      'metadata-too-large',
      `its metadata claims ${metadataLength} bytes, more than the limit of ${limit}`,
    );
  }
  return { kind: 'prefix', metadataLength: Number(metadataLength), metadataCrc: unsignedAt(bytes, 22, 4) };
}

/** Reads the metadata that followed this prefix; `bytes` is shorter than promised when the packet ended. */
export function decodeAfterPrefix(prefix: Prefix, bytes: Uint8Array): HeaderResult {
  if (bytes.length < prefix.metadataLength) {
    return damaged(
      'truncated',
      `it ends after ${bytes.length} of the ${prefix.metadataLength} bytes of its metadata`,
    );
  }
  if (crc32(bytes) !== prefix.metadataCrc) {
    return damaged('metadata-checksum', 'the checksum of its metadata is wrong');
  }
  return decodeMetadata(bytes);
}
