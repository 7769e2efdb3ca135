import { describe, expect, it } from 'vitest';
import { chunksOf } from '../../src/queue/payload.ts';

describe('a payload', () => {
  it('comes in chunks', () => {
    const bytes = Uint8Array.of(1, 2);
    const chunks = ['a', bytes];
    expect(chunksOf(undefined)).toEqual([]);
    expect(chunksOf('é')).toEqual([Uint8Array.of(0xc3, 0xa9)]);
    expect(chunksOf(bytes)).toEqual([bytes]);
    expect(chunksOf(chunks)).toBe(chunks);
  });
});
