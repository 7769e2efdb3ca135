/** Payloads: in the message of their job, or, when they are larger than that should be, beside the stream. */

import { concatBytes, encodeBytes } from '../os/bytes.ts';
import { closeQuietly } from '../os/close-quietly.ts';
import type { Descriptor, Machine } from '../os/ports.ts';
import type { PayloadSource } from '../queue/contract.ts';
import { QueueError } from '../queue/errors.ts';
import { chunksOf } from '../queue/payload.ts';
import type { JobRecord } from './subjects.ts';
import type { Wire } from './wire.ts';

/** What is longer is stored beside the stream, in pieces. */
const INLINE_BYTES = 128 * 1024;

export type Stowed =
  | { readonly kind: 'inline'; readonly body: Uint8Array }
  | { readonly kind: 'beside'; readonly name: string; readonly size: number };

/** Reads the payload to its end; a long one is stored meanwhile, under `name`. */
export async function stow(wire: Wire, name: string, payload: PayloadSource | undefined): Promise<Stowed> {
  const source = bytesOf(chunksOf(payload))[Symbol.asyncIterator]();
  const parts: Uint8Array[] = [];
  const inlineBytes = Math.min(INLINE_BYTES, wire.mostBytes / 2);
  let size = 0;
  while (size <= inlineBytes) {
    const next = await source.next();
    if (next.done === true) return { kind: 'inline', body: concatBytes(parts) };
    parts.push(next.value);
    size += next.value.length;
  }
  const all = async function* () {
    yield* parts;
    for (let next = await source.next(); next.done !== true; next = await source.next()) yield next.value;
  };
  return { kind: 'beside', name, size: await wire.storePayload(name, all()) };
}

/** Copies: a source may use the same memory for its next piece, and a message is sent later. */
async function* bytesOf(
  chunks: Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks)
    yield typeof chunk === 'string' ? encodeBytes(chunk) : new Uint8Array(chunk);
}

/** A file without a name, open at the payload's first byte. Undefined when the job is not there any more. */
export async function fetchPayload(
  machine: Machine,
  wire: Wire,
  { seq, job }: { readonly seq: number; readonly job: JobRecord },
): Promise<Descriptor | undefined> {
  const message = await wire.read(seq);
  if (message === undefined) return undefined;
  if (job.payload !== undefined) return spill(machine, wire.loadPayload(job.payload.name), job.payload.size);
  const descriptor = await machine.processes.scratch();
  await writeAllAt(machine, descriptor, message.body, 0);
  return descriptor;
}

/** Where temporary files are: what does not fit in memory. */
const TEMPORARY = '/tmp';
const PIECE_BYTES = 1024 * 1024;

/** Nobody sees the file: its name is gone before anything is in it. */
async function spill(
  { files, host, random }: Machine,
  chunks: AsyncIterable<Uint8Array>,
  size: number,
): Promise<Descriptor> {
  const path = `${host.env().get('TMPDIR') ?? TEMPORARY}/intray-${random.uuid()}`;
  const target = await files.open(path, 'create');
  let descriptor: Descriptor | undefined;
  try {
    descriptor = await files.open(path, 'read');
    await files.unlink(path);
    let written = 0;
    for await (const chunk of chunks) {
      await files.write(target, chunk);
      written += chunk.length;
    }
    if (written !== size)
      throw new QueueError('packet-damaged', `the payload has ${written} bytes, and had ${size} once`);
    return descriptor;
  } catch (error) {
    if (descriptor !== undefined) await closeQuietly(files, descriptor);
    throw error;
  } finally {
    await closeQuietly(files, target);
  }
}

async function writeAllAt(
  { files }: Machine,
  target: Descriptor,
  bytes: Uint8Array,
  from: number,
): Promise<void> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    await files.writeAt(target, bytes.subarray(at, at + PIECE_BYTES), from + at);
  }
}
