/** `intray gc`: clears away what is over and old. */

import { openKeeper } from '../../open/open.ts';
import { formatMs, toMs } from '../../os/calendar.ts';
import { age } from '../../queue/job-words.ts';
import type { Garbage } from '../../queue/keeper.ts';
import type { Context } from '../context.ts';
import { printJson } from '../json.ts';
import { printable } from '../printable.ts';
import { exitStatus } from './exit-codes.ts';
import type { InQueue } from './looking.ts';

type Gc = InQueue & {
  readonly options: {
    readonly 'keep-done': number | undefined;
    readonly 'older-than': number | undefined;
    readonly 'dry-run': boolean;
    readonly json: boolean;
  };
};

const KEEP_DONE = 100;
const OLDER_THAN_MS = 30 * 24 * 3_600_000;

export async function gc(context: Context, args: Gc): Promise<number> {
  const { machine, print } = context;
  const { options, operand: queue } = args;
  const keeper = await openKeeper(machine, queue);
  const found = await keeper.findGarbage({
    keepDone: options['keep-done'] ?? KEEP_DONE,
    olderThanMs: options['older-than'] ?? OLDER_THAN_MS,
  });
  const dry = options['dry-run'];
  const removed = dry ? found : await keeper.removeGarbage(found);
  if (options.json) {
    const files = removed.map(({ changedMs, ...file }) => ({ ...file, changed: formatMs(changedMs) }));
    await printJson(context, { queue, dryRun: dry, removed: files });
    return exitStatus('done');
  }
  const nowMs = toMs(machine.clock.now());
  for (const { kind, path, changedMs } of removed) {
    await print(
      `${dry ? 'would remove' : 'removed'} ${WORDS[kind]} ${printable(path)} (${age(nowMs - changedMs)} old)\n`,
    );
  }
  await print(`${printable(queue)}: ${summary(removed, dry)}\n`);
  return exitStatus('done');
}

const WORDS: Record<Garbage['kind'], string> = {
  done: 'done job',
  failed: 'failed job',
  log: 'log',
  receipt: 'receipt',
  temporary: 'temporary file',
};

function summary(removed: readonly Garbage[], dry: boolean): string {
  if (removed.length === 0) return dry ? 'there would be nothing to remove' : 'there was nothing to remove';
  const bytes = removed.reduce((sum, one) => sum + one.bytes, 0);
  const files = removed.length === 1 ? '1 file' : `${removed.length} files`;
  return `${files} of ${bytes} bytes ${dry ? 'would be' : removed.length === 1 ? 'was' : 'were'} removed`;
}
