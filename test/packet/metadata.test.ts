import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeBytes } from '../../src/os/bytes.ts';
import type { Damage, PacketHeader } from '../../src/packet/header.ts';
import { decodeMetadata } from '../../src/packet/metadata.ts';
import { ACCEPTED, REFUSED } from './odd-metadata.ts';
import {
  anyHeader,
  bytesOf,
  EARLIEST_SECONDS,
  LATEST_SECONDS,
  map,
  NOP,
  type Piece,
  SEQ,
  text,
} from './packets.ts';

describe('metadata nobody writes, but any reader of MessagePack knows', () => {
  test.each(Object.entries(ACCEPTED))('%s', (_, { metadata, header }) => {
    expect(decodeMetadata(metadata)).toEqual({ kind: 'header', header });
  });
});

describe('metadata that is refused', () => {
  test.each(Object.entries(REFUSED))('%s', (_, metadata) => {
    expect(damageOf(metadata)).toBe('shape');
  });
});

describe('the creation time', () => {
  const at = (seconds: bigint, nanos: bigint) =>
    map(SEQ, [text('ctime'), 0x92, wide(0xd3, seconds), wide(0xcf, nanos)], NOP);

  test.each([
    [EARLIEST_SECONDS, 0n],
    [LATEST_SECONDS, 999_999_999n],
    [-1n, 1_999_999_999n],
  ])('%s s and %s ns are in range', (seconds, nanos) => {
    expect(decodeMetadata(at(seconds, nanos))).toMatchObject({
      header: { ctime: { seconds, nanos: Number(nanos) } },
    });
  });

  test.each([
    [EARLIEST_SECONDS - 1n, 0n],
    [LATEST_SECONDS + 1n, 0n],
    [-(2n ** 63n), 0n],
    [2n ** 63n - 1n, 0n],
    [0n, 2_000_000_000n],
    [0n, 2n ** 32n - 1n],
  ])('%s s and %s ns are not', (seconds, nanos) => {
    expect(damageOf(at(seconds, nanos))).toBe('timestamp');
  });

  test('of a shape no time has is another damage', () => {
    expect(damageOf(at(0n, 2n ** 32n))).toBe('shape');
  });
});

describe('nesting of an unknown value', () => {
  const nested = (tag: number[], depth: number) =>
    map(SEQ, [text('x'), Array<number[]>(depth).fill(tag), 1], [text('ctime'), 0x92, 1, 2], NOP);

  test.each([
    ['arrays', [0x91]],
    ['maps', [0x81, 1]],
    ['maps in their keys', [0xde, 0, 1]],
  ])('%s: 32 deep is skipped, 33 is damage', (name, tag) => {
    const closing = name === 'maps in their keys' ? Array<number>(32).fill(1) : [];
    const deepest = map(
      SEQ,
      [text('x'), Array<number[]>(32).fill(tag), 1, closing],
      [text('ctime'), 0x92, 1, 2],
      NOP,
    );
    expect(decodeMetadata(deepest).kind).toBe('header');
    expect(damageOf(nested(tag, 33))).toBe('shape');
    expect(damageOf(nested(tag, 100_000))).toBe('shape');
  });
});

describe('any header in any encoding', () => {
  test('is read: keys in any order and length form, integers of any width, unknown keys anywhere', () => {
    fc.assert(
      fc.property(anyHeader, fc.infiniteStream(fc.nat()), anyUnknown, (header, choices, unknown) => {
        const choose = (options: number) => Number(choices.next().value) % options;
        const metadata = oddly(header, choose, unknown);
        expect(decodeMetadata(metadata)).toEqual({ kind: 'header', header });
      }),
      { numRuns: 500 },
    );
  });
});

function damageOf(metadata: Uint8Array): Damage['damage'] | 'none' {
  const result = decodeMetadata(metadata);
  return result.kind === 'damaged' ? result.damage : 'none';
}

type Choose = (options: number) => number;

/** The header as a careless but correct writer would put it. */
function oddly(header: PacketHeader, choose: Choose, unknown: readonly Uint8Array[]): Uint8Array {
  const ctime = arrayOf([header.ctime.seconds, BigInt(header.ctime.nanos)].map(int), choose);
  const cmdType = workOf(header, choose);
  const fields: Piece[] = [
    [key('seq', choose), int(header.seq)],
    [key('ctime', choose), ctime],
    [key('cmd_type', choose), cmdType],
    ...unknown.map((value, at) => [key(`unknown${at}`, choose), value]),
  ];
  return mapOf(shuffled(fields, choose), choose);

  function int(value: bigint): Piece {
    return integer(value, choose);
  }
}

