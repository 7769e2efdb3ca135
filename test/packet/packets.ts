/** Packets for the tests, good ones and hand-made odd ones. */

import fc from 'fast-check';
import { concatBytes, decodeBytes } from '../../src/os/bytes.ts';
import { crc32 } from '../../src/packet/crc32.ts';
import { decodeAfterPrefix, decodePrefix } from '../../src/packet/decode.ts';
import {
  type HeaderResult,
  LAST_SEQUENCE,
  type PacketHeader,
  PREFIX_BYTES,
  sequence,
  TAG,
  type Work,
} from '../../src/packet/header.ts';

/** 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z. */
export const EARLIEST_SECONDS = -8_334_632_851_200n;
export const LATEST_SECONDS = 8_210_298_412_799n;

const anyText = fc.uint8Array({ maxLength: 40 }).map((bytes) => decodeBytes(bytes));

const anyCommand: fc.Arbitrary<Work> = fc.record({
  kind: fc.constant('command' as const),
  params: fc.array(anyText, { maxLength: 20 }),
  env: fc.array(fc.tuple(anyText, anyText), { maxLength: 20 }),
});

const anyWork: fc.Arbitrary<Work> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ kind: 'nop' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'fail' as const }) },
  { weight: 6, arbitrary: anyCommand },
);

/** A 64-bit number, as likely a short one as a long one. */
export const anySequence = fc
  .tuple(fc.bigInt({ min: 0n, max: LAST_SEQUENCE }), fc.integer({ min: 0, max: 63 }))
  .map(([value, shift]) => sequence(value >> BigInt(shift)));

export const anySeconds = fc
  .tuple(fc.bigInt({ min: EARLIEST_SECONDS, max: LATEST_SECONDS }), fc.integer({ min: 0, max: 37 }))
  .map(([value, shift]) => value >> BigInt(shift));

export const anyHeader: fc.Arbitrary<PacketHeader> = fc.record({
  seq: anySequence,
  ctime: fc.record({ seconds: anySeconds, nanos: fc.integer({ min: 0, max: 1_999_999_999 }) }),
  work: anyWork,
});

/** What the bytes of a whole packet say, read as a file of exactly these bytes would be. */
export function decodePacket(bytes: Uint8Array, limit?: number): HeaderResult {
  const prefix = decodePrefix(bytes.subarray(0, PREFIX_BYTES), limit);
  if (prefix.kind === 'damaged') return prefix;
  return decodeAfterPrefix(prefix, bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + prefix.metadataLength));
}

/** A packet with right checksums around any metadata. */
export function packetAround(metadata: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(PREFIX_BYTES + metadata.length);
  const view = new DataView(bytes.buffer);
  bytes.set(bytesOf(TAG));
  view.setUint16(12, 1);
  view.setBigUint64(14, BigInt(metadata.length));
  view.setUint32(22, crc32(metadata));
  view.setUint32(26, crc32(bytes.subarray(0, 26)));
  bytes.set(metadata, PREFIX_BYTES);
  return bytes;
}

/** Numbers are bytes, strings are their UTF-8, arrays are joined. */
export type Piece = number | string | Uint8Array | readonly Piece[];

export function bytesOf(...pieces: readonly Piece[]): Uint8Array {
  return concatBytes(pieces.map(pieceBytes));
}

function pieceBytes(piece: Piece): Uint8Array {
  if (typeof piece === 'number') return Uint8Array.of(piece);
  if (typeof piece === 'string') return new TextEncoder().encode(piece);
  if (piece instanceof Uint8Array) return piece;
  return bytesOf(...piece);
}

/** A fixstr. */
export function text(value: string): Uint8Array {
  return bytesOf(0xa0 | value.length, value);
}

/** A fixmap of entries that are each a key and its value. */
export function map(...entries: readonly Piece[]): Uint8Array {
  return bytesOf(0x80 | entries.length, entries);
}

export const SEQ = bytesOf(text('seq'), 1);
export const CTIME = bytesOf(text('ctime'), 0x92, 1, 2);
export const NOP = bytesOf(text('cmd_type'), text('NOP'));

/** The `cmd_type` entry of a command whose `params` and `env` are these MessagePack values. */
export function command(params: Piece, env: Piece): Uint8Array {
  return bytesOf(text('cmd_type'), 0x81, text('Command'), 0x82, text('params'), params, text('env'), env);
}
