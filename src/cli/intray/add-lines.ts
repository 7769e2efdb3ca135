/** `intray add --each-line`: a job for each line of the input, as the lines come. */

import type { Descriptor, Machine } from '../../os/ports.ts';
import type { Added, NewJob, Queue } from '../../queue/contract.ts';
import { QueueError } from '../../queue/errors.ts';
import type { Context } from '../context.ts';
import { sentenceOf } from '../failure.ts';
import { printJsonLine } from '../json.ts';
import { endingOf, exitStatus } from './exit-codes.ts';
import { refuseUnfinished } from './input.ts';

/** Jobs that are brought to the disk together: all of them or, should it fail, none. */
const TOGETHER = 200;

const CHUNK_BYTES = 64 * 1024;
const LINE_LIMIT_BYTES = 16 * 1024 * 1024;
const NEWLINE = 10;

export async function addLines(
  context: Context,
  queue: Queue,
  terms: NewJob,
  source: Descriptor,
  json: boolean,
): Promise<number> {
  let count = 0;
  try {
    for await (const lines of linesOf(context.machine, source)) {
      for (let from = 0; from < lines.length; from += TOGETHER) {
        const jobs = lines.slice(from, from + TOGETHER).map((payload) => ({ ...terms, payload }));
        const added = await queue.addAll(jobs);
        count += added.length;
        await report(context, queue, added, json);
      }
    }
  } catch (error) {
    if (count === 0) throw error;
    await context.log('error', `${sentenceOf(error)}\nThe ${count} jobs before that were added.`);
    return exitStatus(endingOf(error));
  }
  return exitStatus(count === 0 ? 'idle' : 'done');
}

async function report(context: Context, queue: Queue, added: readonly Added[], json: boolean): Promise<void> {
  if (!json) return context.print(added.map(({ id }) => `${id}\n`).join(''));
  for (const job of added) await printJsonLine(context, { queue: queue.location, ...job });
}

/** Lines with their ends, empty ones left out; those together that came together, so that none waits for others. */
async function* linesOf(machine: Machine, source: Descriptor): AsyncGenerator<Uint8Array[]> {
  const { files } = machine;
  let begun = new Uint8Array(0);
  for (let number = 1; ; ) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const length = await files.read(source, chunk, 0, chunk.length);
    if (length === 0) break;
    const text = joined(begun, chunk.subarray(0, length));
    const lines: Uint8Array[] = [];
    let from = 0;
    for (let end = text.indexOf(NEWLINE, begun.length); end >= 0; end = text.indexOf(NEWLINE, from)) {
      if (end > from) lines.push(text.subarray(from, end + 1));
      from = end + 1;
      number += 1;
    }
    begun = text.slice(from);
    if (begun.length > LINE_LIMIT_BYTES) {
      throw new QueueError(
        'not-a-file',
        `line ${number} of the input is longer than ${LINE_LIMIT_BYTES} bytes`,
      );
    }
    if (lines.length > 0) yield lines;
  }
  await refuseUnfinished(machine, source, 'the input ended early');
  if (begun.length > 0) yield [begun];
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
