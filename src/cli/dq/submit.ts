import { createDirQueue, type DirQueue, openDirQueue } from '../../dirqueue/dirqueue.ts';
import { makeRooms } from '../../dirqueue/layout.ts';
import { type Descriptor, type Machine, STDIN } from '../../os/ports.ts';
import { readPieces } from '../../os/transfer.ts';
import { isQueueError } from '../../queue/errors.ts';
import type { Context } from '../context.ts';
import { sentenceOf } from '../failure.ts';
import { printJsonLine } from '../json.ts';
import type { Given } from './options.ts';

/** So many files are added at once, which share their syncs. */
const AT_ONCE = 16;

/** A file that cannot be read does not keep the others from being added. */
export async function submit(context: Context, { values, flags, words }: Given): Promise<number> {
  const { machine } = context;
  const queue = await openOrMake(machine, values.get('dir')?.[0] ?? '');
  const env = Object.fromEntries((values.get('meta') ?? []).map(splitMeta));
  const priority = values.get('priority')?.[0];
  const job = { env, ...(priority === undefined ? {} : { priority: Number(priority) }) };
  const add = async (file: string): Promise<Outcome> => {
    try {
      return { file, id: (await addFile(machine, queue, file, job)).id };
    } catch (error) {
      return { file, error };
    }
  };
  // Of those who read standard input, one after the other.
  const atOnce = words.includes('-') ? 1 : AT_ONCE;
  let status = 0;
  let untold: { readonly error: unknown } | undefined;
  for await (const outcome of inOrder(words, atOnce, add, () => untold === undefined)) {
    const { file } = outcome;
    try {
      if ('error' in outcome) {
        await context.complain(`dq-submit: ${file}: ${sentenceOf(outcome.error)}\n`);
        status = 1;
      } else if (flags.has('json')) await printJsonLine(context, { file, id: outcome.id });
      else await context.print(`enqueued: ${file}\n`);
    } catch (error) {
      // What was begun with it is added, or not, all the same: whoever asks must be able to know.
      untold ??= { error };
      await context.complain(`dq-submit: ${file}: enqueued, which could not be told\n`);
    }
  }
  if (untold !== undefined) throw untold.error;
  return status;
}

type Outcome = { readonly file: string } & ({ readonly id: string } | { readonly error: unknown });

/** What comes of each, in their order, with so many begun at once, as long as more are to be begun. */
async function* inOrder<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  act: (item: Item) => Promise<Result>,
  goesOn: () => boolean,
): AsyncGenerator<Result> {
  const begun: Promise<Result>[] = [];
  for (const item of items) {
    if (!goesOn()) break;
    begun.push(act(item));
    if (begun.length >= atOnce) yield (await begun.shift()) as Result;
  }
  for (const one of begun) yield await one;
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
