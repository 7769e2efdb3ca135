import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CallError, type DataSink, readCall } from '../../../src/fsq/rpc/call.ts';
import { JsonError, JsonReader } from '../../../src/fsq/rpc/json-reader.ts';
import { base64Decoder, base64Of } from '../../../src/os/base64.ts';

const LIMIT = 1_000_000;

async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}

const reader = (text: string, sizes: readonly number[] = []) => new JsonReader(cut(Buffer.from(text), sizes));

describe('reading JSON as it comes', () => {
  it('reads strings as JSON.parse does, however they are cut', async () => {
    const sizes = fc.array(fc.nat({ max: 7 }), { maxLength: 20 });
    const texts = fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed());
    await fc.assert(
      fc.asyncProperty(texts, sizes, fc.boolean(), async (text, cuts, ascii) => {
        const plain = JSON.stringify(text);
        const written = ascii
          ? plain.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
          : plain;
        expect(await reader(written, cuts).string(LIMIT)).toBe(text);
      }),
    );
  });

  it('takes and refuses what JSON.parse takes and refuses', async () => {
    const texts = fc.oneof(
      fc.json(),
      fc.string(),
      fc.constantFrom(
        '01',
        '1.',
        '-',
        '+1',
        '1e5',
        '"\\x"',
        '"\\ud800"',
        '"\t"',
        '[1,]',
        '{"a"}',
        '"',
        'nul',
        '[]x',
      ),
    );
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const parsed = (() => {
          try {
            const value = JSON.parse(text) as unknown;
            return typeof value === 'object' ? null : value;
          } catch {
            return JsonError;
          }
        })();
        const own = reader(text);
        const value = await own.value(LIMIT).then(
          async (found) =>
            own.end().then(
              () => found,
              (error: unknown) => error,
            ),
          (error: unknown) => error,
        );
        if (parsed === JsonError) expect(value).toBeInstanceOf(JsonError);
        // We refuse half a pair, which cannot be UTF-8, and what is nested very deeply.
        else if (!(value instanceof JsonError)) expect(value).toEqual(parsed);
        else expect(text).toMatch(/\\u[dD]|[[{]/);
      }),
      { numRuns: 500 },
    );
  });

  it('has limits', async () => {
    await expect(reader(JSON.stringify('x'.repeat(11))).string(10)).rejects.toThrow('longer than 10 bytes');
    await expect(reader('['.repeat(1e5)).value(10)).rejects.toThrow('nested too deeply');
    await expect(reader('1'.repeat(1e5)).value(10)).rejects.toThrow('too long');
  });
});

it('base64 is what it was, however it is cut', async () => {
  const sizes = fc.array(fc.nat({ max: 7 }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 50 }), sizes, sizes, async (bytes, cuts, more) => {
      let text = '';
      for await (const piece of base64Of(cut(bytes, cuts))) text += piece;
      expect(text).toBe(Buffer.from(bytes).toString('base64'));
      const decoder = base64Decoder();
      const parts: Uint8Array[] = [];
      for await (const piece of cut(Buffer.from(text), more))
        parts.push(Uint8Array.from(decoder.decode(piece)));
      decoder.end();
      expect(Buffer.concat(parts)).toEqual(Buffer.from(bytes));
    }),
  );
  expect(() => base64Decoder().decode(Buffer.from('a*bc'))).toThrow(RangeError);
  expect(() => base64Decoder().decode(Buffer.from('YQ==YQ=='))).toThrow(RangeError);
});

describe('a call', () => {
  class Memory implements DataSink {
    readonly parts: Uint8Array[] = [];
    isDiscarded = false;
    async write(bytes: Uint8Array): Promise<void> {
      this.parts.push(Uint8Array.from(bytes));
    }
    async discard(): Promise<void> {
      this.isDiscarded = true;
    }
  }
  const read = (text: string) => readCall(cut(Buffer.from(text), [3, 10]), async () => new Memory());
  const dataOf = (sink: Memory | undefined) => Buffer.concat(sink?.parts ?? []).toString();

  it('is read as the original sends it, and by names', async () => {
    const call = await read('{"jsonrpc":"2.0","method":"enqueue","params":["_id","q","da\\nta"],"id":7}');
    expect([call.method, call.id, [...call.params], dataOf(call.data)]).toEqual([
      'enqueue',
      7,
      [
        ['item_id', '_id'],
        ['queue', 'q'],
      ],
      'da\nta',
    ]);
    const named = await read(
      '{"id":"x","params":{"encoding":"base64","queue":"q","item_id":"_id","data":"ZGF0YQ=="},"method":"enqueue"}',
    );
    expect([named.id, dataOf(named.data), named.params.get('queue')]).toEqual(['x', 'data', 'q']);
    expect(await read('{"method":"api_version"}')).toMatchObject({ id: undefined, data: undefined });
    expect((await read('{"method":"is_down","params":["q"],"id":1}')).params.get('item_id')).toBe('q');
  });

  it.each([
    ['', -32700],
    ['{', -32700],
    ['{"method":"x"} more', -32700],
    ['[]', -32600],
    ['{}', -32600],
    ['{"method":1}', -32600],
    ['{"method":"x","method":"y"}', -32600],
    ['{"method":"x","id":true}', -32600],
    ['{"method":"x","params":["i","q","d","base64"]}', -32602],
    ['{"method":"x","params":{"encoding":"rot13","data":"x"}}', -32602],
    ['{"method":"x","params":{"encoding":"base64","data":"*"}}', -32602],
    ['{"method":"x","params":{"data":"x","data":"y"}}', -32602],
  ])('is refused: %s', async (text, code) => {
    await expect(read(text)).rejects.toSatisfy((error) => error instanceof CallError && error.code === code);
  });
});
