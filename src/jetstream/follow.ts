/**
 * Reading the log from its beginning, and on as it grows, without the payloads.
 *
 *   catching up   what is there is handed over, until nothing is left and the last message that the leader knew of at the
 *                 beginning has come, or was removed
 *   following     each message is handed over when it comes; nothing is left out, whichever server dies: the client
 *                 begins anew behind the last message it had
 *   closed        nothing is handed over any more
 *
 * The copy that we read may be behind the leader; it is never of another order.
 */

import { DeliverPolicy, type JetStreamClient, type JsMsg } from '@nats-io/jetstream';
import { QueueError } from '../queue/errors.ts';
import { RECORD_HEADER } from './subjects.ts';
import type { Follower, Message, Wire } from './wire.ts';

export type Following = {
  readonly js: JetStreamClient;
  readonly wire: Wire;
  readonly stream: string;
  readonly subject: string;
  readonly onMessage: (message: Message) => void;
  /** The number to begin with. */
  readonly fromSeq: number;
};

const AT_ONCE = 2000;
/** Short, so that a dead server is noticed soon. */
const EXPIRES_MS = 4000;
const HEARTBEAT_MS = 500;
const FORGOTTEN_AFTER_NS = 60_000_000_000;
const SIZE_HEADER = 'Nats-Msg-Size';

export async function followLog({
  js,
  wire,
  stream,
  subject,
  onMessage,
  fromSeq,
}: Following): Promise<Follower> {
  const { lastSeq } = await wire.facts();
  const consumer = await js.consumers.get(stream, {
    headers_only: true,
    filter_subjects: subject,
    ...(fromSeq > 1 ? { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: fromSeq } : {}),
    inactive_threshold: FORGOTTEN_AFTER_NS,
  });
  const { num_pending: pending } = await consumer.info(true);
  let seq = 0;
  let isCaughtUp = false;
  let resolve = () => {};
  let reject = (_error: unknown) => {};
  const caughtUp = new Promise<void>((onResolved, onRejected) => {
    resolve = onResolved;
    reject = onRejected;
  });
  caughtUp.catch(() => {}); // told to whoever waits for it
  const nothingLeft = async () => {
    if (isCaughtUp) return;
    // Of other subjects, or removed: then it does not come.
    const missing = seq < lastSeq ? await wire.read(lastSeq) : undefined;
    if (missing !== undefined && isOf(missing.subject, subject) && seq < lastSeq) return;
    isCaughtUp = true;
    resolve();
  };
  const messages = await consumer.consume({
    max_messages: AT_ONCE,
    expires: EXPIRES_MS,
    idle_heartbeat: HEARTBEAT_MS,
    callback: (message) => {
      seq = message.seq;
      onMessage(messageOf(message));
      if (!isCaughtUp && (message.info.pending === 0 || seq >= lastSeq)) nothingLeft().catch(reject);
    },
  });
  void messages.closed().then((error) => {
    reject(error ?? new QueueError('not-reachable', `${stream}: the connection was closed`));
  });
  if (pending === 0) nothingLeft().catch(reject);
  return {
    get seq() {
      return seq;
    },
    caughtUp,
    close: async () => {
      await messages.close();
      await consumer.delete().catch(() => {}); // the server forgets it by itself
    },
  };
}

function isOf(subject: string, wanted: string): boolean {
  return wanted.endsWith('>') ? subject.startsWith(wanted.slice(0, -1)) : subject === wanted;
}

function messageOf({ seq, subject, timestampNanos, headers }: JsMsg): Message {
  return {
    seq,
    subject,
    storedMs: Number(timestampNanos / 1_000_000n),
    record: headers?.get(RECORD_HEADER) ?? '',
    size: Number(headers?.get(SIZE_HEADER) || 0),
  };
}
