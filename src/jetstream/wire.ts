/**
 * What the queue needs of NATS: one log of messages, the stream, and a place for large payloads beside it. The numbers of
 * messages only grow; a subject keeps its last message only.
 */

export type Message = {
  readonly seq: number;
  readonly subject: string;
  /** When it was stored, by the clock of the server that leads the stream; milliseconds since 1970. */
  readonly storedMs: number;
  /** What we say about it: JSON in one header; `''` when somebody else has made it. */
  readonly record: string;
  /** Bytes of its body. */
  readonly size: number;
};

export type StreamFacts = {
  readonly messages: number;
  readonly lastSeq: number;
  readonly bytes: number;
  readonly replicas: number;
  /** Of the replicas those that have all that the leader has, the leader included. */
  readonly current: number;
  /** That the server says which one it is. */
  readonly server: string;
};

export type Follower = {
  /** The number of the last message that was handed over. */
  readonly seq: number;
  /** Resolves when all was handed over that was there when it began. */
  readonly caughtUp: Promise<void>;
  close(): Promise<void>;
};

export interface Wire {
  /** Bytes of a message, with all that is said about it, that the servers take. */
  readonly mostBytes: number;
  facts(): Promise<StreamFacts>;
  /** Appends a message. `nonce` is its own: should an answer get lost, and it be sent again, it is there once. */
  append(subject: string, record: string, nonce: string, body?: Uint8Array): Promise<number>;
  /** Appends a message that takes the place of the one that its subject has. */
  put(subject: string, record: string): Promise<number>;
  /** Undefined when it is not there any more. */
  read(seq: number): Promise<(Message & { readonly body: Uint8Array }) | undefined>;
  last(subject: string): Promise<Message | undefined>;
  first(subject: string): Promise<Message | undefined>;
  /** Removes messages; those that are gone already are fine. */
  remove(seqs: readonly number[]): Promise<void>;
  /** Hands over every message that is there, from that number on, and each that comes, in the order of the log. */
  follow(onMessage: (message: Message) => void, fromSeq?: number): Promise<Follower>;
  /** Is told of every message that comes on these subjects from now on, as long as nothing breaks. Returns how to end it. */
  listen(subjects: readonly string[], onMessage: () => void): () => void;

  /** Stores a payload under a name that nothing has yet; returns its size. */
  storePayload(name: string, chunks: AsyncIterable<Uint8Array>): Promise<number>;
  /** Throws `packet-damaged` when it is not there, or not as it was stored. */
  loadPayload(name: string): AsyncIterable<Uint8Array>;
  removePayload(name: string): Promise<void>;
  payloads(): Promise<readonly { readonly name: string; readonly size: number; readonly storedMs: number }[]>;
}
