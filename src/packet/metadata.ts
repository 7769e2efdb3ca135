/**
 * The metadata of a packet: MessagePack of one known shape, read without trusting a byte of it.
 *
 * Written out here instead of using a MessagePack library: the shape is fixed, sequence numbers need all 64
 * bits, every claimed length is checked against the bytes there are before anything is made, and listing
 * 100,000 jobs reads 100,000 of them. The tests compare it with @msgpack/msgpack.
 *
 * As with the original, keys may come in any order, integers in any width, unknown keys are skipped, and so is what
 * follows the map. Structures written as arrays or with numbered keys, which its library takes too, are damage here.
 */

import { decodeBytes, unsignedAt } from '../os/bytes.ts';
import { damaged, type HeaderResult, type Sequence, type Work } from './header.ts';

/** -262144-01-01T00:00:00Z and +262143-12-31T23:59:59Z: beyond these the original cannot go on. */
const EARLIEST_SECONDS = -8_334_632_851_200n;
const LATEST_SECONDS = 8_210_298_412_799n;
/** A leap second is written as one second with nanos above 999,999,999. */
const NANOS_LIMIT = 2_000_000_000n;

/** How deep an unknown value may nest before it is called damage. */
const DEPTH_LIMIT = 32;

/** How much of an unexpected name a message repeats. */
const SHOWN_CHARACTERS = 40;

export function decodeMetadata(bytes: Uint8Array): HeaderResult {
  const reader = new Reader(bytes);
  let fields: Fields;
  try {
    fields = readFields(reader);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    return damaged('shape', `its metadata is not what a packet has: ${error.message}`);
  }
  const { seq, ctime, work } = fields;
  const { seconds, nanos } = ctime;
  if (seconds < EARLIEST_SECONDS || seconds > LATEST_SECONDS || nanos >= NANOS_LIMIT) {
    return damaged('timestamp', `its creation time, ${seconds} seconds and ${nanos} ns, is out of range`);
  }
  return { kind: 'header', header: { seq, ctime: { seconds, nanos: Number(nanos) }, work } };
}

class ShapeError extends Error {}

type RawTime = { readonly seconds: bigint; readonly nanos: bigint };
type Fields = { readonly seq: Sequence; readonly ctime: RawTime; readonly work: Work };

function readFields(reader: Reader): Fields {
  let seq: Sequence | undefined;
  let ctime: RawTime | undefined;
  let work: Work | undefined;
  forEachKey(reader, (key) => {
    if (key === 'seq') seq = once(key, seq, () => reader.unsigned(64) as Sequence);
    else if (key === 'ctime') ctime = once(key, ctime, () => readTime(reader));
    else if (key === 'cmd_type') work = once(key, work, () => readWork(reader));
    else reader.skip();
  });
  return { seq: needed('seq', seq), ctime: needed('ctime', ctime), work: needed('cmd_type', work) };
}

function readTime(reader: Reader): RawTime {
  if (reader.arrayLength() !== 2) throw new ShapeError('ctime is not a pair');
  return { seconds: reader.signed(), nanos: reader.unsigned(32) };
}

function readWork(reader: Reader): Work {
  if (reader.isText()) {
    const name = reader.text();
    if (name === 'NOP') return { kind: 'nop' };
    if (name === 'Fail') return { kind: 'fail' };
    throw new ShapeError(`cmd_type is ${JSON.stringify(name.slice(0, SHOWN_CHARACTERS))}`);
  }
  if (reader.mapLength() !== 1 || reader.text() !== 'Command') throw new ShapeError('cmd_type is unknown');
  let params: string[] | undefined;
  let env: [string, string][] | undefined;
  forEachKey(reader, (key) => {
    if (key === 'params') params = once(key, params, () => reader.list(() => reader.byteArray()));
    else if (key === 'env') env = once(key, env, () => reader.list(() => readVariable(reader)));
    else reader.skip();
  });
  return { kind: 'command', params: needed('params', params), env: needed('env', env) };
}

function readVariable(reader: Reader): [string, string] {
  if (reader.arrayLength() !== 2) throw new ShapeError('an environment variable is not a pair');
  return [reader.byteArray(), reader.byteArray()];
}

function forEachKey(reader: Reader, read: (key: string) => void): void {
  const length = reader.mapLength();
  for (let entry = 0; entry < length; entry++) read(reader.text());
}

function once<T>(key: string, earlier: T | undefined, read: () => T): T {
  if (earlier !== undefined) throw new ShapeError(`${key} is there twice`);
  return read();
}

function needed<T>(key: string, value: T | undefined): T {
  if (value === undefined) throw new ShapeError(`${key} is missing`);
  return value;
}

