/**
 * One job that is offered to the other side.
 *
 *   offered    waits for its answer; told to stop, it is dropped
 *   sending    its payload is wanted, and on its way
 *   sent       waits for what becomes of it
 *   over       the other side has it, or will not or cannot have it; the payload is not read any more
 *
 *     offered --go--> sending --end--> sent --done, refuse, later--> over
 *        |              |
 *        +--------------+--dropped, lost, refused--> over
 */

import { crc32After } from '../../packet/crc32.ts';
import { QueueError } from '../../queue/errors.ts';
import type { Pace } from '../pace.ts';
import type { Delivered, Payload, Stops } from '../target.ts';
import { DATA_BYTES } from './frames.ts';
import type { Link } from './link.ts';
import type { TakerMessage } from './messages.ts';

export type OfferParts = {
  readonly link: Link;
  readonly job: number;
  readonly payload: Payload;
  readonly pace: Pace;
  readonly stops: Stops;
  readonly onFull: (() => void) | undefined;
};

export class Offer {
  readonly #parts: OfferParts;
  readonly #answer: Promise<Delivered>;
  #resolve: (delivered: Delivered) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #sending: Promise<void> | undefined;
  #isOver = false;

  constructor(parts: OfferParts) {
    this.#parts = parts;
    this.#answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#answer.catch(() => {}); // told by `outcome`
  }

  /** Resolves, or rejects, when the payload is not read any more. */
  async outcome(): Promise<Delivered> {
    const { waiting, moving } = this.#parts.stops;
    const onStop = () => {
      if (this.#sending === undefined) this.#drop(waiting.reason);
    };
    const onHardStop = () => this.#drop(moving.reason);
    waiting.addEventListener('abort', onStop);
    moving.addEventListener('abort', onHardStop);
    try {
      if (waiting.aborted) onStop();
      return await this.#answer;
    } finally {
      waiting.removeEventListener('abort', onStop);
      moving.removeEventListener('abort', onHardStop);
      this.#isOver = true;
      await this.#sending;
    }
  }

  hear(message: TakerMessage): void {
    switch (message.say) {
      case 'full':
        this.#parts.onFull?.();
        return;
      case 'go':
        this.#sending ??= this.#send(message.from).catch((error) => this.#drop(error));
        return;
      case 'done':
        this.#resolve({ id: message.id, duplicate: message.duplicate });
        return;
      case 'refuse':
        this.fail(new QueueError('not-possible', message.message));
        return;
      case 'later':
        this.fail(new QueueError('not-connected', message.message));
    }
  }

  fail(error: unknown): void {
    this.#isOver = true;
    this.#reject(error);
  }

  #drop(error: unknown): void {
    if (!this.#isOver) this.#parts.link.send({ say: 'drop', job: this.#parts.job });
    this.fail(error);
  }

  /** The checksum is that of all of it, also of what is there already. */
  async #send(from: number): Promise<void> {
    const { link, job, payload, pace } = this.#parts;
    let bytes = 0;
    let crc = 0;
    for await (const piece of payload()) {
      const skipped = Math.min(Math.max(from - bytes, 0), piece.length);
      bytes += piece.length;
      crc = crc32After(crc, piece);
      for (let at = skipped; at < piece.length; at += DATA_BYTES) {
        const some = piece.subarray(at, at + DATA_BYTES);
        await pace.take(some.length);
        if (this.#isOver) return;
        await link.sendData(job, some);
      }
      if (this.#isOver) return;
    }
    link.send({ say: 'end', job, bytes, crc });
  }
}
