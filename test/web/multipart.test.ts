/** Forms with files, as browsers send them and as others might. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/os/bytes.ts';
import { BadBody, boundaryOf, readMultipart } from '../../src/web/site/multipart.ts';

const BOUNDARY = '----x';
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** In pieces of these lengths, the last of them again and again. */
async function* inPieces(bytes: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let piece = 0; at < bytes.length; piece++) {
    const length = lengths[Math.min(piece, lengths.length - 1)] ?? 1;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

function field(name: string, value: string): string {
  return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
}

function form(fields: readonly (readonly [string, string])[], file: Uint8Array): Uint8Array {
  const head = fields.map(([name, value]) => field(name, value)).join('');
  const part = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="payload"; filename="../../x"\r\nContent-Type: a/b\r\n\r\n`;
  return concatBytes([bytesOf(head + part), file, bytesOf(`\r\n--${BOUNDARY}--\r\n`)]);
}

async function read(bytes: Uint8Array, lengths: readonly number[] = [64]) {
  const { fields, file } = await readMultipart(inPieces(bytes, lengths), BOUNDARY);
  const parts: Uint8Array[] = [];
  for await (const piece of file ?? []) parts.push(piece);
  return { fields: [...fields], file: concatBytes(parts) };
}

describe('a form with a file', () => {
  it('is what was sent, in whatever pieces it comes', async () => {
    const nasty = fc.constantFrom('\r', '\n', '-', '\r\n--', '\r\n----', '\r\n----y', 'x', '\0', 'ü');
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(nasty).map((all) => bytesOf(all.join(''))),
    );
    const lengths = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 });
    const value = fc.string({ maxLength: 30 }).filter((text) => !text.includes(BOUNDARY));
    await fc.assert(
      fc.asyncProperty(bytes, lengths, value, async (file, pieces, text) => {
        fc.pre(!new TextDecoder('latin1').decode(file).includes(`\r\n--${BOUNDARY}`));
        const seen = await read(
          form(
            [
              ['a', text],
              ['b', ''],
            ],
            file,
          ),
          pieces,
        );
        expect(seen.fields).toEqual([
          ['a', text],
          ['b', ''],
        ]);
        expect(Buffer.from(seen.file).equals(Buffer.from(file))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('that is cut off anywhere is never taken for a whole one', async () => {
    const whole = form([['code', '1']], bytesOf('the payload'));
    // Behind the last boundary comes only the end of its line.
    for (let length = 0; length < whole.length - 2; length++) {
      await expect(read(whole.subarray(0, length)), String(length)).rejects.toThrow(BadBody);
    }
    expect(await read(whole.subarray(0, whole.length - 2))).toMatchObject({ fields: [['code', '1']] });
  });

  it.each([
    ['nothing', ''],
    ['no boundary', 'hello'],
    ['something before the first boundary', `junk\r\n${field('a', 'b')}`],
    ['a boundary that goes on', `--${BOUNDARY}junk`],
    ['a part without a name', `--${BOUNDARY}\r\nContent-Disposition: form-data\r\n\r\nx\r\n--${BOUNDARY}--`],
    ['headers without end', `--${BOUNDARY}\r\n${'x: y\r\n'.repeat(2000)}\r\n`],
    ['a field without end', field('a', 'x'.repeat(70_000))],
    ['too many fields', `${field('a', 'b').repeat(30)}--${BOUNDARY}--`],
    [
      'a field behind the file',
      `${new TextDecoder().decode(form([], bytesOf('x'))).slice(0, -4)}\r\n${field('a', 'b')}`,
    ],
  ])('that has %s is refused', async (_what, text) => {
    await expect(read(bytesOf(text))).rejects.toThrow(BadBody);
  });

  it('says where it is divided', () => {
    expect(boundaryOf('multipart/form-data; boundary=----WebKitFormBoundaryAb3')).toBe(
      '----WebKitFormBoundaryAb3',
    );
    expect(boundaryOf('Multipart/Form-Data; boundary="a b"')).toBe('a b');
    for (const type of [
      '',
      'text/plain',
      'multipart/form-data',
      'multipart/form-data; boundary=',
      'multipart/mixed; boundary=x',
      `multipart/form-data; boundary=${'x'.repeat(71)}`,
    ]) {
      expect(boundaryOf(type), type).toBeUndefined();
    }
  });
});
