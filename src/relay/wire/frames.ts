/**
 * How two relays talk over a pair of pipes. Each begins with a line that says what it is, so that whatever else a login
 * may print is not taken for it; then come frames:
 *
 * | bytes | what                                                              |
 * |-------|-------------------------------------------------------------------|
 * | 4     | how many bytes follow, big-endian                                 |
 * | 1     | `M` or `D`                                                        |
 * | rest  | `M`: a message, JSON; see messages.ts                             |
 * |       | `D`: 4 bytes, big-endian: the number of a job; then some payload  |
 */

import { decodeBytes, encodeBytes } from '../../os/bytes.ts';
import { QueueError } from '../../queue/errors.ts';

export const GREETING = 'intray-relay 1\n';

/** A packet's params and variables are 1 MiB at most, and JSON takes up to six characters for one. */
const MESSAGE_LIMIT_BYTES = 8 * 1024 * 1024;
export const DATA_BYTES = 64 * 1024;

const LENGTH_BYTES = 4;
const MESSAGE = 0x4d;
const DATA = 0x44;
const JOB_BYTES = 4;
const SHOWN_CHARACTERS = 80;

export type Frame =
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'data'; readonly job: number; readonly bytes: Uint8Array };

export function messageFrame(message: object): Uint8Array {
  return framed(MESSAGE, encodeBytes(JSON.stringify(message)));
}

export function dataFrame(job: number, bytes: Uint8Array): Uint8Array {
  const body = new Uint8Array(JOB_BYTES + bytes.length);
  new DataView(body.buffer).setUint32(0, job);
  body.set(bytes, JOB_BYTES);
  return framed(DATA, body);
}

function framed(kind: number, body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(LENGTH_BYTES + 1 + body.length);
  new DataView(frame.buffer).setUint32(0, 1 + body.length);
  frame[LENGTH_BYTES] = kind;
  frame.set(body, LENGTH_BYTES + 1);
  return frame;
}

/** Takes bytes as they come and gives whole frames. Throws `not-connected` for what is none. */
export class FrameReader {
  #buffer: Uint8Array = new Uint8Array(2 * DATA_BYTES);
  #from = 0;
  #to = 0;
  #greeted = false;

  /** Whether any byte of a frame that has not come as a whole is there. */
  get isInMiddle(): boolean {
    return this.#to > this.#from;
  }

  *push(bytes: Uint8Array): Generator<Frame> {
    this.#append(bytes);
    if (!this.#greeted && !this.#takeGreeting()) return;
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) yield frame;
  }

  #takeGreeting(): boolean {
    const wanted = encodeBytes(GREETING);
    const there = this.#buffer.subarray(this.#from, Math.min(this.#to, this.#from + wanted.length));
    if (there.some((byte, at) => byte !== wanted[at])) {
      const [said = ''] = decodeBytes(this.#buffer.slice(this.#from, this.#to)).split('\n');
      const shown = JSON.stringify(said.slice(0, SHOWN_CHARACTERS));
      throw new QueueError('not-connected', `the other side is no relay of our kind; it began with ${shown}`);
    }
    if (there.length < wanted.length) return false;
    this.#from += wanted.length;
    this.#greeted = true;
    return true;
  }

  #next(): Frame | undefined {
    const available = this.#to - this.#from;
    if (available < LENGTH_BYTES) return undefined;
    const view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset + this.#from, available);
    const length = view.getUint32(0);
    if (length < 1 || length > MESSAGE_LIMIT_BYTES) {
      throw new QueueError('not-connected', `the other side sent a message of ${length} bytes`);
    }
    if (available < LENGTH_BYTES + length) return undefined;
    const kind = view.getUint8(LENGTH_BYTES);
    const start = this.#from + LENGTH_BYTES + 1;
    const end = this.#from + LENGTH_BYTES + length;
    this.#from = end;
    if (kind === MESSAGE) {
      return { kind: 'message', text: decodeBytes(this.#buffer.subarray(start, end)) };
    }
    if (kind !== DATA || end - start < JOB_BYTES) {
      throw new QueueError('not-connected', 'the other side sent what is neither a message nor data');
    }
    const job = view.getUint32(LENGTH_BYTES + 1);
    return { kind: 'data', job, bytes: this.#buffer.slice(start + JOB_BYTES, end) };
  }

  #append(bytes: Uint8Array): void {
    if (this.#to + bytes.length > this.#buffer.length) {
      const kept = this.#to - this.#from;
      const size = Math.max(this.#buffer.length, 2 * (kept + bytes.length));
      const grown = new Uint8Array(size);
      grown.set(this.#buffer.subarray(this.#from, this.#to));
      this.#buffer = grown;
      this.#from = 0;
      this.#to = kept;
    }
    this.#buffer.set(bytes, this.#to);
    this.#to += bytes.length;
  }
}
