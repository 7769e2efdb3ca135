import { describe, expect, test } from 'vitest';
import {
  following,
  LAST_SEQUENCE,
  METADATA_LIMIT_BYTES,
  precedes,
  sequence,
} from '../../src/packet/header.ts';

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

  test('comes before those that follow it, in a ring', () => {
    const comesBefore = (a: bigint, b: bigint) => precedes(sequence(a), sequence(b));
    expect(comesBefore(1n, 2n)).toBe(true);
    expect(comesBefore(2n, 1n)).toBe(false);
    expect(comesBefore(2n, 2n)).toBe(false);
    expect(comesBefore(LAST_SEQUENCE, 0n)).toBe(true);
    expect(comesBefore(0n, LAST_SEQUENCE)).toBe(false);
    expect(comesBefore(0n, (1n << 63n) - 1n)).toBe(true);
    expect(comesBefore(0n, 1n << 63n)).toBe(false);
  });
});

test('metadata of up to a mebibyte is read', () => {
  expect(METADATA_LIMIT_BYTES).toBe(1_048_576);
});
