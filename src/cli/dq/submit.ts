import { createDirQueue, type DirQueue, openDirQueue } from '../../dirqueue/dirqueue.ts';
import { makeRooms } from '../../dirqueue/layout.ts';
import { type Descriptor, type Machine, STDIN } from '../../os/ports.ts';
import { readPieces } from '../../os/transfer.ts';
import { isQueueError } from '../../queue/errors.ts';
import type { Context } from '../context.ts';
import { sentenceOf } from '../failure.ts';
import { printJsonLine } from '../json.ts';
import type { Given } from './options.ts';

/** A file that cannot be read does not keep the others from being added. */
export async function submit(context: Context, { values, flags, words }: Given): Promise<number> {
  const { machine } = context;
  const queue = await openOrMake(machine, values.get('dir')?.[0] ?? '');
  const env = Object.fromEntries((values.get('meta') ?? []).map(splitMeta));
  const priority = values.get('priority')?.[0];
  let status = 0;
  for (const file of words) {
    try {
      const { id } = await addFile(machine, queue, file, {
        env,
        ...(priority === undefined ? {} : { priority: Number(priority) }),
      });
      if (flags.has('json')) await printJsonLine(context, { file, id });
      else await context.print(`enqueued: ${file}\n`);
    } catch (error) {
      if (isQueueError(error, 'output-failed')) throw error;
      await context.complain(`dq-submit: ${file}: ${sentenceOf(error)}\n`);
      status = 1;
    }
  }
  return status;
}

/** As the original, which makes what is missing. */
async function openOrMake(machine: Machine, path: string): Promise<DirQueue> {
  try {
    return await createDirQueue(machine, path);
  } catch (error) {
    if (!isQueueError(error, 'exists')) throw error;
    await makeRooms(machine, path);
    return openDirQueue(machine, path);
  }
}

function splitMeta(text: string): [name: string, value: string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}

async function addFile(
  machine: Machine,
  queue: DirQueue,
  file: string,
  job: { readonly env: Record<string, string>; readonly priority?: number },
) {
  const { files } = machine;
  const source: Descriptor = file === '-' ? STDIN : await files.open(file, 'read');
  try {
    return await queue.add({ ...job, payload: readPieces(files, source) });
  } finally {
    if (file !== '-') await files.close(source);
  }
}
