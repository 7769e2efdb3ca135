import { encodeBytes } from '../os/bytes.ts';
import { crc32 } from './crc32.ts';
import { type PacketHeader, PREFIX_BYTES, TAG, VERSION, type Work } from './header.ts';

/**
 * How the sequence number is written. `shortest`: exact to the byte with fspl 1.2.2. `fixed`: always nine bytes,
 * so that another number can take its place later; every reader takes both.
 */
export type SequenceWidth = 'shortest' | 'fixed';

/** The prefix and metadata of a packet, to be followed by its payload. */
export function encodeHeader(header: PacketHeader, width: SequenceWidth = 'shortest'): Uint8Array {
  const metadata = encodeMetadata(header, width);
  const bytes = new Uint8Array(PREFIX_BYTES + metadata.length);
  const view = new DataView(bytes.buffer);
  bytes.set(encodeBytes(TAG), 0);
  view.setUint16(12, VERSION);
  view.setBigUint64(14, BigInt(metadata.length));
  view.setUint32(22, crc32(metadata));
  view.setUint32(26, crc32(bytes.subarray(0, 26)));
  bytes.set(metadata, PREFIX_BYTES);
  return bytes;
}

/**
 * MessagePack, always in the shortest form:
 * `{seq, ctime: [seconds, nanos], cmd_type: "NOP" | "Fail" | {Command: {params: [bytes], env: [[bytes, bytes]]}}}`
 * where `bytes` is an array of integers, one for each byte.
 */
function encodeMetadata(header: PacketHeader, width: SequenceWidth): Uint8Array {
  const out = new Writer();
  out.map(3);
  out.text('seq');
  if (width === 'shortest') out.integer(header.seq);
  else out.unsigned64(header.seq);
  out.text('ctime');
  out.array(2);
  out.integer(header.ctime.seconds);
  out.integer(BigInt(header.ctime.nanos));
  out.text('cmd_type');
  writeWork(out, header.work);
  return out.bytes();
}

function writeWork(out: Writer, work: Work): void {
  if (work.kind !== 'command') {
    out.text(work.kind === 'nop' ? 'NOP' : 'Fail');
    return;
  }
  out.map(1);
  out.text('Command');
  out.map(2);
  out.text('params');
  out.array(work.params.length);
  for (const param of work.params) out.byteArray(encodeBytes(param));
  out.text('env');
  out.array(work.env.length);
  for (const [name, value] of work.env) {
    out.array(2);
    out.byteArray(encodeBytes(name));
    out.byteArray(encodeBytes(value));
  }
}

/** The part of MessagePack that packets use. Grows as needed. */
class Writer {
  #buffer = new Uint8Array(256);
  #view = new DataView(this.#buffer.buffer);
  #length = 0;

  bytes(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }

  map(entries: number): void {
    this.#byte(0x80 | entries); // at most three here: always a fixmap
  }

  array(items: number): void {
    if (items < 16) this.#byte(0x90 | items);
    else if (items <= 0xffff) this.#tagged(0xdc, 2, (at) => this.#view.setUint16(at, items));
    else this.#tagged(0xdd, 4, (at) => this.#view.setUint32(at, items));
  }

  /** Only our own short keys: always a fixstr. */
  text(text: string): void {
    this.#byte(0xa0 | text.length);
    for (let at = 0; at < text.length; at++) this.#byte(text.charCodeAt(at));
  }

  byteArray(bytes: Uint8Array): void {
    this.array(bytes.length);
    for (const byte of bytes) {
      if (byte >= 0x80) this.#byte(0xcc);
      this.#byte(byte);
    }
  }

  integer(value: bigint): void {
    if (value >= 0n) this.#unsigned(value);
    else this.#negative(value);
  }

  unsigned64(value: bigint): void {
    this.#tagged(0xcf, 8, (at) => this.#view.setBigUint64(at, value));
  }

  #unsigned(value: bigint): void {
    const small = Number(value);
    if (value < 0x80n) this.#byte(small);
    else if (value <= 0xffn) this.#tagged(0xcc, 1, (at) => this.#view.setUint8(at, small));
    else if (value <= 0xffffn) this.#tagged(0xcd, 2, (at) => this.#view.setUint16(at, small));
    else if (value <= 0xffff_ffffn) this.#tagged(0xce, 4, (at) => this.#view.setUint32(at, small));
    else this.unsigned64(value);
  }

  #negative(value: bigint): void {
    const small = Number(value);
    if (value >= -32n) this.#byte(small & 0xff);
    else if (value >= -0x80n) this.#tagged(0xd0, 1, (at) => this.#view.setInt8(at, small));
    else if (value >= -0x8000n) this.#tagged(0xd1, 2, (at) => this.#view.setInt16(at, small));
    else if (value >= -0x8000_0000n) this.#tagged(0xd2, 4, (at) => this.#view.setInt32(at, small));
    else this.#tagged(0xd3, 8, (at) => this.#view.setBigInt64(at, value));
  }

  #tagged(tag: number, width: number, put: (at: number) => void): void {
    this.#byte(tag);
    this.#reserve(width);
    put(this.#length);
    this.#length += width;
  }

  #byte(byte: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = byte;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#buffer.length) return;
    const grown = new Uint8Array(this.#buffer.length * 2);
    grown.set(this.#buffer);
    this.#buffer = grown;
    this.#view = new DataView(grown.buffer);
  }
}
