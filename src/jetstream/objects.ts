/** Payloads that are too large for a message: objects of a bucket beside the stream, made when the first one comes. */

import type { JetStreamManager } from '@nats-io/jetstream';
import { type ObjectStore, Objm } from '@nats-io/obj';
import type { NatsConnection } from '@nats-io/transport-node';
import { QueueError } from '../queue/errors.ts';
import type { Location } from './location.ts';
import { apiErrorOf, type Patience } from './patience.ts';
import { streamOf } from './subjects.ts';
import type { Wire } from './wire.ts';

export function bucketOf(queue: string): string {
  return streamOf(queue);
}

type Parts = {
  readonly nats: NatsConnection;
  readonly manager: JetStreamManager;
  readonly patiently: Patience;
};

const NOT_FOUND = 404;

export function objectsOf(
  { name: queue, text }: Location,
  { nats, patiently }: Parts,
  facts: Wire['facts'],
): Pick<Wire, 'storePayload' | 'loadPayload' | 'removePayload' | 'payloads'> {
  const objects = new Objm(nats);
  let made: ObjectStore | undefined;
  const toWrite = async (): Promise<ObjectStore> => {
    made ??= await objects.create(bucketOf(queue), { replicas: (await facts()).replicas });
    return made;
  };
  /** Undefined as long as there was no large payload. */
  const toRead = async (): Promise<ObjectStore | undefined> => {
    if (made !== undefined) return made;
    try {
      made = await patiently(() => objects.open(bucketOf(queue)));
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      if (!isMissing(error) && !isMissing(cause)) throw error;
    }
    return made;
  };
  return {
    storePayload: async (name, chunks) => {
      const store = await patiently(toWrite);
      const failure: { error?: unknown } = {};
      const { size } = await store.put({ name }, streamFrom(chunks, failure)).catch((error) => {
        throw failure.error ?? error;
      });
      return size;
    },
    loadPayload: async function* (name) {
      const found = await (await toRead())?.get(name);
      if (found === undefined || found === null) {
        throw new QueueError('packet-damaged', `${text}: the payload ${name} is not there`);
      }
      const reader = found.data.getReader();
      try {
        for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
      } catch (error) {
        throw new QueueError('packet-damaged', `${text}: the payload ${name}: ${(error as Error).message}`);
      }
      const wrong = await found.error;
      if (wrong instanceof Error)
        throw new QueueError('packet-damaged', `${text}: the payload ${name}: ${wrong.message}`);
    },
    removePayload: async (name) => {
      const store = await toRead();
      try {
        await store?.delete(name);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },
    payloads: async () => {
      const all = (await (await toRead())?.list()) ?? [];
      return all
        .filter(({ deleted }) => !deleted)
        .map(({ name, size, mtime }) => ({ name, size, storedMs: Date.parse(mtime) }));
    },
  };
}

/** `failure` gets what the source failed with, for the store tells it in words of its own. */
function streamFrom(
  chunks: AsyncIterable<Uint8Array>,
  failure: { error?: unknown },
): ReadableStream<Uint8Array> {
  const source = chunks[Symbol.asyncIterator]();
  return new ReadableStream({
    pull: async (controller) => {
      try {
        const next = await source.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      } catch (error) {
        failure.error = error;
        controller.error(error);
      }
    },
  });
}

function isMissing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return apiErrorOf(error)?.status === NOT_FOUND || /not found/i.test(error.message);
}
