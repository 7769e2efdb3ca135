/** Where the payload of a new job comes from. */

import { decodeBytes } from '../../os/bytes.ts';
import { type Descriptor, type Machine, STDIN } from '../../os/ports.ts';
import { shellQuote } from '../../os/shell.ts';
import { readPieces } from '../../os/transfer.ts';
import { TAG } from '../../packet/header.ts';
import { isUnfinished } from '../../packet/pipe-mark.ts';
import { QueueError } from '../../queue/errors.ts';
import type { Context } from '../context.ts';

export type InputOptions = {
  readonly input: string | undefined;
  readonly 'no-payload': boolean;
  readonly 'each-line': boolean;
};

/** What the payload is read from; undefined for none. */
export async function openInput(
  { machine, log }: Context,
  options: InputOptions,
): Promise<Descriptor | undefined> {
  const { files, host } = machine;
  const { input } = options;
  if (options['no-payload']) return undefined;
  if (input !== undefined && input !== '-') {
    if ((await files.stat(input)).kind === 'directory') {
      throw new QueueError(
        'not-a-file',
        `${input}: it is a directory; pipe an archive of it in: tar -cf - ${shellQuote(input)} | intray add ...`,
      );
    }
    return files.open(input, 'read');
  }
  if (input === '-' || !(await host.isTerminal(STDIN))) return STDIN;
  if (!options['each-line']) await log('info', 'nothing is piped in, so the job has no payload');
  return undefined;
}

/** A payload that is read as it is asked for, in constant memory. */
export class Input implements AsyncIterable<Uint8Array> {
  /** Known when it has been read. */
  isPacket = false;
  readonly #machine: Machine;
  readonly #source: Descriptor;

  constructor(machine: Machine, source: Descriptor) {
    this.#machine = machine;
    this.#source = source;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const { files } = this.#machine;
    let bytes = 0;
    for await (const piece of readPieces(files, this.#source)) {
      if (bytes === 0) this.isPacket = decodeBytes(piece.subarray(0, TAG.length)) === TAG;
      bytes += piece.length;
      yield piece;
    }
    await refuseUnfinished(this.#machine, this.#source, `the input ended after ${bytes} bytes`);
  }
}

/** Throws when the end of the input is known not to be its end: see pipe-mark. */
export async function refuseUnfinished({ files }: Machine, source: Descriptor, what: string): Promise<void> {
  if (!isUnfinished(await files.fstat(source))) return;
  throw new QueueError(
    'packet-incomplete',
    `${what}, because the program that wrote it died in the middle; that was not added`,
  );
}
