/**
 * A pair of pipes to another relay.
 *
 *   greeting   both sides send their first line and `hello` at once
 *   open       frames go to and fro. Each side says `alive` now and then, for a machine that has lost its power says nothing
 *   lost       the pipe has ended, the other side was silent for too long, or said what nobody understands
 *
 *     greeting --hello--> open --> lost          greeting --> lost
 */

import { encodeBytes } from '../../os/bytes.ts';
import { closeQuietly } from '../../os/close-quietly.ts';
import type { Descriptor, Machine } from '../../os/ports.ts';
import { QueueError, reasonOf } from '../../queue/errors.ts';
import { DATA_BYTES, dataFrame, type Frame, FrameReader, GREETING, messageFrame } from './frames.ts';
import { type Hello, type Message, parseMessage } from './messages.ts';

const ALIVE_MS = 15_000;
/** A disk may take its time to sync a large payload, and nothing is said meanwhile. */
const SILENCE_MS = 180_000;

export type Heard = Exclude<Message, { readonly say: 'hello' | 'bye' | 'alive' }>;

export type LinkListener = {
  readonly onMessage: (message: Heard) => void;
  /** What it takes holds up what comes after it. */
  readonly onData: (job: number, bytes: Uint8Array) => void | Promise<void>;
  /** Told once; undefined when the other side has hung up between two messages. */
  readonly onLost: (error: unknown) => void;
};

export type Pipes = {
  readonly input: Descriptor;
  readonly output: Descriptor;
  /** They are closed by our end. */
  readonly lasting?: boolean;
};

export class Link {
  /** What the other side has said of itself. Rejects when the link is lost before. */
  readonly hello: Promise<Hello>;
  readonly #machine: Machine;
  readonly #pipes: Pipes;
  readonly #listener: LinkListener;
  #greet: { resolve: (hello: Hello) => void; reject: (error: unknown) => void } | undefined;
  #sent: Promise<void> = Promise.resolve();
  #heardMs: number;
  #cancelAlive: () => void = () => {};
  #isLost = false;
  /** Resolves when nothing is read any more. */
  readonly #reading: Promise<void>;

  /** Closes both pipes in the end, unless they are `lasting`. */
  constructor(machine: Machine, pipes: Pipes, hello: Omit<Hello, 'say'>, listener: LinkListener) {
    this.#machine = machine;
    this.#pipes = pipes;
    this.#listener = listener;
    this.#heardMs = machine.clock.monotonicMs();
    this.hello = new Promise((resolve, reject) => {
      this.#greet = { resolve, reject };
    });
    this.hello.catch(() => {}); // told by onLost too
    this.#write(encodeBytes(GREETING)).catch(() => {});
    this.send({ say: 'hello', ...hello });
    this.#sayAlive();
    this.#reading = this.#read();
  }

  /** In the order of the calls. One that cannot be sent is lost with the link. */
  send(message: Message): void {
    this.#write(messageFrame(message)).catch(() => {});
  }

  /** Resolves when the pipe has taken it. */
  sendData(job: number, bytes: Uint8Array): Promise<void> {
    return this.#write(dataFrame(job, bytes));
  }

  /** Resolves when all that was sent has gone into the pipe. */
  async flush(): Promise<void> {
    await this.#sent.catch(() => {});
  }

  /** Hangs up; the other side has to, too, before this resolves. */
  async close(): Promise<void> {
    if (!this.#isLost) this.send({ say: 'bye' });
    await this.flush();
    this.#lose(undefined);
    const { files } = this.#machine;
    const { input, output, lasting = false } = this.#pipes;
    if (!lasting) await closeQuietly(files, output);
    await this.#reading;
    if (!lasting) await closeQuietly(files, input);
  }

  #write(bytes: Uint8Array): Promise<void> {
    const { files } = this.#machine;
    const written = this.#sent.then(async () => {
      if (this.#isLost) throw new QueueError('not-connected', 'the connection is lost');
      // Whoever reads may be slow: what else is to be done here goes on meanwhile.
      await (files.writeAside ?? files.write)(this.#pipes.output, bytes);
    });
    this.#sent = written.catch((error) => this.#lose(error));
    return written;
  }

  async #read(): Promise<void> {
    const { files, clock } = this.#machine;
    const reader = new FrameReader();
    const buffer = new Uint8Array(2 * DATA_BYTES);
    try {
      for (;;) {
        const count = await files.readAside(this.#pipes.input, buffer, 0, buffer.length);
        this.#heardMs = clock.monotonicMs();
        if (count === 0) break;
        for (const frame of reader.push(buffer.subarray(0, count))) await this.#take(frame);
      }
      const cut = new QueueError('not-connected', 'the connection ended in the middle of a message');
      this.#lose(reader.isInMiddle ? cut : undefined);
    } catch (error) {
      this.#lose(error);
    }
  }

  async #take(frame: Frame): Promise<void> {
    if (this.#isLost) return;
    if (frame.kind === 'data') {
      await this.#listener.onData(frame.job, frame.bytes);
      return;
    }
    const message = parseMessage(frame.text);
    if (message.say === 'hello') this.#greet?.resolve(message);
    else if (message.say === 'bye') this.#lose(undefined);
    else if (message.say !== 'alive') this.#listener.onMessage(message);
  }

  #sayAlive(): void {
    this.#cancelAlive = this.#machine.clock.after(ALIVE_MS, () => {
      if (this.#machine.clock.monotonicMs() - this.#heardMs > SILENCE_MS) {
        this.#lose(
          new QueueError('not-connected', `the other side has said nothing for ${SILENCE_MS / 1000} s`),
        );
        return;
      }
      this.send({ say: 'alive' });
      this.#sayAlive();
    });
  }

  #lose(error: unknown): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#cancelAlive();
    const why = error ?? new QueueError('not-connected', 'the other side has hung up');
    this.#greet?.reject(why);
    this.#listener.onLost(error);
  }
}

/** What is said of an error to the other side. */
export function problemOf(error: unknown): { readonly message: string; readonly code?: string } {
  const { code } = error as { readonly code?: unknown };
  const message = error instanceof QueueError ? error.message : reasonOf(error);
  return { message, ...(typeof code === 'string' ? { code } : {}) };
}
