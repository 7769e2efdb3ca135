/** Where a relay brings jobs to. */

import { isQueueError } from '../queue/errors.ts';
import type { CarriedJob } from './carried.ts';

export type Delivered = {
  /** As the target calls it. */
  readonly id: string;
  /** It was there already. */
  readonly duplicate: boolean;
};

/**
 * The whole payload, to be asked for once or not at all. It throws at its end when what was read cannot be trusted. Each
 * piece is the reader's only until it asks for the next.
 */
export type Payload = () => AsyncIterable<Uint8Array>;

/** `waiting`: no job is to be begun any more. `moving`: one whose payload is on its way is to be broken off. */
export type Stops = { readonly waiting: AbortSignal; readonly moving: AbortSignal };

export type Target = {
  /** Sees to it that it can be reached. */
  ready(): Promise<void>;
  /**
   * Brings a job there, when there is room for it; it is there for good when the promise resolves. Throws what `isRefusal`
   * knows for a job that it will never take, what `payload` threw, and anything else for what may go well later.
   */
  deliver(job: CarriedJob, payload: Payload, stops: Stops): Promise<Delivered>;
  close(): Promise<void>;
};

/**
 * Whether it is the job that was refused, for good, rather than that the target is in trouble: where something else is the
 * cause, a disk or a server that is full say, it may go well later.
 */
export function isRefusal(error: unknown): boolean {
  if (error instanceof RangeError) return true;
  return isQueueError(error, 'not-possible', 'not-written', 'not-a-unit') && error.cause === undefined;
}
