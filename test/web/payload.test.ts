import { describe, expect, it } from 'vitest';
import { hexOf, textOf } from '../../src/web/payload.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('the preview of a payload', () => {
  it('is text where it is text', () => {
    expect(textOf({ bytes: bytes('grüße\n\t\x1b[1m'), isCut: false })).toBe('grüße\n\t\x1b[1m');
    expect(textOf({ bytes: bytes('a\0b'), isCut: false })).toBeUndefined();
    expect(textOf({ bytes: Uint8Array.of(0xff, 0xfe), isCut: false })).toBeUndefined();
  });

  it('leaves out a character that was cut through', () => {
    const cut = bytes('aü').subarray(0, 2);
    expect(textOf({ bytes: cut, isCut: true })).toBe('a');
    expect(textOf({ bytes: cut, isCut: false })).toBeUndefined();
  });

  it('is in rows of 16 bytes in hex', () => {
    expect(hexOf(bytes('0123456789abcdef<\n'))).toBe(
      '00000000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n' +
        '00000010  3c 0a                                            <.',
    );
  });
});
