/** The body of a request, read with patience that ends: forms, and files with them. */

import { concatBytes } from '../../os/bytes.ts';
import type { Clock, HttpRequest } from '../../os/ports.ts';
import { BadBody, boundaryOf, type Form, readMultipart } from './multipart.ts';

export type BodyLimits = {
  /** Of a file that is sent. */
  readonly fileBytes: number;
  /** So long nothing may come. */
  readonly idleMs: number;
};

/** Of a form without a file. */
const FORM_BYTES = 64 * 1024;

/** Throws BadBody, also from the file that it returns. */
export async function readForm(clock: Clock, request: HttpRequest, limits: BodyLimits): Promise<Form> {
  const type = request.headers.get('content-type') ?? '';
  const said = Number(request.headers.get('content-length') ?? 0);
  const body = impatient(clock, request.body, limits.idleMs);
  if (/^application\/x-www-form-urlencoded\b/i.test(type)) {
    return { fields: fieldsIn(await readShort(body, said)), file: undefined };
  }
  const boundary = boundaryOf(type);
  if (boundary === undefined) throw new BadBody('it is no form');
  if (said > limits.fileBytes + FORM_BYTES) throw tooLarge(limits.fileBytes);
  const { fields, file } = await readMultipart(body, boundary);
  return { fields, file: file === undefined ? undefined : limited(file, limits.fileBytes) };
}

function tooLarge(limitBytes: number): BadBody {
  return new BadBody(`the file is larger than ${limitBytes} bytes, which is what may be uploaded here`, 413);
}

/** Of two values with one name, the last. */
function fieldsIn(bytes: Uint8Array): Map<string, string> {
  return new Map(new URLSearchParams(new TextDecoder().decode(bytes)));
}

async function readShort(body: AsyncIterator<Uint8Array>, said: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let length = said; length <= FORM_BYTES; ) {
    const { value, done } = await body.next();
    if (done === true) return concatBytes(parts);
    parts.push(value);
    length = Math.max(
      said,
      parts.reduce((sum, part) => sum + part.length, 0),
    );
  }
  throw new BadBody('it is too long', 413);
}

async function* limited(file: AsyncIterable<Uint8Array>, limitBytes: number): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const piece of file) {
    length += piece.length;
    if (length > limitBytes) throw tooLarge(limitBytes);
    yield piece;
  }
}

/** Fails when nothing comes for so long. Never ends the body by itself, for who sends it is still to be answered. */
function impatient(
  clock: Clock,
  body: AsyncIterable<Uint8Array>,
  idleMs: number,
): AsyncIterableIterator<Uint8Array> {
  const source = body[Symbol.asyncIterator]();
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () =>
      new Promise((resolve, reject) => {
        const cancel = clock.after(idleMs, () => reject(new BadBody('it comes too slowly', 408)));
        source.next().then(resolve, reject).finally(cancel);
      }),
  };
}
