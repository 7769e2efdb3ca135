import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, decodeBytes, encodeBytes, looksMangled, needsBytes } from '../../src/os/bytes.ts';

/** Bytes in which whole, cut and wrong UTF-8 sequences of every length stand side by side. */
const anyBytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      fc.string({ unit: 'binary', maxLength: 3 }).map((text) => new TextEncoder().encode(text)),
      fc
        .tuple(fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), fc.integer({ min: 1, max: 3 }))
        .map(([text, length]) => new TextEncoder().encode(text).subarray(0, length)),
      fc.constantFrom(
        Uint8Array.of(0xc0, 0x80), // overlong
        Uint8Array.of(0xe0, 0x9f, 0xbf),
        Uint8Array.of(0xf0, 0x8f, 0xbf, 0xbf),
        Uint8Array.of(0xed, 0xa0, 0x80), // a surrogate
        Uint8Array.of(0xed, 0xb2, 0x80), // U+DC80 itself
        Uint8Array.of(0xf4, 0x90, 0x80, 0x80), // beyond U+10FFFF
        Uint8Array.of(0xef, 0xbb, 0xbf), // byte order mark
        Uint8Array.of(0xef, 0xbf, 0xbd), // U+FFFD
      ),
    ),
    { maxLength: 12 },
  )
  .map(concatBytes);

describe('any bytes', () => {
  test('come back from the string that stands for them', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(encodeBytes(decodeBytes(bytes))).toEqual(bytes);
      }),
      { numRuns: 5000 },
    );
  });

  test('are a string that needs bytes exactly when they are not UTF-8', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(needsBytes(decodeBytes(bytes))).toBe(!isUtf8(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  test('are decoded as a strict decoder, asked for one sequence after the other, would do it', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(decodeBytes(bytes)).toBe(decodeSlowly(bytes));
      }),
      { numRuns: 5000 },
    );
  });
});

describe('text', () => {
  test('that is well formed is its UTF-8 and back, the byte order mark and surrogate pairs included', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const bytes = encodeBytes(text);
        expect(bytes).toEqual(new TextEncoder().encode(text));
        expect(decodeBytes(bytes)).toBe(text);
        expect(needsBytes(text)).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['a byte order mark', '\ufeffa', [0xef, 0xbb, 0xbf, 0x61]],
    ['a pair', '\u{1f600}', [0xf0, 0x9f, 0x98, 0x80]],
    [
      'a byte beside a pair',
      '\u{1f600}\udcff\u{1f600}',
      [0xf0, 0x9f, 0x98, 0x80, 0xff, 0xf0, 0x9f, 0x98, 0x80],
    ],
    ['the lowest and the highest byte', '\udc80\udcff', [0x80, 0xff]],
    ['NUL', 'a\0b', [0x61, 0, 0x62]],
    ['nothing', '', []],
  ])('%s', (_, text, bytes) => {
    expect(encodeBytes(text)).toEqual(Uint8Array.from(bytes));
    expect(decodeBytes(Uint8Array.from(bytes))).toBe(text);
  });

  test('with a lone surrogate that stands for no byte becomes U+FFFD, as everywhere', () => {
    expect(decodeBytes(encodeBytes('a\ud800b'))).toBe('a\ufffdb');
    expect(decodeBytes(encodeBytes('a\udc7fb'))).toBe('a\ufffdb');
  });

  test('looks mangled when it has the replacement character', () => {
    expect(looksMangled(new TextDecoder().decode(Uint8Array.of(0x61, 0xff)))).toBe(true);
    expect(looksMangled('\udcff')).toBe(false);
    expect(looksMangled('é')).toBe(false);
  });
});

describe('concatBytes', () => {
  test('joins', () => {
    expect(concatBytes([])).toEqual(new Uint8Array());
    expect(concatBytes([Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3)])).toEqual(
      Uint8Array.of(1, 2, 3),
    );
  });
});

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function isUtf8(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function decodeSlowly(bytes: Uint8Array): string {
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const length = [1, 2, 3, 4].find(
      (count) => at + count <= bytes.length && isUtf8(bytes.subarray(at, at + count)),
    );
    const sequence = bytes.subarray(at, at + (length ?? 1));
    text += length === undefined ? String.fromCharCode(0xdc00 + (bytes[at] ?? 0)) : strict.decode(sequence);
    at += length ?? 1;
  }
  return text;
}
