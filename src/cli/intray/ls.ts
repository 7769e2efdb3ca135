/** `intray ls`: the jobs of a queue, in the order in which they would be started. */

import { hasErrno } from '../../os/ports.ts';
import { isQueueError } from '../../queue/errors.ts';
import { age, laneOf, paramsOf, statePhrase } from '../../queue/job-words.ts';
import type { FoundJob } from '../../queue/snapshot.ts';
import type { Context } from '../context.ts';
import { printJson } from '../json.ts';
import { lineWidth, Table } from '../table.ts';
import { exitStatus } from './exit-codes.ts';
import { jobJson, shortNames } from './job-words.ts';
import { type Decoded, type InQueue, keeperOf } from './looking.ts';

type Ls = InQueue &
  Decoded & {
    readonly options: {
      readonly failed: boolean;
      readonly done: boolean;
      readonly running: boolean;
      readonly all: boolean;
      readonly lane: string | undefined;
      readonly json: boolean;
    };
  };

/** As many rows as are looked up before they are printed. */
const ROWS_AT_ONCE = 500;
const SHORTEST_ID = 8;

export async function ls(context: Context, args: Ls): Promise<number> {
  const { machine, print } = context;
  const { options, operand: queue } = args;
  const keeper = await keeperOf(context, args);
  const snapshot = await keeper.look();
  const every = await keeper.everyJob(snapshot);
  const wanted = every
    .filter(wantedBy(options))
    .sort((a, b) => PLACES.indexOf(a.place) - PLACES.indexOf(b.place));
  if (options.json) {
    const jobs: unknown[] = [];
    for (const found of wanted) jobs.push(jobJson(found, await keeper.contents(found)));
    await printJson(context, { queue, jobs });
    return exitStatus('done');
  }
  const ids = shortNames(
    every.map(({ id }) => id),
    SHORTEST_ID,
  );
  const cells = wanted.map((found) => cellsOf(found, ids.get(found.id) ?? found.id, snapshot.takenMs));
  const table = new Table(
    [
      { title: 'ID', most: 36 },
      { title: 'STATE' },
      { title: 'LANE', most: 20 },
      { title: 'NUMBER', align: 'right' },
      { title: 'PRIO', align: 'right' },
      { title: 'AGE', align: 'right' },
      { title: 'TRIES', align: 'right' },
      { title: 'PARAMS' },
    ],
    cells,
    await lineWidth(machine),
  );
  if (wanted.length === 0) await context.complain(nothingToList(queue, every.length));
  try {
    await printRows();
  } catch (error) {
    // Whoever looks at the first lines only, as `head` does, has them.
    if (!isQueueError(error, 'output-failed') || !hasErrno(error.cause, 'EPIPE')) throw error;
  }
  return exitStatus('done');

  async function printRows(): Promise<void> {
    if (wanted.length > 0) await print(table.head());
    for (let at = 0; at < wanted.length; at += ROWS_AT_ONCE) {
      const rows: string[] = [];
      for (const [index, found] of wanted.slice(at, at + ROWS_AT_ONCE).entries()) {
        rows.push(table.row([...(cells[at + index] ?? []), paramsOf(await keeper.contents(found))]));
      }
      await print(rows.join(''));
    }
  }
}

/** Those that run first, then those that will. */
const PLACES: readonly FoundJob['place'][] = ['running', 'waiting', 'unreadable', 'failed', 'done'];

function wantedBy({ failed, done, running, all, lane }: Ls['options']): (found: FoundJob) => boolean {
  const chosen = failed || done || running;
  return (found) => {
    if (lane !== undefined && laneOf(found) !== lane) return false;
    if (all) return true;
    switch (found.place) {
      case 'failed':
        return failed;
      case 'done':
        return done;
      case 'running':
        return running || !chosen;
      case 'unreadable':
        return !chosen;
      case 'waiting': {
        const { standing } = found;
        return !chosen || (failed && standing.kind === 'held' && standing.failed !== undefined);
      }
    }
  };
}

function cellsOf(found: FoundJob, id: string, nowMs: number): string[] {
  const { seq, priority, addedMs, attempts } = found;
  return [
    id,
    statePhrase(found, nowMs),
    laneOf(found) ?? '',
    // A number that no order hangs on is long and says nothing.
    found.lane === undefined ? '' : (seq?.toString() ?? ''),
    priority?.toString() ?? '',
    addedMs === undefined ? '' : age(nowMs - addedMs),
    attempts.toString(),
  ];
}

function nothingToList(queue: string, others: number): string {
  const none = others === 1 ? 'its only job is not like that' : `none of its ${others} jobs is like that`;
  return `intray: ${queue}: ${others === 0 ? 'there are no jobs' : `${none}; --all lists all`}\n`;
}
