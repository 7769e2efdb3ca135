import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Descriptor, Files } from '../../src/os/ports.ts';
import { encodeHeader } from '../../src/packet/encode.ts';
import { PREFIX_BYTES } from '../../src/packet/header.ts';
import { peekHeader, readHeader } from '../../src/packet/read.ts';
import { anyHeader, bytesOf, decodePacket } from './packets.ts';

const SOURCE = 7 as Descriptor;
const anySizes = fc.infiniteStream(fc.integer({ min: 1, max: 40 }));

describe('a header read from a descriptor', () => {
  test('is whole however the bytes arrive, and nothing after it is read', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyHeader,
        fc.uint8Array(),
        anySizes,
        fc.boolean(),
        async (header, payload, sizes, later) => {
          const head = encodeHeader(header);
          const source = sourceOf(bytesOf(head, payload), sizes, later);
          expect(await readHeader(source.files, SOURCE)).toEqual({ kind: 'header', header });
          expect(source.position()).toBe(head.length);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('is truncated wherever the bytes end', async () => {
    await fc.assert(
      fc.asyncProperty(anyHeader, fc.nat(), anySizes, async (header, at, sizes) => {
        const head = encodeHeader(header);
        const length = at % head.length;
        const source = sourceOf(head.subarray(0, length), sizes, false);
        expect(await readHeader(source.files, SOURCE)).toMatchObject({
          kind: 'damaged',
          damage: length === 0 ? 'empty' : 'truncated',
        });
      }),
      { numRuns: 300 },
    );
  });

  test('is what the same bytes in memory are, when they are damaged', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyHeader,
        fc.nat(),
        fc.nat({ max: 255 }),
        anySizes,
        async (header, at, byte, sizes) => {
          const head = encodeHeader(header);
          head[at % head.length] = byte;
          const source = sourceOf(head, sizes, false);
          expect(await readHeader(source.files, SOURCE)).toEqual(decodePacket(head));
          expect(source.position()).toBeLessThanOrEqual(head.length);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('is given up after the prefix when the metadata claims more than the limit', async () => {
    await fc.assert(
      fc.asyncProperty(anyHeader, anySizes, async (header, sizes) => {
        const head = encodeHeader(header);
        const source = sourceOf(head, sizes, false);
        const limit = head.length - PREFIX_BYTES - 1;
        const result = await readHeader(source.files, SOURCE, limit);
        expect(result).toMatchObject({ kind: 'damaged', damage: 'metadata-too-large' });
        expect(source.position()).toBe(PREFIX_BYTES);
      }),
      { numRuns: 50 },
    );
  });

  test('fails as its descriptor fails', async () => {
    const failure = Object.assign(new Error('EIO: read'), { code: 'EIO', syscall: 'read' });
    const files: Files = {
      ...onlyRead(() => {
        throw failure;
      }),
    };
    await expect(readHeader(files, SOURCE)).rejects.toBe(failure);
  });
});

describe('a header peeked at', () => {
  const anyScratch = fc
    .integer({ min: PREFIX_BYTES, max: 200 })
    .map((size) => new Uint8Array(size).fill(0xff));

  test('is what reading it gives, whatever room there is, however the bytes arrive, wherever they end', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyHeader,
        fc.uint8Array(),
        fc.nat(),
        anySizes,
        anyScratch,
        async (header, payload, at, sizes, scratch) => {
          const whole = bytesOf(encodeHeader(header), payload);
          const bytes = whole.subarray(0, at % (whole.length + 1));
          const peeked = await peekHeader(sourceOf(bytes, sizes, false).files, SOURCE, scratch);
          expect(peeked).toEqual(await readHeader(sourceOf(bytes, sizes, true).files, SOURCE));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('has nothing of the one before in the same room', async () => {
    const scratch = new Uint8Array(512);
    await fc.assert(
      fc.asyncProperty(anyHeader, anyHeader, anySizes, async (one, other, sizes) => {
        const [first, second] = [encodeHeader(one), encodeHeader(other)];
        await peekHeader(sourceOf(first, sizes, false).files, SOURCE, scratch);
        const cut = second.subarray(0, -1);
        expect(await peekHeader(sourceOf(cut, sizes, false).files, SOURCE, scratch)).toMatchObject({
          damage: 'truncated',
        });
        const peeked = await peekHeader(sourceOf(second, sizes, false).files, SOURCE, scratch);
        expect(peeked).toEqual({ kind: 'header', header: other });
      }),
    );
  });
});

/** A descriptor whose every read gives at most the next of `sizes` bytes, at once or `later`. */
function sourceOf(bytes: Uint8Array, sizes: Iterator<number>, later: boolean) {
  let position = 0;
  const read: Files['read'] = (descriptor, buffer, offset, length) => {
    expect(descriptor).toBe(SOURCE);
    expect(length).toBeGreaterThan(0);
    expect(offset + length).toBeLessThanOrEqual(buffer.length);
    const count = Math.min(length, Number(sizes.next().value), bytes.length - position);
    buffer.set(bytes.subarray(position, position + count), offset);
    position += count;
    return later ? Promise.resolve(count) : count;
  };
  return { files: onlyRead(read), position: () => position };
}

function onlyRead(read: Files['read']): Files {
  const refuse = () => {
    throw new Error('reading a header needs nothing but read');
  };
  return {
    read,
    open: refuse,
    close: refuse,
    readAside: refuse,
    write: refuse,
    writeAt: refuse,
    fsync: refuse,
    fsyncAside: refuse,
    fsyncAll: refuse,
    fstat: refuse,
    fchmod: refuse,
    stat: refuse,
    exists: refuse,
    readdir: refuse,
    rename: refuse,
    link: refuse,
    unlink: refuse,
    mkdir: refuse,
    rmdir: refuse,
    touch: refuse,
    realPath: refuse,
    statfs: refuse,
  };
}
