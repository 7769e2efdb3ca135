import { describe, expect, test } from 'vitest';
import { following, LAST_SEQUENCE, METADATA_LIMIT_BYTES, sequence } from '../../src/packet/header.ts';

describe('a sequence number', () => {
  test.each([0, 1, Number.MAX_SAFE_INTEGER, 2n ** 64n - 1n])('can be %s', (value) => {
    expect(sequence(value)).toBe(BigInt(value));
  });

  test.each([-1, -(2n ** 64n), 2n ** 64n])('cannot be %s, and says so', (value) => {
    const expected = `Expected a sequence number from 0 to 18446744073709551615, got ${value}`;
    expect(() => sequence(value)).toThrow(new RangeError(expected));
  });

  test('is followed by the next, the last by 0', () => {
    expect(following(sequence(0))).toBe(1n);
    expect(following(sequence(LAST_SEQUENCE - 1n))).toBe(LAST_SEQUENCE);
    expect(following(LAST_SEQUENCE)).toBe(0n);
  });
});

test('metadata of up to a mebibyte is read', () => {
  expect(METADATA_LIMIT_BYTES).toBe(1_048_576);
});