function workOf({ work }: PacketHeader, choose: Choose): Piece {
  if (work.kind === 'nop') return key('NOP', choose);
  if (work.kind === 'fail') return key('Fail', choose);
  const bytes = (value: string) =>
    arrayOf(
      Array.from(encodeBytes(value), (byte) => integer(BigInt(byte), choose)),
      choose,
    );
  const env = work.env.map(([name, value]) => arrayOf([bytes(name), bytes(value)], choose));
  const fields: Piece[] = [
    [key('params', choose), arrayOf(work.params.map(bytes), choose)],
    [key('env', choose), arrayOf(env, choose)],
    [key('else', choose), 0xc0],
  ];
  return mapOf([[key('Command', choose), mapOf(shuffled(fields, choose), choose)]], choose);
}

function key(name: string, choose: Choose): Piece {
  const length = name.length;
  const forms = [[0xa0 | length], [0xd9, length], [0xda, 0, length], [0xdb, 0, 0, 0, length]];
  return [forms[choose(forms.length)] ?? [], name];
}

function mapOf(entries: readonly Piece[], choose: Choose): Uint8Array {
  return collection(entries, [0x80, 0xde, 0xdf], choose);
}

function arrayOf(items: readonly Piece[], choose: Choose): Uint8Array {
  return collection(items, [0x90, 0xdc, 0xdd], choose);
}

function collection(items: readonly Piece[], tags: [number, number, number], choose: Choose): Uint8Array {
  const count = items.length;
  const forms = [
    ...(count < 16 ? [[tags[0] | count]] : []),
    [tags[1], count >> 8, count & 0xff],
    [tags[2], 0, 0, count >> 8, count & 0xff],
  ];
  return bytesOf(forms[choose(forms.length)] ?? [], items);
}

function integer(value: bigint, choose: Choose): Uint8Array {
  const forms: Uint8Array[] = [];
  if (value >= -32n && value < 0x80n) forms.push(bytesOf(Number(value) & 0xff));
  [1n, 2n, 4n, 8n].forEach((width, at) => {
    if (value >= 0n && value < 1n << (width * 8n)) forms.push(wide(0xcc + at, value));
    const half = 1n << (width * 8n - 1n);
    if (value >= -half && value < half) forms.push(wide(0xd0 + at, value));
  });
  return forms[choose(forms.length)] ?? bytesOf();
}

/** An integer in the width of its tag, 0xcc to 0xd3. */
function wide(tag: number, value: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt.asUintN(64, value));
  return bytesOf(tag, new Uint8Array(view.buffer, 8 - (1 << (tag & 3))));
}

function shuffled(entries: readonly Piece[], choose: Choose): Piece[] {
  const left = [...entries];
  return entries.flatMap(() => left.splice(choose(left.length), 1));
}

/** Values of every MessagePack type. */
const anyUnknown = fc.array(
  fc.letrec<{ value: Uint8Array; plain: Uint8Array }>((tie) => ({
    plain: fc.oneof(
      fc.constantFrom(0xc0, 0xc2, 0xc3, 0, 0x7f, 0xe0, 0xff).map((tag) => bytesOf(tag)),
      fixed([0xca, 0xce, 0xd2], 4),
      fixed([0xcb, 0xcf, 0xd3], 8),
      fixed([0xcc, 0xd0], 1),
      fixed([0xcd, 0xd1, 0xd4], 2),
      fixed([0xd5], 3),
      fixed([0xd6], 5),
      fixed([0xd7], 9),
      fixed([0xd8], 17),
      sized([0xc4, 0xd9], 1, 0),
      sized([0xc5, 0xda], 2, 0),
      sized([0xc6, 0xdb], 4, 0),
      sized([0xc7], 1, 1),
      sized([0xc8], 2, 1),
      sized([0xc9], 4, 1),
      fc.uint8Array({ maxLength: 31 }).map((bytes) => bytesOf(0xa0 | bytes.length, bytes)),
    ),
    value: fc.oneof(
      { maxDepth: 4 },
      tie('plain'),
      fc.array(tie('value'), { maxLength: 5 }).map((items) => bytesOf(0x90 | items.length, items)),
      fc.array(tie('value'), { maxLength: 5 }).map((items) => bytesOf(0xdc, 0, items.length, items)),
      fc.array(tie('value'), { maxLength: 5 }).map((items) => bytesOf(0xdd, 0, 0, 0, items.length, items)),
      fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 }).map((pairs) => map(...pairs)),
      fc
        .array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 })
        .map((pairs) => bytesOf(0xdf, 0, 0, 0, pairs.length, pairs)),
    ),
  })).value,
  { maxLength: 5 },
);

function fixed(tags: number[], length: number): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.constantFrom(...tags), fc.uint8Array({ minLength: length, maxLength: length }))
    .map(([tag, bytes]) => bytesOf(tag, bytes));
}

function sized(tags: number[], width: number, extra: number): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.constantFrom(...tags), fc.uint8Array({ minLength: extra, maxLength: 40 }))
    .map(([tag, bytes]) => bytesOf(tag, Array<number>(width - 1).fill(0), bytes.length - extra, bytes));
}
