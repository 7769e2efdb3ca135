/** `intray status`: how queues are: one line for each of many, all about one. */

import { queuesAt } from '../../open/find.ts';
import { openKeeper } from '../../open/open.ts';
import type { Machine } from '../../os/ports.ts';
import { age } from '../../queue/job-words.ts';
import type { QueueSnapshot } from '../../queue/snapshot.ts';
import { troublesOf } from '../../queue/troubles.ts';
import type { Context } from '../context.ts';
import { printJson } from '../json.ts';
import { lineWidth, Table } from '../table.ts';
import { UsageProblem } from '../usage.ts';
import { type Ending, exitStatus } from './exit-codes.ts';
import type { Decoded, InQueue } from './looking.ts';
import { statusDetails, statusJson } from './status-words.ts';

type Status = InQueue &
  Decoded & {
    readonly more: readonly string[];
    readonly options: { readonly json: boolean; readonly html: string | undefined };
  };

export async function status(context: Context, args: Status): Promise<number> {
  const { machine, print } = context;
  const { decoder, html } = args.options;
  if (html !== undefined) return statusOfPage(context, args, html);
  const queues = await queuesAt(machine, [args.operand, ...args.more]);
  const snapshots: QueueSnapshot[] = [];
  for (const queue of queues) {
    const keeper = await openKeeper(machine, queue, { decoder });
    snapshots.push(await keeper.look());
  }
  if (args.options.json) await printJson(context, { queues: snapshots.map(statusJson) });
  else if (snapshots.length === 1) await print(await statusDetails(machine, snapshots[0] as QueueSnapshot));
  else await print(await overview(machine, snapshots));
  return exitStatus(worstOf(snapshots));
}

/** Of what the page shows; where a queue could not be looked at, that it could not. */
async function statusOfPage(context: Context, args: Status, path: string): Promise<number> {
  if (args.options.json) throw new UsageProblem('--json and --html exclude each other');
  const { writePage } = await import('./status-page.ts');
  const { queues, problems } = await writePage(context, args, path);
  if (problems.length > 0) return exitStatus('error');
  return exitStatus(worstOf(queues.flatMap((queue) => (queue.kind === 'seen' ? [queue.snapshot] : []))));
}

async function overview(machine: Machine, snapshots: readonly QueueSnapshot[]): Promise<string> {
  const rows = snapshots.map((snapshot) => {
    const { queue, paused, counts, oldestMs, takenMs, workers, alone } = snapshot;
    const alive = workers.filter(({ life }) => life === 'alive').length + (alone === undefined ? 0 : 1);
    return [
      queue,
      String(counts.waiting),
      String(counts.running),
      String(counts.failed + counts.lanesFailed),
      String(counts.done),
      oldestMs === undefined ? '' : age(takenMs - oldestMs),
      String(alive),
      [...new Set([...(paused ? ['paused'] : []), ...troublesOf(snapshot).map(({ short }) => short)])].join(
        ', ',
      ),
    ];
  });
  const table = new Table(
    [
      { title: 'QUEUE' },
      { title: 'WAITING', align: 'right' },
      { title: 'RUNNING', align: 'right' },
      { title: 'FAILED', align: 'right' },
      { title: 'DONE', align: 'right' },
      { title: 'OLDEST', align: 'right' },
      { title: 'WORKERS', align: 'right' },
      { title: 'TROUBLE' },
    ],
    rows,
    await lineWidth(machine),
  );
  return [table.head(), ...rows.map((row) => table.row(row))].join('');
}

/** Damage before failures before gaps. */
const WORST = ['damaged', 'jobFailed', 'gap'] as const;

function worstOf(snapshots: readonly QueueSnapshot[]): Ending {
  const endings = new Set(snapshots.flatMap(troublesOf).map(({ ending }) => ending));
  return WORST.find((ending) => endings.has(ending)) ?? 'done';
}
