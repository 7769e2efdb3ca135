import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32 } from '../../src/packet/crc32.ts';
import { decodePrefix } from '../../src/packet/decode.ts';
import { encodeHeader } from '../../src/packet/encode.ts';
import { METADATA_LIMIT_BYTES, PREFIX_BYTES } from '../../src/packet/header.ts';
import { decodeMetadata } from '../../src/packet/metadata.ts';
import {
  anyHeader,
  bytesOf,
  CTIME,
  command,
  decodePacket,
  map,
  NOP,
  type Piece,
  packetAround,
  SEQ,
  text,
} from './packets.ts';

const PARAMS = bytesOf(text('params'), 0x90);
const ENV = bytesOf(text('env'), 0x90);

const anyPayload = fc.uint8Array({ maxLength: 30 });

describe('one damaged byte of a header', () => {
  test('is found when it is changed', () => {
    fc.assert(
      fc.property(
        anyHeader,
        anyPayload,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (header, payload, at, by) => {
          const head = encodeHeader(header);
          const place = at % head.length;
          head[place] = (head[place] ?? 0) ^ by;
          expect(decodePacket(bytesOf(head, payload)).kind).toBe('damaged');
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('is found, or does no harm, when it is removed', () => {
    fc.assert(
      fc.property(anyHeader, anyPayload, fc.nat(), (header, payload, at) => {
        const head = encodeHeader(header);
        const place = at % head.length;
        const result = decodePacket(bytesOf(head.subarray(0, place), head.subarray(place + 1), payload));
        if (result.kind === 'header') expect(result.header).toEqual(header);
      }),
      { numRuns: 1000 },
    );
  });

  test('is found, or does no harm, when it is put in', () => {
    fc.assert(
      fc.property(anyHeader, anyPayload, fc.nat(), fc.nat({ max: 255 }), (header, payload, at, byte) => {
        const head = encodeHeader(header);
        const place = at % head.length;
        const result = decodePacket(bytesOf(head.subarray(0, place), byte, head.subarray(place), payload));
        if (result.kind === 'header') expect(result.header).toEqual(header);
      }),
      { numRuns: 1000 },
    );
  });

  test('names what is wrong, by its place', () => {
    const head = encodeHeader(headerOf(decodePacket(packetAround(map(SEQ, CTIME, NOP)))));
    const found = Array.from(head, (_, place) => {
      const bytes = head.slice();
      bytes[place] = (bytes[place] ?? 0) ^ 1;
      const result = decodePacket(bytes);
      return result.kind === 'damaged' ? result.damage : 'none';
    });
    expect(found).toEqual([
      ...Array<string>(12).fill('tag'),
      ...Array<string>(2).fill('version'),
      ...Array<string>(16).fill('prefix-checksum'),
      ...Array<string>(head.length - PREFIX_BYTES).fill('metadata-checksum'),
    ]);
  });
});

describe('a packet that ends early', () => {
  test('is empty or truncated at every length of its header', () => {
    fc.assert(
      fc.property(anyHeader, (header) => {
        const head = encodeHeader(header);
        for (let length = 0; length < head.length; length++) {
          const damage = length === 0 ? 'empty' : 'truncated';
          expect(decodePacket(head.subarray(0, length))).toMatchObject({ kind: 'damaged', damage });
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe('the payload', () => {
  test('never changes what the header says', () => {
    fc.assert(
      fc.property(anyHeader, fc.uint8Array({ maxLength: 1000 }), (header, payload) => {
        const result = decodePacket(bytesOf(encodeHeader(header), payload));
        expect(result).toEqual({ kind: 'header', header });
      }),
    );
  });
});

describe('the checks of a prefix come in this order', () => {
  const goodPrefix = () => packetAround(map(SEQ, CTIME, NOP)).subarray(0, PREFIX_BYTES);

  test('length, tag, version, checksum, limit', () => {
    const bytes = goodPrefix().slice();
    new DataView(bytes.buffer).setBigUint64(14, 2n ** 64n - 1n);
    bytes[0] = 0;
    bytes[13] = 9;
    expect(decodePrefix(bytes.subarray(0, 29))).toMatchObject({ damage: 'truncated' });
    expect(decodePrefix(bytes)).toMatchObject({ damage: 'tag' });
    bytes[0] = 0x2a;
    expect(decodePrefix(bytes)).toMatchObject({ damage: 'version' });
    bytes[13] = 1;
    expect(decodePrefix(bytes)).toMatchObject({ damage: 'prefix-checksum' });
    new DataView(bytes.buffer).setUint32(26, crc32(bytes.subarray(0, 26)));
    expect(decodePrefix(bytes)).toMatchObject({ damage: 'metadata-too-large' });
  });

  test('the limit itself is allowed, one more is not', () => {
    const good = goodPrefix();
    const length = Number(new DataView(good.buffer, good.byteOffset).getBigUint64(14));
    expect(decodePrefix(good, length)).toMatchObject({ kind: 'prefix', metadataLength: length });
    expect(decodePrefix(good, length - 1)).toMatchObject({ damage: 'metadata-too-large' });
  });
});

describe('bytes that were never a packet', () => {
  test('are damage as a packet', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(decodePacket(bytes).kind).toBe('damaged');
      }),
      { numRuns: 1000 },
    );
  });

  test('are damage as metadata', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(decodeMetadata(bytes).kind).toBe('damaged');
      }),
      { numRuns: 5000 },
    );
  });

  test('right metadata with a few bytes exchanged is read as something that can be written, or is damage', () => {
    const anyEdits = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 2 }), fc.uint8Array({ maxLength: 5 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(anyHeader, anyEdits, (header, edits) => {
        let metadata: Uint8Array = encodeHeader(header).subarray(PREFIX_BYTES);
        for (const [at, removed, added] of edits) {
          const place = at % (metadata.length + 1);
          metadata = bytesOf(metadata.subarray(0, place), added, metadata.subarray(place + removed));
        }
        const result = decodeMetadata(metadata);
        if (result.kind === 'header') expect(decodePacket(encodeHeader(result.header))).toEqual(result);
        else expect(['shape', 'timestamp']).toContain(result.damage);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('lengths that the bytes there cannot hold', () => {
  const HUGE = [0xff, 0xff, 0xff, 0xff];
  const command = (rest: Uint8Array) => map(SEQ, CTIME, [text('cmd_type'), 0x81, text('Command'), rest]);
  const unknown = (...value: number[]) => map(SEQ, CTIME, NOP, [text('x'), value]);

  test.each<[string, Uint8Array]>([
    ['the map', bytesOf(0xdf, HUGE, SEQ, CTIME, NOP)],
    ['a key', bytesOf(0x81, 0xdb, HUGE, 'seq')],
    ['ctime', map(SEQ, [text('ctime'), 0xdd, HUGE, 1, 2], NOP)],
    ['cmd_type', map(SEQ, CTIME, [text('cmd_type'), 0xdb, HUGE, 'NOP'])],
    ['the command', command(bytesOf(0xdf, HUGE))],
    ['params', command(bytesOf(0x82, text('params'), 0xdd, HUGE))],
    ['a parameter', command(bytesOf(0x82, text('params'), 0x91, 0xdd, HUGE, 1))],
    ['env', command(bytesOf(0x82, text('env'), 0xdd, HUGE))],
    ['a variable', command(bytesOf(0x82, text('env'), 0x91, 0x92, 0xdd, HUGE))],
    ['an unknown array', unknown(0xdd, ...HUGE)],
    ['an unknown map', unknown(0xdf, ...HUGE)],
    ['an unknown string', unknown(0xdb, ...HUGE)],
    ['an unknown bin', unknown(0xc6, ...HUGE)],
    ['an unknown ext', unknown(0xc9, ...HUGE)],
  ])('%s: refused for the claim itself, before anything is made for it', (_, metadata) => {
    expect(decodeMetadata(metadata)).toMatchObject({
      kind: 'damaged',
      damage: 'shape',
      message: expect.stringMatching(/4294967295 items cannot be in the \d+ bytes left$/),
    });
  });

  test('many claims of all that is left, one in the other, are refused at the depth limit', () => {
    const nested = new Uint8Array(METADATA_LIMIT_BYTES).fill(0x9f);
    expect(decodeMetadata(map(SEQ, CTIME, NOP, [text('x'), nested]))).toMatchObject({ damage: 'shape' });
  });
});

describe('what is said about damage', () => {
  test.each<[string, (good: Uint8Array) => Uint8Array, number?]>([
    ['it is empty', (good) => good.subarray(0, 0)],
    ['it ends after 29 of the 30 bytes of its prefix', (good) => good.subarray(0, 29)],
    ['it does not begin with *FILESPOOLER', (good) => good.fill(0x20, 0, 12)],
    ['it has format version 258, known is 1', (good) => good.fill(1, 12, 13).fill(2, 13, 14)],
    ['the checksum of its prefix is wrong', (good) => good.fill(0, 26, 30)],
    ['its metadata claims 28 bytes, more than the limit of 27', (good) => good, 27],
    ['it ends after 27 of the 28 bytes of its metadata', (good) => good.subarray(0, -1)],
    ['the checksum of its metadata is wrong', (good) => good.fill(0, 57)],
  ])('%s', (message, change, limit) => {
    const bytes = change(packetAround(map(SEQ, CTIME, NOP)));
    expect(decodePacket(bytes, limit)).toMatchObject({ kind: 'damaged', message });
  });

  const ctime = (...value: Piece[]) => map(SEQ, [text('ctime'), value], NOP);
  const work = (...value: Piece[]) => map(SEQ, CTIME, [text('cmd_type'), value]);

  test.each<[string, Uint8Array]>([
    ['a map was expected', bytesOf(0xc0)],
    ['a string was expected', bytesOf(0x81, 1, 1)],
    ['an array was expected', ctime(1)],
    ['an integer was expected', ctime(0x92, text('1'), 2)],
    ['an integer was expected', ctime(0x92, 0xd9, 1, '1', 2)],
    ['it ends too early', bytesOf(0x81, text('seq'))],
    ['it ends too early', bytesOf(0x81, text('seq'), 0xcd, 1)],
    ['seq is missing', map(CTIME, NOP)],
    ['ctime is missing', map(SEQ, NOP)],
    ['cmd_type is missing', map(SEQ, CTIME)],
    ['seq is there twice', map(SEQ, SEQ, CTIME, NOP)],
    ['ctime is there twice', map(SEQ, CTIME, CTIME, NOP)],
    ['cmd_type is there twice', map(SEQ, CTIME, NOP, NOP)],
    ['-1 is no unsigned number of 64 bits', map([text('seq'), 0xff], CTIME, NOP)],
    [
      '18446744073709551615 is no signed number of 64 bits',
      ctime(0x92, 0xcf, Array<number>(8).fill(0xff), 2),
    ],
    ['4294967296 is no unsigned number of 32 bits', ctime(0x92, 1, 0xcf, [0, 0, 0, 1, 0, 0, 0, 0])],
    ['ctime is not a pair', ctime(0x91, 1)],
    ['cmd_type is "Nop"', work(text('Nop'))],
    ['cmd_type is unknown', work(0x81, text('Order'), 0x80)],
    ['params is missing', work(0x81, text('Command'), 0x81, text('env'), 0x90)],
    ['env is missing', work(0x81, text('Command'), 0x81, text('params'), 0x90)],
    ['params is there twice', work(0x81, text('Command'), map(PARAMS, PARAMS))],
    ['env is there twice', work(0x81, text('Command'), map(PARAMS, ENV, ENV))],
    ['an environment variable is not a pair', map(SEQ, CTIME, command(0x90, [0x91, 0x91, 0x90]))],
    ['256 is not a byte', map(SEQ, CTIME, command([0x91, 0x91, 0xcd, 1, 0], 0x90))],
    ['a value nests deeper than 32', map(SEQ, [text('x'), Array<number>(33).fill(0x91), 1])],
    ['byte 0xc1 begins no value', map(SEQ, [text('x'), 0xc1])],
    ['15 items cannot be in the 2 bytes left', map(SEQ, [text('x'), 0x9f, 1, 1])],
  ])('%s', (message, metadata) => {
    expect(decodeMetadata(metadata)).toEqual({
      kind: 'damaged',
      damage: 'shape',
      message: `its metadata is not what a packet has: ${message}`,
    });
  });

  test('a creation time out of range is repeated', () => {
    expect(decodeMetadata(ctime(0x92, 7, 0xce, Array<number>(4).fill(0xff)))).toMatchObject({
      damage: 'timestamp',
      message: 'its creation time, 7 seconds and 4294967295 ns, is out of range',
    });
  });

  test('a name out of place is repeated up to its 40th character', () => {
    const name = 'n'.repeat(50);
    expect(decodeMetadata(work(0xd9, 50, name))).toMatchObject({
      message: `its metadata is not what a packet has: cmd_type is "${'n'.repeat(40)}"`,
    });
  });

  test('repeats no more than a little of it', () => {
    const name = 'x'.repeat(METADATA_LIMIT_BYTES / 2);
    const length = [0xdb, 0, 8, 0, 0];
    const results = [
      decodeMetadata(map(SEQ, CTIME, [text('cmd_type'), length, name])),
      decodeMetadata(map([length, name, 1], SEQ, CTIME)),
    ];
    for (const result of results) {
      expect(result.kind).toBe('damaged');
      if (result.kind === 'damaged') expect(result.message.length).toBeLessThan(200);
    }
  });
});

function headerOf(result: ReturnType<typeof decodePacket>) {
  if (result.kind === 'damaged') throw new Error(result.message);
  return result.header;
}
