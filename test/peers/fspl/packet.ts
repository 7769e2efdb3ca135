// Packets as bytes, written by hand for the tests so that they do not lean on the code under test.
// The layout is observed behaviour of Filespooler 1.2.2: a prefix of 30 bytes, MessagePack metadata, the payload.
import { crc32 } from 'node:zlib';

export const PREFIX_BYTES = 30;
const TAG = Buffer.from('*FILESPOOLER');

export type PacketKind = 'NOP' | 'Fail' | { readonly params: readonly string[]; readonly env: Env };
type Env = readonly (readonly [name: string, value: string])[];

export type PacketParts = {
  readonly seq: bigint | number;
  readonly seconds: bigint | number;
  readonly nanoseconds?: number;
  readonly kind?: PacketKind;
  readonly payload?: string | Uint8Array;
};

/** A packet exactly as Filespooler would write it, but with a creation time of our choosing. */
export function packet(parts: PacketParts): Buffer {
  return Buffer.concat([wrap(metadata(parts)), Buffer.from(parts.payload ?? '')]);
}

/** A prefix with correct checksums around any metadata. */
export function wrap(meta: Uint8Array): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  TAG.copy(prefix);
  prefix.writeUInt16BE(1, 12);
  prefix.writeBigUInt64BE(BigInt(meta.length), 14);
  prefix.writeUInt32BE(crc32(meta), 22);
  prefix.writeUInt32BE(crc32(prefix.subarray(0, 26)), 26);
  return Buffer.concat([prefix, meta]);
}

export function metadata(parts: PacketParts): Buffer {
  return Buffer.concat([
    map(3),
    text('seq'),
    integer(parts.seq),
    text('ctime'),
    array(2),
    integer(parts.seconds),
    integer(parts.nanoseconds ?? 0),
    text('cmd_type'),
    kindBytes(parts.kind ?? { params: [], env: [] }),
  ]);
}

function kindBytes(kind: PacketKind): Buffer {
  if (typeof kind === 'string') return text(kind);
  const params = [array(kind.params.length), ...kind.params.map(byteArray)];
  const env = kind.env.flatMap(([name, value]) => [array(2), byteArray(name), byteArray(value)]);
  return Buffer.concat([
    ...[map(1), text('Command'), map(2)],
    ...[text('params'), ...params],
    ...[text('env'), array(kind.env.length), ...env],
  ]);
}

// The few MessagePack forms that are needed. https://github.com/msgpack/msgpack/blob/master/spec.md

export const map = (size: number): Buffer => Buffer.from([0x80 + size]);

export function array(size: number): Buffer {
  if (size < 16) return Buffer.from([0x90 + size]);
  const bytes = Buffer.from([0xdc, 0, 0]);
  bytes.writeUInt16BE(size, 1);
  return bytes;
}

export function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  if (bytes.length > 31) throw new Error(`too long for a short string: ${value}`);
  return Buffer.concat([Buffer.from([0xa0 + bytes.length]), bytes]);
}

export function byteArray(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([array(bytes.length), ...[...bytes].map(integer)]);
}

/** The shortest form of an integer. */
export function integer(value: bigint | number): Buffer {
  const number = BigInt(value);
  if (number >= 0n && number < 128n) return Buffer.from([Number(number)]);
  if (number < 0n && number >= -32n) return Buffer.from([256 + Number(number)]);
  const forms = number < 0n ? NEGATIVE_FORMS : POSITIVE_FORMS;
  for (const [code, bits] of forms) {
    const stored = number < 0n ? BigInt.asIntN(bits, number) : BigInt.asUintN(bits, number);
    if (stored !== number) continue;
    const bytes = Buffer.alloc(9);
    bytes.writeUInt8(code);
    bytes.writeBigUInt64BE(BigInt.asUintN(64, number << BigInt(64 - bits)), 1);
    return bytes.subarray(0, 1 + bits / 8);
  }
  throw new Error(`not a 64 bit integer: ${number}`);
}

const POSITIVE_FORMS = [
  [0xcc, 8],
  [0xcd, 16],
  [0xce, 32],
  [0xcf, 64],
] as const;
const NEGATIVE_FORMS = [
  [0xd0, 8],
  [0xd1, 16],
  [0xd2, 32],
  [0xd3, 64],
] as const;

export type ReadPacket = {
  readonly seconds: bigint;
  readonly nanoseconds: bigint;
  readonly seq: bigint;
  /** What follows the creation time in the metadata, byte for byte. */
  readonly rest: Buffer;
  readonly payload: Buffer;
};

/**
 * Reads a packet that is written exactly as Filespooler writes it: right checksums, keys in order, shortest
 * integers. Anything else is undefined, and is then compared byte for byte, so that a wrong form shows.
 */
export function readPacket(bytes: Buffer): ReadPacket | undefined {
  if (bytes.length < PREFIX_BYTES || !bytes.subarray(0, 12).equals(TAG)) return undefined;
  const metaBytes = bytes.readBigUInt64BE(14);
  if (BigInt(bytes.length - PREFIX_BYTES) < metaBytes) return undefined;
  const end = PREFIX_BYTES + Number(metaBytes);
  const meta = bytes.subarray(PREFIX_BYTES, end);
  if (!wrap(meta).equals(bytes.subarray(0, end))) return undefined;

  const seq = readInteger(meta, 5);
  const seconds = seq && readInteger(meta, seq.end + 7);
  const nanoseconds = seconds && readInteger(meta, seconds.end);
  if (!nanoseconds) return undefined;
  const rest = meta.subarray(nanoseconds.end);
  const again = Buffer.concat([
    ...[map(3), text('seq'), integer(seq.value), text('ctime'), array(2)],
    ...[integer(seconds.value), integer(nanoseconds.value), rest],
  ]);
  if (!again.equals(meta)) return undefined;
  return {
    ...{ seq: seq.value, seconds: seconds.value, nanoseconds: nanoseconds.value },
    ...{ rest, payload: bytes.subarray(end) },
  };
}

function readInteger(bytes: Buffer, at: number): { value: bigint; end: number } | undefined {
  const code = bytes[at];
  if (code === undefined) return undefined;
  if (code < 128) return { value: BigInt(code), end: at + 1 };
  if (code >= 0xe0) return { value: BigInt(code - 256), end: at + 1 };
  const form = [...POSITIVE_FORMS, ...NEGATIVE_FORMS].find(([formCode]) => formCode === code);
  if (!form) return undefined;
  const end = at + 1 + form[1] / 8;
  if (end > bytes.length) return undefined;
  const raw = BigInt(`0x${bytes.subarray(at + 1, end).toString('hex')}`);
  return { value: code >= 0xd0 ? BigInt.asIntN(form[1], raw) : raw, end };
}
