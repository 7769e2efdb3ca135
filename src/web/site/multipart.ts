/**
 * The body of a form with a file (multipart/form-data, RFC 7578), as it comes: short fields first, then one file, which
 * is never in memory as a whole.
 *
 *     --B CRLF  headers CRLF CRLF  field  CRLF --B CRLF  headers CRLF CRLF  file  CRLF --B -- CRLF
 *
 * A body that ends before its last boundary was cut off on its way: then reading the file throws, so that nobody takes
 * half of it for the whole.
 */

import { concatBytes } from '../../os/bytes.ts';

/** What is wrong with a body that somebody has sent. */
export class BadBody extends Error {
  readonly status: 400 | 408 | 413;

  constructor(message: string, status: 400 | 408 | 413 = 400) {
    super(message);
    this.status = status;
  }
}

export type Form = {
  /** Of two with one name, the last. */
  readonly fields: ReadonlyMap<string, string>;
  /** To be read once. Undefined when there is none. */
  readonly file: AsyncIterable<Uint8Array> | undefined;
};

const LONGEST_HEADERS = 4096;
const LONGEST_FIELD = 64 * 1024;
const MOST_FIELDS = 20;

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** That of a content type; undefined for another one. RFC 2046, 5.1.1. */
export function boundaryOf(contentType: string): string | undefined {
  const [, quoted, plain] =
    /^multipart\/form-data\s*;\s*boundary=(?:"([\w'()+,./:=? -]{1,70})"|([\w'+./:=?-]{1,70}))\s*$/i.exec(
      contentType,
    ) ?? [];
  return quoted ?? plain;
}

/** Throws BadBody. */
export async function readMultipart(body: AsyncIterable<Uint8Array>, boundary: string): Promise<Form> {
  const mark = encode(`\r\n--${boundary}`);
  const stream = new MarkedStream(body);
  await collect(stream.until(mark), 0);
  const fields = new Map<string, string>();
  for (let part = 0; part <= MOST_FIELDS; part++) {
    const next = await stream.take(2);
    if (decode(next) === '--') return { fields, file: undefined };
    if (decode(next) !== '\r\n') throw new BadBody('a boundary is not at the end of its line');
    const { name, isFile } = await readHeaders(stream);
    if (isFile) return { fields, file: fileOf(stream, mark) };
    fields.set(name, decode(await collect(stream.until(mark), LONGEST_FIELD)));
  }
  throw new BadBody('it has too many fields', 413);
}

async function readHeaders(
  stream: MarkedStream,
): Promise<{ readonly name: string; readonly isFile: boolean }> {
  // A part without headers begins with the empty line that ends them.
  const text = decode(await collect(stream.until(encode('\r\n\r\n')), LONGEST_HEADERS));
  const disposition = text.split('\r\n').find((line) => /^content-disposition:\s*form-data\b/i.test(line));
  const [, name] = /;\s*name="([^"]*)"/i.exec(disposition ?? '') ?? [];
  if (name === undefined) throw new BadBody('a part has no name');
  return { name, isFile: /;\s*filename\*?=/i.test(disposition ?? '') };
}

async function* fileOf(stream: MarkedStream, mark: Uint8Array): AsyncGenerator<Uint8Array> {
  yield* stream.until(mark);
  if (decode(await stream.take(2)) !== '--') throw new BadBody('something comes after the file');
}

/** All of it, if that is not more than this. */
async function collect(pieces: AsyncIterable<Uint8Array>, limitBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    if (length > limitBytes) throw new BadBody('a field is too long', 413);
    parts.push(piece);
  }
  return concatBytes(parts);
}

/** Bytes up to a mark, and from there on again. Never gives up the body: who asked is still to be answered. */
class MarkedStream {
  readonly #body: AsyncIterator<Uint8Array>;
  /** The first boundary has no line before it. */
  #held: Uint8Array = encode('\r\n');

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#body = body[Symbol.asyncIterator]();
  }

  /** What comes before the mark, which is passed over. */
  async *until(mark: Uint8Array): AsyncGenerator<Uint8Array> {
    for (;;) {
      const held = this.#held;
      const at = positionOf(mark, held);
      // What may be the beginning of the mark stays.
      const sure = at >= 0 ? at : Math.max(0, held.length - mark.length + 1);
      this.#held = held.subarray(at >= 0 ? at + mark.length : sure);
      if (sure > 0) yield held.subarray(0, sure);
      if (at >= 0) return;
      await this.#readMore();
    }
  }

  async take(count: number): Promise<Uint8Array> {
    while (this.#held.length < count) await this.#readMore();
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return taken;
  }

  async #readMore(): Promise<void> {
    const { value, done } = await this.#body.next();
    if (done === true) throw new BadBody('it ends too early');
    this.#held = this.#held.length === 0 ? new Uint8Array(value) : concatBytes([this.#held, value]);
  }
}

/** Where it begins; -1 when it is not there as a whole. */
function positionOf(mark: Uint8Array, bytes: Uint8Array): number {
  const [first = 0] = mark;
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (at + mark.length > bytes.length) return -1;
    if (mark.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}