/** Reads MessagePack values one after the other. Any read beyond the end, or of another type, is a ShapeError. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  mapLength(): number {
    const tag = this.#next();
    if (tag >= 0x80 && tag <= 0x8f) return tag & 0x0f;
    if (tag === 0xde) return this.#length(2, 2);
    if (tag === 0xdf) return this.#length(4, 2);
    throw new ShapeError('a map was expected');
  }

  arrayLength(): number {
    const tag = this.#next();
    if (tag >= 0x90 && tag <= 0x9f) return this.#fits(tag & 0x0f, 1);
    if (tag === 0xdc) return this.#length(2, 1);
    if (tag === 0xdd) return this.#length(4, 1);
    throw new ShapeError('an array was expected');
  }

  list<T>(read: () => T): T[] {
    const length = this.arrayLength();
    const items: T[] = [];
    for (let item = 0; item < length; item++) items.push(read());
    return items;
  }

  isText(): boolean {
    const tag = this.#bytes[this.#at] ?? 0;
    return (tag >= 0xa0 && tag <= 0xbf) || (tag >= 0xd9 && tag <= 0xdb);
  }

  text(): string {
    const tag = this.#next();
    let length: number;
    if (tag >= 0xa0 && tag <= 0xbf) length = this.#fits(tag & 0x1f, 1);
    else if (tag === 0xd9) length = this.#length(1, 1);
    else if (tag === 0xda) length = this.#length(2, 1);
    else if (tag === 0xdb) length = this.#length(4, 1);
    else throw new ShapeError('a string was expected');
    for (const word of KNOWN_WORDS) {
      if (word.length === length && this.#spells(word)) {
        this.#advance(length);
        return word;
      }
    }
    return decodeBytes(this.#take(length));
  }

  #spells(word: string): boolean {
    for (let at = 0; at < word.length; at++) {
      if (this.#bytes[this.#at + at] !== word.charCodeAt(at)) return false;
    }
    return true;
  }

  /** An array of integers 0 to 255, as the string those bytes stand for. */
  byteArray(): string {
    const length = this.arrayLength();
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at++) {
      const tag = this.#next();
      bytes[at] = tag < 0x80 ? tag : this.#wideByte(tag);
    }
    return decodeBytes(bytes);
  }

  #wideByte(tag: number): number {
    const value = this.#integer(tag);
    if (value < 0n || value > 0xffn) throw new ShapeError(`${value} is not a byte`);
    return Number(value);
  }

  unsigned(bits: 32 | 64): bigint {
    const value = this.#integer(this.#next());
    if (BigInt.asUintN(bits, value) === value) return value;
    throw new ShapeError(`${value} is no unsigned number of ${bits} bits`);
  }

  signed(): bigint {
    const value = this.#integer(this.#next());
    if (BigInt.asIntN(64, value) === value) return value;
    throw new ShapeError(`${value} is no signed number of 64 bits`);
  }

  #integer(tag: number): bigint {
    if (tag < 0x80) return BigInt(tag);
    if (tag >= 0xe0) return BigInt(tag - 0x100);
    if (tag >= 0xcc && tag <= 0xcf) return this.#big(1 << (tag - 0xcc));
    if (tag < 0xd0 || tag > 0xd3) throw new ShapeError('an integer was expected');
    const width = 1 << (tag - 0xd0);
    return BigInt.asIntN(8 * width, this.#big(width));
  }

  #big(width: number): bigint {
    const at = this.#advance(width);
    if (width < 8) return BigInt(unsignedAt(this.#bytes, at, width));
    return (BigInt(unsignedAt(this.#bytes, at, 4)) << 32n) | BigInt(unsignedAt(this.#bytes, at + 4, 4));
  }

  /** Steps over one value of any type. */
  skip(depth = 0): void {
    if (depth > DEPTH_LIMIT) throw new ShapeError(`a value nests deeper than ${DEPTH_LIMIT}`);
    const tag = this.#bytes[this.#at] ?? 0xc1;
    if (isMapTag(tag)) this.#skipItems(this.mapLength() * 2, depth);
    else if (isArrayTag(tag)) this.#skipItems(this.arrayLength(), depth);
    else if (this.isText()) this.text();
    else this.#skipPlain(this.#next());
  }

  #skipItems(count: number, depth: number): void {
    for (let item = 0; item < count; item++) this.skip(depth + 1);
  }

  /** What is neither a map, an array nor a string. */
  #skipPlain(tag: number): void {
    if (tag === 0xc1) throw new ShapeError('byte 0xc1 begins no value');
    if (tag <= 0xc3 || tag >= 0xe0) return; // integers of one byte, nil, false, true
    const fixed = FIXED_WIDTHS[tag];
    if (fixed !== undefined) this.#advance(fixed);
    else if (tag <= 0xc6)
      this.#take(this.#length(1 << (tag - 0xc4), 1)); // bin
    else this.#take(this.#length(1 << (tag - 0xc7), 1) + 1); // ext
  }

  /** A length of `width` bytes, refused when the items it counts (of at least `least` bytes each) cannot be there. */
  #length(width: number, least: number): number {
    return this.#fits(unsignedAt(this.#bytes, this.#advance(width), width), least);
  }

  #fits(length: number, least: number): number {
    const left = this.#bytes.length - this.#at;
    if (length * least > left) throw new ShapeError(`${length} items cannot be in the ${left} bytes left`);
    return length;
  }

  #take(length: number): Uint8Array {
    const at = this.#advance(length);
    return this.#bytes.subarray(at, at + length);
  }

  #next(): number {
    return this.#bytes[this.#advance(1)] ?? 0;
  }

  #advance(by: number): number {
    const at = this.#at;
    if (at + by > this.#bytes.length) throw new ShapeError('it ends too early');
    this.#at = at + by;
    return at;
  }
}

/** The texts of every packet, which need no decoding. */
const KNOWN_WORDS = ['seq', 'ctime', 'cmd_type', 'Command', 'params', 'env'] as const;

/** Bytes after the tag: float 32 and 64, integers, fixext 1 to 16 with their type byte. */
const FIXED_WIDTHS: Record<number, number> = {
  202: 4,
  203: 8,
  204: 1,
  205: 2,
  206: 4,
  207: 8,
  208: 1,
  209: 2,
  210: 4,
  211: 8,
  212: 2,
  213: 3,
  214: 5,
  215: 9,
  216: 17,
};

function isMapTag(tag: number): boolean {
  return (tag >= 0x80 && tag <= 0x8f) || tag === 0xde || tag === 0xdf;
}

function isArrayTag(tag: number): boolean {
  return (tag >= 0x90 && tag <= 0x9f) || tag === 0xdc || tag === 0xdd;
}
