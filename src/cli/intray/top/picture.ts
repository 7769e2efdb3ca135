/** What `intray top` has seen: all that a screen is drawn from. */

import type { QueueSnapshot } from '../../../queue/snapshot.ts';

export type Picture = {
  /** When looking at it began, ms since 1970. */
  readonly takenMs: number;
  readonly queues: readonly QueuePicture[];
  /** Why there is no newer one. */
  readonly problem?: string;
};

export type QueuePicture = {
  /** Its directory, as it was named or found. */
  readonly name: string;
  readonly rates: Rates;
} & (
  | { readonly kind: 'seen'; readonly snapshot: QueueSnapshot; readonly details: Details }
  | { readonly kind: 'unseen'; readonly problem: string }
);

export type SeenQueue = QueuePicture & { readonly kind: 'seen' };

/** Jobs a second that came to their end; undefined when nobody knows yet. */
export type Rates = { readonly tenSeconds: number | undefined; readonly minute: number | undefined };

/** What is in the files of single jobs, of those that are shown; by id. */
export type Details = {
  readonly params: ReadonlyMap<string, string>;
  /** The last line that a running job has said. */
  readonly said: ReadonlyMap<string, string>;
  readonly failures: ReadonlyMap<string, Failure>;
};

export type Failure = { readonly reason: string; readonly endedMs: number | undefined };

export const NO_DETAILS: Details = { params: new Map(), said: new Map(), failures: new Map() };
