/**
 * JSON as it comes, for one that holds a string too long for memory: whoever reads says what comes next, and where a long
 * string goes. Everything else has limits. Source: RFC 8259.
 */

const LIMIT_DEPTH = 16;

export class JsonError extends Error {}

export type Scalar = string | number | boolean | null;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class JsonReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array();
  #at = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The first character of what comes next; '' at the end. */
  async peek(): Promise<string> {
    for (;;) {
      const byte = await this.#look();
      if (byte === undefined) return '';
      if (!SPACE.has(byte)) return String.fromCharCode(byte);
      this.#at += 1;
    }
  }

  async expect(character: string): Promise<void> {
    const found = await this.peek();
    if (found !== character)
      throw new JsonError(`expected ${character}, got ${found === '' ? 'the end' : found}`);
    this.#at += 1;
  }

  /** After an element: true when another one follows, false when the list or object is closed. */
  async another(close: ']' | '}'): Promise<boolean> {
    const found = await this.peek();
    if (found !== ',' && found !== close) throw new JsonError(`expected , or ${close}`);
    this.#at += 1;
    return found === ',';
  }

  /** A string into memory. */
  async string(limitBytes: number): Promise<string> {
    const parts: Uint8Array[] = [];
    let length = 0;
    await this.stringTo(async (bytes) => {
      length += bytes.length;
      if (length > limitBytes) throw new JsonError(`a string is longer than ${limitBytes} bytes`);
      parts.push(bytes.slice());
    });
    const whole = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    try {
      return decoder.decode(whole);
    } catch {
      throw new JsonError('a string is not UTF-8');
    }
  }

  /** A string of any length, as UTF-8, in pieces that are `take`'s only until it resolves. */
  async stringTo(take: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    await this.expect('"');
    for (;;) {
      const first = await this.#look();
      if (first === undefined) throw new JsonError('a string has no end');
      if (first === QUOTE) {
        this.#at += 1;
        return;
      }
      if (first === BACKSLASH) {
        await take(encoder.encode(await this.#escape()));
        continue;
      }
      const end = this.#endOfPlain();
      await take(this.#chunk.subarray(this.#at, end));
      this.#at = end;
    }
  }

  /** Anything short, such as a parameter; lists and objects are read over and are null. */
  async value(limitBytes: number, depth = 0): Promise<Scalar> {
    if (depth > LIMIT_DEPTH) throw new JsonError('it is nested too deeply');
    const first = await this.peek();
    if (first === '"') return this.string(limitBytes);
    if (first === '[' || first === '{') {
      const close = first === '[' ? ']' : '}';
      this.#at += 1;
      if ((await this.peek()) === close) this.#at += 1;
      else
        do {
          if (close === '}') {
            await this.string(limitBytes);
            await this.expect(':');
          }
          await this.value(limitBytes, depth + 1);
        } while (await this.another(close));
      return null;
    }
    return this.#word();
  }

  /** Nothing but white space may follow. */
  async end(): Promise<void> {
    if ((await this.peek()) !== '') throw new JsonError('something follows the end of it');
  }

  async #word(): Promise<Scalar> {
    let word = '';
    for (;;) {
      const byte = await this.#look();
      const character = byte === undefined ? '' : String.fromCharCode(byte);
      if (!/[-+.\w]/.test(character)) break;
      word += character;
      this.#at += 1;
      if (word.length > 64) throw new JsonError('a number is too long');
    }
    if (!/^(true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?)$/.test(word)) {
      throw new JsonError(`expected a value, got ${JSON.stringify(word)}`);
    }
    return JSON.parse(word) as Scalar;
  }

  /** Where the run of bytes that stand for themselves ends, within this chunk. */
  #endOfPlain(): number {
    let end = this.#at;
    for (; end < this.#chunk.length; end++) {
      const byte = this.#chunk[end] ?? 0;
      if (byte === QUOTE || byte === BACKSLASH) break;
      if (byte < 0x20) throw new JsonError('a string holds a control character');
    }
    return end;
  }

  async #escape(): Promise<string> {
    const unit = await this.#unit();
    if (typeof unit === 'string') return unit;
    if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit);
    const low = unit < 0xdc00 && (await this.#look()) === BACKSLASH ? await this.#unit() : '';
    if (typeof low === 'string' || low < 0xdc00 || low > 0xdfff) {
      throw new JsonError('half of a surrogate pair stands alone');
    }
    return String.fromCharCode(unit, low);
  }

  /** The character of a short escape, or the number of a long one. */
  async #unit(): Promise<string | number> {
    this.#at += 1;
    const letter = await this.#take();
    const short = ESCAPES[letter];
    if (short !== undefined) return short;
    let digits = '';
    if (letter === 'u') for (let n = 0; n < 4; n++) digits += await this.#take();
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new JsonError('a string holds an escape that is none');
    return Number.parseInt(digits, 16);
  }

  async #take(): Promise<string> {
    const byte = await this.#look();
    if (byte === undefined) throw new JsonError('a string has no end');
    this.#at += 1;
    return String.fromCharCode(byte);
  }

  async #look(): Promise<number | undefined> {
    while (this.#at >= this.#chunk.length) {
      const { value, done } = await this.#chunks.next();
      if (done) return undefined;
      this.#chunk = value;
      this.#at = 0;
    }
    return this.#chunk[this.#at];
  }
}
