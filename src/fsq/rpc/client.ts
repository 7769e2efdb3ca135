/** Calls of a receiver: `fsq jsonrpcd`, or the original's. */

import { base64Of } from '../../os/base64.ts';
import type { Descriptor, HttpResponse, Machine } from '../../os/ports.ts';
import { readPieces } from '../../os/transfer.ts';
import { QueueError, reasonOf } from '../../queue/errors.ts';

export type Remote = {
  readonly url: string;
  readonly token: string | undefined;
  /** How long nothing may come or go. */
  readonly idleMs: number;
};

const ANSWER_LIMIT_BYTES = 64 * 1024;
const encoder = new TextEncoder();

/** A call without data. Throws `not-delivered`. */
export function call(
  machine: Machine,
  remote: Remote,
  method: string,
  params: readonly string[],
): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', method, params, id: 1 });
  return post(machine, remote, once(encoder.encode(body)));
}

/** Sends the content of an open file, from its beginning, whatever its length. Throws `not-delivered`. */
export async function sendItem(
  machine: Machine,
  remote: Remote,
  item: { readonly id: string; readonly queue: string; readonly path: string },
): Promise<void> {
  const { files } = machine;
  const isText = await withFile(machine, item.path, (source) => isUtf8(readPieces(files, source)));
  await withFile(machine, item.path, async (source) => {
    const pieces = readPieces(files, source);
    const result = await post(machine, remote, isText ? textBody(item, pieces) : base64Body(item, pieces));
    if (result === false) throw new QueueError('not-delivered', `${remote.url}: it did not take ${item.id}`);
  });
}

/** As the original sends it. */
async function* textBody(
  { id, queue }: { readonly id: string; readonly queue: string },
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const head = JSON.stringify([id, queue]).slice(0, -1);
  yield encoder.encode(`{"jsonrpc":"2.0","method":"enqueue","params":${head},"`);
  for await (const piece of pieces) yield escaped(piece);
  yield encoder.encode('"],"id":1}');
}

async function* base64Body(
  { id, queue }: { readonly id: string; readonly queue: string },
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const head = JSON.stringify({ item_id: id, queue, encoding: 'base64' }).slice(0, -1);
  yield encoder.encode(`{"jsonrpc":"2.0","method":"enqueue","params":${head},"data":"`);
  for await (const text of base64Of(pieces)) yield encoder.encode(text);
  yield encoder.encode('"},"id":1}');
}

/** What a string of JSON cannot hold as it is. UTF-8 may be cut anywhere: its bytes stay side by side. */
function escaped(piece: Uint8Array): Uint8Array {
  let more = 0;
  for (const byte of piece) more += lengthOf(byte) - 1;
  if (more === 0) return piece.slice();
  const out = new Uint8Array(piece.length + more);
  let at = 0;
  for (const byte of piece) {
    const length = lengthOf(byte);
    if (length === 1) out[at] = byte;
    else out.set(encoder.encode(length === 2 ? `\\${String.fromCharCode(byte)}` : unicode(byte)), at);
    at += length;
  }
  return out;
}

const lengthOf = (byte: number) => (byte < 0x20 ? 6 : byte === 0x22 || byte === 0x5c ? 2 : 1);
const unicode = (byte: number) => `\\u${byte.toString(16).padStart(4, '0')}`;

async function isUtf8(pieces: AsyncIterable<Uint8Array>): Promise<boolean> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    for await (const piece of pieces) decoder.decode(piece, { stream: true });
    decoder.decode();
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

async function withFile<T>(
  { files }: Machine,
  path: string,
  act: (source: Descriptor) => Promise<T>,
): Promise<T> {
  const source = await files.open(path, 'read-job');
  try {
    return await act(source);
  } finally {
    await files.close(source);
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function post(
  { http }: Machine,
  { url, token, idleMs }: Remote,
  body: AsyncIterable<Uint8Array>,
): Promise<unknown> {
  if (http === undefined) throw new QueueError('not-possible', 'there is no network here');
  const headers = new Map([
    ['content-type', 'application/json'],
    ['accept', 'application/json'],
    ...(token === undefined ? [] : [['authorization', `Bearer ${token}`] as const]),
  ]);
  try {
    const answer = await http.request(url, { method: 'POST', path: '', headers, body }, idleMs);
    return resultIn(url, answer.status, await textOf(answer));
  } catch (error) {
    if (error instanceof QueueError) throw error;
    throw new QueueError('not-delivered', `${url}: ${reasonOf(error)}`, { cause: error });
  }
}

async function textOf({ body }: HttpResponse): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of body instanceof Uint8Array ? [body] : body) {
    text += decoder.decode(piece, { stream: true });
    if (text.length > ANSWER_LIMIT_BYTES) throw new RangeError('the answer is too long');
  }
  return text;
}

function resultIn(url: string, status: number, text: string): unknown {
  const refuse = (why: string) => new QueueError('not-delivered', `${url}: ${why}`);
  let answer: { readonly result?: unknown; readonly error?: { readonly message?: unknown } | null };
  try {
    answer = Object(JSON.parse(text));
  } catch {
    throw refuse(`it answered with status ${status}: ${JSON.stringify(text.slice(0, 200).trim())}`);
  }
  if (answer.error != null)
    throw refuse(`it refused: ${JSON.stringify(answer.error.message ?? answer.error)}`);
  if (status !== 200 || !('result' in answer)) throw refuse(`it answered with status ${status}`);
  return answer.result;
}
