/** The wire, by the official client of NATS. No other files but connect.ts, follow.ts, objects.ts and stream.ts import it. */

import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { headers, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import type { Machine } from '../os/ports.ts';
import { QueueError } from '../queue/errors.ts';
import { connectNats, TIMEOUT_MS } from './connect.ts';
import { followLog } from './follow.ts';
import type { Location } from './location.ts';
import { objectsOf } from './objects.ts';
import { apiErrorOf, type Patience, patienceOf } from './patience.ts';
import { prefixOf, RECORD_HEADER, Subjects, streamOf } from './subjects.ts';
import type { Message, Wire } from './wire.ts';

export type Connection = {
  readonly nats: NatsConnection;
  readonly js: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly patiently: Patience;
  readonly wire: Wire;
};

/** Throws `not-reachable`. */
export async function connectTo(machine: Machine, location: Location): Promise<Connection> {
  const nats = await connectNats(machine, location);
  const js = jetstream(nats, { timeout: TIMEOUT_MS });
  const manager = await jetstreamManager(nats, { timeout: TIMEOUT_MS, checkAPI: false });
  const patiently = patienceOf(machine.clock, location.text, () => void nats.reconnect().catch(() => {}));
  const parts = { nats, js, manager, patiently };
  return { ...parts, wire: wireOf(location, parts) };
}

/** "no message found", "sequence 2 not found", and "stream store EOF" for one behind the last. */
const NO_MESSAGE = new Set([10037, 10043, 10057]);
const STREAM_NOT_FOUND = 10059;
/** Deletions that are asked for at once. */
const MOST_REMOVALS = 64;

function wireOf(location: Location, parts: Omit<Connection, 'wire'>): Wire {
  const { nats, js, manager, patiently } = parts;
  const stream = streamOf(location.name);
  // Should it be gone, nobody else's stream may take in its place what is meant for it.
  const expect = { streamName: stream };
  const subjects = new Subjects(location.name);
  const get = async (query: { seq: number; next_by_subj?: string } | { last_by_subj: string }) => {
    try {
      return (await manager.streams.getMessage(stream, query)) ?? undefined;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  };
  const facts = () =>
    patiently(async () => {
      const { state, config, cluster } = await manager.streams.info(stream);
      const current = (cluster?.replicas ?? []).filter(({ current, offline }) => current && offline !== true);
      return {
        messages: state.messages,
        lastSeq: state.last_seq,
        bytes: state.bytes,
        replicas: config.num_replicas,
        current: current.length + 1,
        server: nats.info?.version ?? '',
      };
    });
  const wire: Wire = {
    mostBytes: nats.info?.max_payload ?? 0,
    facts,
    append: (subject, record, nonce, body) => {
      let wasSent = false;
      return patiently(async () => {
        // When this is answered, what we have sent before is in the log, or does not come any more. With both under way the
        // second would be refused only when the servers agree on it: see subjects.ts for what that may do.
        if (wasSent) await js.publish(subjects.again, undefined, { expect });
        wasSent = true;
        try {
          // The servers know the nonces of the last two minutes, whatever has become of the messages. Without that a job
          // whose answer got lost, and that was run and removed by the time we try again, would be added again.
          const options = { headers: headersOf(record), expect, msgID: nonce };
          return (await js.publish(subject, body, options)).seq;
        } catch (error) {
          throw tooLarge(location.text, error);
        }
      });
    },
    put: (subject, record) =>
      patiently(
        async () => (await js.publish(subject, undefined, { headers: headersOf(record), expect })).seq,
      ),
    read: (seq) =>
      patiently(async () => {
        const found = await get({ seq });
        return found && { ...messageOf(found), body: found.data };
      }),
    last: (subject) =>
      patiently(async () => {
        const found = await get({ last_by_subj: subject });
        return found && messageOf(found);
      }),
    first: (subject) =>
      patiently(async () => {
        const found = await get({ seq: 1, next_by_subj: subject });
        return found && messageOf(found);
      }),
    remove: async (seqs) => {
      const removeOne = (seq: number) =>
        patiently(async () => {
          try {
            await manager.streams.deleteMessage(stream, seq, false);
          } catch (error) {
            if (!isMissing(error)) throw error;
          }
        });
      for (let at = 0; at < seqs.length; at += MOST_REMOVALS) {
        await Promise.all(seqs.slice(at, at + MOST_REMOVALS).map(removeOne));
      }
    },
    follow: (onMessage, fromSeq = 1) =>
      patiently(() => {
        const subject = `${prefixOf(location.name)}.>`;
        return followLog({ js, wire, stream, subject, onMessage, fromSeq });
      }),
    listen: (subjects, onMessage) => {
      const all = subjects.map((subject) => nats.subscribe(subject, { callback: onMessage }));
      return () => {
        for (const one of all) one.unsubscribe();
      };
    },
    ...objectsOf(location, parts, facts),
  };
  return wire;
}

/** Throws `not-a-queue` when there is no stream of that name. */
export async function requireStream({ wire }: Connection, { text }: Location): Promise<void> {
  try {
    await wire.facts();
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    if (apiErrorOf(cause ?? error)?.code !== STREAM_NOT_FOUND) throw error;
    throw new QueueError('not-a-queue', `${text}: there is no such queue`, { cause: error });
  }
}

function headersOf(record: string): MsgHdrs {
  const all = headers();
  all.set(RECORD_HEADER, record);
  return all;
}

function recordOf(all: MsgHdrs | undefined): string {
  return all?.get(RECORD_HEADER) ?? '';
}

type Stored = {
  readonly seq: number;
  readonly subject: string;
  readonly time: Date;
  readonly header: MsgHdrs;
  readonly data: Uint8Array;
};

function messageOf({ seq, subject, time, header, data }: Stored): Message {
  return { seq, subject, storedMs: time.getTime(), record: recordOf(header), size: data.length };
}

function isMissing(error: unknown): boolean {
  return NO_MESSAGE.has(apiErrorOf(error)?.code ?? 0);
}

function tooLarge(place: string, error: unknown): unknown {
  if (!(error instanceof Error) || !/max.?payload|size exceeded/i.test(error.message)) return error;
  return new QueueError('not-written', `${place}: the job is larger than its servers take: ${error.message}`);
}
