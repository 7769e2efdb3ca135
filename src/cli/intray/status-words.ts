/** What `intray status` says of one queue. */

import { kindWords } from '../../open/kind-words.ts';
import { formatMs } from '../../os/calendar.ts';
import type { Machine } from '../../os/ports.ts';
import type { LaneSnapshot, QueueSnapshot, SeenWorker } from '../../queue/snapshot.ts';
import { troublesOf } from '../../queue/troubles.ts';
import { duration, QUEUE_LANE } from '../../queue/words.ts';
import { printable } from '../printable.ts';
import { lineWidth, Table } from '../table.ts';

const MOST_LANES = 20;

export async function statusDetails(machine: Machine, snapshot: QueueSnapshot): Promise<string> {
  const { queue, paused, counts, oldestMs, takenMs, lanes, workers, alone, litter } = snapshot;
  const lines = [`${printable(queue)}: ${kindWords(snapshot)}${paused ? '; PAUSED: no job starts' : ''}`, ''];
  // Those that have failed and hold up their lanes are counted with the failed ones, below.
  const numbers = { ...counts, held: counts.held - counts.lanesFailed };
  const states = (['ready', 'delayed', 'held', 'behind', 'gap', 'duplicate', 'past', 'stuck'] as const)
    .filter((state) => numbers[state] > 0)
    .map((state) => `${numbers[state]} ${STATE_WORDS[state]}`);
  if (counts.lanesFailed > 0) states.push(`${counts.lanesFailed} failed`);
  const oldest = oldestMs === undefined ? [] : [`oldest ${duration(takenMs - oldestMs)}`];
  const count = (title: string, number: number, more: readonly string[] = []) =>
    lines.push(
      `${title.padEnd(11)}${String(number).padStart(7)}${more.length === 0 ? '' : `   ${more.join(', ')}`}`,
    );
  count('waiting', counts.waiting, [...states, ...oldest]);
  count('running', counts.running);
  count(
    'failed',
    counts.failed + counts.lanesFailed,
    counts.lanesFailed === 0 ? [] : [`${counts.lanesFailed} in their lanes, which they hold up`],
  );
  count('done', counts.done);
  if (counts.unreadable > 0) count('unreadable', counts.unreadable);
  const temporary = litter.filter(({ kind }) => kind === 'temporary').length;
  if (litter.length > 0)
    count('other files', litter.length, temporary === 0 ? [] : [`${temporary} temporary`]);
  if (alone !== undefined) lines.push('', `Process ${alone.pid} on this machine works it alone.`);
  if (workers.length > 0) lines.push('', (await workersTable(machine, snapshot, workers)).trimEnd());
  const notable = lanes.filter(
    ({ lane, waiting, running, missing }) =>
      lane !== QUEUE_LANE && (waiting > 0 || running > 0 || missing !== undefined),
  );
  if (notable.length > 0) lines.push('', (await lanesTable(machine, notable)).trimEnd());
  if (snapshot.safety !== undefined) lines.push('', printable(snapshot.safety.sentence));
  const troubles = troublesOf(snapshot);
  if (troubles.length > 0) lines.push('', ...troubles.map(({ sentence }) => `! ${printable(sentence)}`));
  return `${lines.join('\n').trimEnd()}\n`;
}

const STATE_WORDS = {
  ready: 'ready',
  delayed: 'delayed',
  held: 'held',
  behind: 'behind others',
  gap: 'behind a gap',
  duplicate: 'with a number twice',
  past: 'with a past number',
  stuck: 'stuck',
} as const;

async function workersTable(
  machine: Machine,
  { running, takenMs }: QueueSnapshot,
  workers: readonly SeenWorker[],
): Promise<string> {
  const rows = workers.map(({ name, life, host, pid, startedMs, beatMs }) => [
    life,
    host ?? name,
    pid === undefined ? '' : String(pid),
    startedMs === undefined ? '' : duration(takenMs - startedMs),
    beatMs === undefined ? '' : duration(takenMs - beatMs),
    String(running.filter((job) => job.worker.name === name).length),
  ]);
  const columns = [
    { title: 'WORKER' },
    { title: 'HOST' },
    { title: 'PID', align: 'right' },
    { title: 'FOR', align: 'right' },
    { title: 'HEARD', align: 'right' },
    { title: 'JOBS', align: 'right' },
  ] as const;
  return tableText(new Table(columns, rows, await lineWidth(machine)), rows);
}

async function lanesTable(machine: Machine, lanes: readonly LaneSnapshot[]): Promise<string> {
  const rows = lanes
    .slice(0, MOST_LANES)
    .map(({ lane, next, waiting, running, missing }) => [
      lane,
      next === undefined ? '?' : String(next),
      String(waiting),
      running > 0 ? 'running' : missing !== undefined ? `gap at ${missing}` : '',
    ]);
  const columns = [
    { title: 'LANE', most: 40 },
    { title: 'AT', align: 'right' },
    { title: 'WAITING', align: 'right' },
    { title: '' },
  ] as const;
  const more = lanes.length > MOST_LANES ? `and ${lanes.length - MOST_LANES} more lanes\n` : '';
  return tableText(new Table(columns, rows, await lineWidth(machine)), rows) + more;
}

function tableText(table: Table, rows: readonly (readonly string[])[]): string {
  return [table.head(), ...rows.map((row) => table.row(row))].join('');
}

/** One queue in JSON. Its fields are a contract: docs/reference.md. */
export function statusJson(snapshot: QueueSnapshot): Record<string, unknown> {
  const { queue, layout, kind, order, paused, counts, oldestMs, lanes, workers, alone } = snapshot;
  const { unreadable, damage, litter, safety } = snapshot;
  return {
    queue,
    layout,
    taken: formatMs(snapshot.takenMs),
    kind,
    order,
    paused,
    counts,
    oldest: oldestMs === undefined ? null : formatMs(oldestMs),
    lanes: lanes.map(({ lane, next, waiting, running, missing }) => ({
      lane,
      next: next?.toString() ?? null,
      waiting,
      running,
      missing: missing?.toString() ?? null,
    })),
    workers: workers.map(({ name, life, host, pid, startedMs, beatMs, jobs }) => ({
      name,
      life,
      host: host ?? null,
      pid: pid ?? null,
      started: startedMs === undefined ? null : formatMs(startedMs),
      heard: beatMs === undefined ? null : formatMs(beatMs),
      jobs,
    })),
    alone: alone === undefined ? null : { pid: alone.pid },
    unreadable,
    damage,
    litter: litter.map(({ path, kind: of }) => ({ path, kind: of })),
    ...(safety === undefined ? {} : { durability: safety }),
    troubles: troublesOf(snapshot).map(({ short, sentence }) => ({ kind: short, sentence })),
  };
}
