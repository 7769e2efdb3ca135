/** Time and chance. */

export type Timestamp = {
  /** Whole seconds since 1970, before it negative. */
  readonly seconds: bigint;
  /** 0 to 999,999,999; in a leap second up to 1,999,999,999. */
  readonly nanos: number;
};

export interface Clock {
  now(): Timestamp;
  /** Milliseconds that never go back, from an arbitrary start. */
  monotonicMs(): number;
  /** Calls `action` once, `ms` from now. Returns how to call it off. */
  after(ms: number, action: () => void): () => void;
  /** Local time's distance from UTC at that moment, in seconds, east positive. */
  utcOffsetSeconds(at: Timestamp): number;
}

export interface Random {
  /** A random (version 4) UUID in lower case. */
  uuid(): string;
}
