/**
 * The payload of one offered job, at the taker.
 *
 *   offered    nobody has asked for it: a job that is known needs none
 *   coming     `go` was said; what comes is kept in memory, and when it is too much for that, in a part
 *   whole      `end` was said, and what has come is what was sent
 *   broken     it does not come: dropped, the connection is lost, or it could not be kept
 *
 *     offered --asked for--> coming --end--> whole
 *        |                     |
 *        +-----> broken <------+
 *
 * A part outlives a payload that is broken, unless it is the part that is wrong.
 */

import type { Machine } from '../../os/ports.ts';
import { crc32After } from '../../packet/crc32.ts';
import { QueueError } from '../../queue/errors.ts';
import { findPart, makePart, type Part } from './parts.ts';

/** Up to this a payload is sent again as a whole, and needs no part. */
export const MEMORY_BYTES = 1024 * 1024;

export type IncomingParts = {
  readonly machine: Machine;
  /** Of the job. */
  readonly name: string;
  /** Where parts are. */
  readonly directory: string;
  /** Asks for the payload from that byte on. */
  readonly go: (from: number) => void;
};

export class Incoming {
  readonly #parts: IncomingParts;
  readonly #memory: Uint8Array[] = [];
  #part: Part | undefined;
  #bytes = 0;
  #crc = 0;
  #broken: { readonly error: unknown } | undefined;
  #isWhole = false;
  #wake: () => void = () => {};

  constructor(parts: IncomingParts) {
    this.#parts = parts;
  }

  /** Asks for it, and gives it when it is whole. Throws when it is broken. */
  async *payload(): AsyncGenerator<Uint8Array> {
    const { machine, directory, name, go } = this.#parts;
    this.#part = await findPart(machine, directory, name);
    this.#bytes = this.#part?.size ?? 0;
    this.#crc = this.#part?.crc ?? 0;
    go(this.#bytes);
    while (!this.#isWhole && this.#broken === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#broken !== undefined) throw this.#broken.error;
    if (this.#part === undefined) yield* this.#memory;
    else yield* this.#part.read();
  }

  async take(bytes: Uint8Array): Promise<void> {
    if (this.#broken !== undefined || this.#isWhole) return;
    try {
      if (this.#part === undefined && this.#bytes + bytes.length > MEMORY_BYTES) await this.#spill();
      if (this.#part === undefined) this.#memory.push(bytes);
      else await this.#part.append(bytes);
      this.#bytes += bytes.length;
      this.#crc = crc32After(this.#crc, bytes);
    } catch (error) {
      this.break(error);
    }
  }

  /** All has been sent. */
  async end(bytes: number, crc: number): Promise<void> {
    if (this.#broken !== undefined) return;
    if (bytes === this.#bytes && crc === this.#crc) {
      this.#isWhole = true;
      this.#wake();
      return;
    }
    try {
      await this.#part?.remove();
      const what = `${this.#bytes} bytes came of a payload of ${bytes}, or others; it is to come anew`;
      this.break(new QueueError('not-connected', what));
    } catch (error) {
      this.break(error);
    }
  }

  break(error: unknown): void {
    this.#broken ??= { error };
    this.#wake();
  }

  /** `done`: nobody needs what has come of it any more. */
  async close(done: boolean): Promise<void> {
    if (done) await this.#part?.remove();
    await this.#part?.close();
    this.#part = undefined;
  }

  async #spill(): Promise<void> {
    const { machine, directory, name } = this.#parts;
    this.#part = await makePart(machine, directory, name);
    for (const bytes of this.#memory.splice(0)) await this.#part.append(bytes);
  }
}
