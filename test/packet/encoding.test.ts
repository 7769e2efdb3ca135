import { decode, encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeBytes } from '../../src/os/bytes.ts';
import { encodeHeader } from '../../src/packet/encode.ts';
import { type PacketHeader, PREFIX_BYTES, sequence } from '../../src/packet/header.ts';
import { anyHeader, anySeconds, anySequence, bytesOf, decodePacket } from './packets.ts';

const EXAMPLE: PacketHeader = {
  seq: sequence(1),
  ctime: { seconds: 0x6b00f42an, nanos: 0x2b213c4e },
  work: {
    kind: 'command',
    params: ['--p1', 'é', '', 'a b'],
    env: [
      ['FOO', 'bar'],
      ['B', 'x\udcffy'],
    ],
  },
};

const EXAMPLE_HEX = `
  2a46494c4553504f4f4c4552 0001 0000000000000057 885975f7 c522b3d1
  83 a3736571 01 a56374696d65 92 ce6b00f42a ce2b213c4e a8636d645f74797065 81 a7436f6d6d616e64
  82 a6706172616d73 94 942d2d7031 92ccc3cca9 90 93612062 a3656e76 92 92 93464f4f 93626172 92 9142 9378ccff79`;

describe('a packet of the original, made from --p1, é, an empty parameter, two variables', () => {
  const bytes = Uint8Array.from(Buffer.from(EXAMPLE_HEX.replace(/\s/g, ''), 'hex'));

  test('is encoded to the same bytes', () => {
    expect(encodeHeader(EXAMPLE)).toEqual(bytes);
  });

  test('is decoded, whatever follows it', () => {
    expect(decodePacket(bytes)).toEqual({ kind: 'header', header: EXAMPLE });
    expect(decodePacket(bytesOf(bytes, 'payload'))).toEqual({ kind: 'header', header: EXAMPLE });
  });
});

describe('any header', () => {
  test('comes back as it was encoded', () => {
    fc.assert(
      fc.property(anyHeader, fc.uint8Array({ maxLength: 50 }), (header, payload) => {
        expect(decodePacket(bytesOf(encodeHeader(header), payload))).toEqual({ kind: 'header', header });
      }),
      { numRuns: 500 },
    );
  });

  test('is read by another MessagePack decoder as what it says', () => {
    fc.assert(
      fc.property(anyHeader, (header) => {
        const metadata = encodeHeader(header).subarray(PREFIX_BYTES);
        expect(decode(metadata, { useBigInt64: true })).toEqual(asValue(header));
      }),
    );
  });

  test('has the bytes another MessagePack encoder gives it, each integer in its shortest form', () => {
    fc.assert(
      fc.property(anyHeader, (header) => {
        const metadata = encodeHeader(header).subarray(PREFIX_BYTES);
        expect(metadata).toEqual(Uint8Array.from(encode(asValue(header), { useBigInt64: true })));
      }),
      { numRuns: 500 },
    );
  });
});

describe('integers at the edges of each width', () => {
  const WIDTHS = [0x7fn, 0xffn, 0xffffn, 0xffff_ffffn];
  const EDGES = WIDTHS.flatMap((last) => [last - 1n, last, last + 1n]);
  const SEQUENCES = [0n, 1n, ...EDGES, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n];

  test.each(SEQUENCES)('seq %s', (value) => {
    expectSameAsOther({ ...EXAMPLE, seq: sequence(value) });
  });

  const BELOW_ZERO = [-1n, -32n, -33n, -128n, -129n, -32768n, -32769n, -(2n ** 31n), -(2n ** 31n) - 1n];

  test.each([...BELOW_ZERO, 0n, ...EDGES])('%s seconds', (seconds) => {
    expectSameAsOther({ ...EXAMPLE, ctime: { seconds, nanos: 0 } });
  });

  test.each([0, 127, 128, 255, 256, 65535, 65536, 999_999_999])('%s nanoseconds', (nanos) => {
    expectSameAsOther({ ...EXAMPLE, ctime: { seconds: 0n, nanos } });
  });

  test.each([0, 15, 16, 255, 256, 65535, 65536])('%s parameters, and one of that many bytes', (count) => {
    const params = Array.from({ length: count }, () => '');
    expectSameAsOther({ ...EXAMPLE, work: { kind: 'command', params, env: [] } });
    expectSameAsOther({ ...EXAMPLE, work: { kind: 'command', params: ['é'.repeat(count)], env: [] } });
  });

  function expectSameAsOther(header: PacketHeader): void {
    const bytes = encodeHeader(header);
    const other = encode(asValue(header), { useBigInt64: true });
    expect(Buffer.compare(bytes.subarray(PREFIX_BYTES), other)).toBe(0);
    expect(decodePacket(bytes)).toEqual({ kind: 'header', header });
  }
});

describe('sequence numbers and seconds', () => {
  test('are kept to the last bit', () => {
    fc.assert(
      fc.property(anySequence, anySeconds, (seq, seconds) => {
        const header: PacketHeader = { seq, ctime: { seconds, nanos: 0 }, work: { kind: 'nop' } };
        expect(decodePacket(encodeHeader(header))).toEqual({ kind: 'header', header });
      }),
      { numRuns: 1000 },
    );
  });
});

/** The header as plain values: what fits in 32 bits a number, all else a bigint, as the other library has it. */
function asValue({ seq, ctime, work }: PacketHeader): unknown {
  return { seq: integer(seq), ctime: [integer(ctime.seconds), ctime.nanos], cmd_type: workValue(work) };
}

function workValue(work: PacketHeader['work']): unknown {
  if (work.kind === 'nop') return 'NOP';
  if (work.kind === 'fail') return 'Fail';
  const env = work.env.map(([name, value]) => [byteValues(name), byteValues(value)]);
  return { Command: { params: work.params.map(byteValues), env } };
}

function byteValues(value: string): number[] {
  return [...encodeBytes(value)];
}

function integer(value: bigint): number | bigint {
  return value >= -(2n ** 31n) && value < 2n ** 32n ? Number(value) : value;
}
