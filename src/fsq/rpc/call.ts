/**
 * A JSON-RPC call as it comes: small, but for what is to be enqueued, which goes to a file as soon as it is long.
 *
 *     {"jsonrpc": "2.0", "method": "enqueue", "params": [ITEM_ID, QUEUE, DATA], "id": 1}
 *     {"jsonrpc": "2.0", "method": "enqueue", "params": {"item_id": ..., "queue": ..., "encoding": "base64", "data": ...}, "id": 1}
 *
 * The first is the original's. A string of JSON holds no bytes that are not UTF-8: those are sent as base64, which is
 * said before. Long data must come behind what says where it goes.
 */

import { base64Decoder } from '../../os/base64.ts';
import { JsonError, JsonReader, type Scalar } from './json-reader.ts';

/** Of all that is not data. */
const TEXT_LIMIT_BYTES = 4096;

/** Where data goes, in the order of its bytes. */
export type DataSink = {
  write(bytes: Uint8Array): Promise<void>;
  discard(): Promise<void>;
};

export type Call<S extends DataSink> = {
  readonly method: string;
  /** Undefined: no answer is expected. */
  readonly id: string | number | null | undefined;
  readonly params: ReadonlyMap<string, Scalar>;
  readonly data: S | undefined;
};

/** What a call cannot be understood for; its code is JSON-RPC's. */
export class CallError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export const PARSE_ERROR = -32700;
export const INVALID_REQUEST = -32600;
export const METHOD_NOT_FOUND = -32601;
export const INVALID_PARAMS = -32602;

/** The names of parameters that are given by their places. */
const PLACES: readonly string[] = ['item_id', 'queue', 'data', 'encoding'];

/** `openSink` is told what was said before the data. Throws CallError, and what the sink throws. */
export async function readCall<S extends DataSink>(
  body: AsyncIterable<Uint8Array>,
  openSink: (params: ReadonlyMap<string, Scalar>) => Promise<S>,
): Promise<Call<S>> {
  const reading = new CallReader(new JsonReader(body), openSink);
  try {
    return await reading.read();
  } catch (error) {
    await reading.discard();
    if (error instanceof JsonError) throw new CallError(PARSE_ERROR, `it is no JSON: ${error.message}`);
    throw error;
  }
}

class CallReader<S extends DataSink> {
  readonly #reader: JsonReader;
  readonly #openSink: (params: ReadonlyMap<string, Scalar>) => Promise<S>;
  readonly #params = new Map<string, Scalar>();
  #data: S | undefined;

  constructor(reader: JsonReader, openSink: (params: ReadonlyMap<string, Scalar>) => Promise<S>) {
    this.#reader = reader;
    this.#openSink = openSink;
  }

  async read(): Promise<Call<S>> {
    const reader = this.#reader;
    if ((await reader.peek()) === '[') throw new CallError(INVALID_REQUEST, 'calls come one by one');
    const known = new Map<string, Scalar>();
    await this.#object(async (key) => {
      if (known.has(key)) throw new CallError(INVALID_REQUEST, `${JSON.stringify(key)} is there twice`);
      if (key === 'params') await this.#readParams();
      else known.set(key, await reader.value(TEXT_LIMIT_BYTES));
    });
    await reader.end();
    const method = known.get('method');
    const id = known.get('id');
    if (typeof method !== 'string') throw new CallError(INVALID_REQUEST, 'it has no method');
    if (typeof id === 'boolean') throw new CallError(INVALID_REQUEST, 'its id is no string and no number');
    return { method, id, params: this.#params, data: this.#data };
  }

  async discard(): Promise<void> {
    await this.#data?.discard();
  }

  async #readParams(): Promise<void> {
    const reader = this.#reader;
    if ((await reader.peek()) !== '[') return this.#object((key) => this.#readParam(key));
    await reader.expect('[');
    if ((await reader.peek()) === ']') return reader.expect(']');
    let place = 0;
    do {
      await this.#readParam(PLACES[place] ?? String(place));
      place += 1;
    } while (await reader.another(']'));
  }

  async #readParam(name: string): Promise<void> {
    if (this.#params.has(name) || (name === 'data' && this.#data !== undefined)) {
      throw new CallError(INVALID_PARAMS, `${name} is there twice`);
    }
    if (name === 'data' && (await this.#reader.peek()) === '"') return this.#readData();
    if (name === 'encoding' && this.#data !== undefined) {
      throw new CallError(INVALID_PARAMS, 'encoding must be said before data');
    }
    this.#params.set(name, await this.#reader.value(TEXT_LIMIT_BYTES));
  }

  async #readData(): Promise<void> {
    const sink = await this.#openSink(this.#params);
    this.#data = sink;
    const encoding = this.#params.get('encoding') ?? 'text';
    if (encoding === 'text') return this.#reader.stringTo((bytes) => sink.write(bytes));
    if (encoding !== 'base64') throw new CallError(INVALID_PARAMS, 'encoding is neither "text" nor "base64"');
    const decoder = base64Decoder();
    try {
      await this.#reader.stringTo((bytes) => sink.write(decoder.decode(bytes)));
      decoder.end();
    } catch (error) {
      if (error instanceof RangeError) throw new CallError(INVALID_PARAMS, 'the data is not base64');
      throw error;
    }
  }

  async #object(read: (key: string) => Promise<void>): Promise<void> {
    const reader = this.#reader;
    await reader.expect('{');
    if ((await reader.peek()) === '}') return reader.expect('}');
    do {
      const key = await reader.string(TEXT_LIMIT_BYTES);
      await reader.expect(':');
      await read(key);
    } while (await reader.another('}'));
  }
}
