/** One line for each queue. */

import { age } from '../../../queue/job-words.ts';
import { troublesOf } from '../../../queue/troubles.ts';
import type { QueuePicture, SeenQueue } from './picture.ts';
import { hasWorker } from './rows.ts';
import type { Cell, Column } from './table.ts';
import { type Span, type Style, safe, span } from './text.ts';

/** `nowMs`: since 1970. */
export function overviewColumns(nowMs: number): readonly Column<QueuePicture>[] {
  const number = (of: (queue: SeenQueue) => number, style: Style = 'plain') => ({
    align: 'right' as const,
    cell: (queue: QueuePicture): Cell => {
      if (queue.kind !== 'seen') return { text: '' };
      const count = of(queue);
      return { text: String(count), style: count === 0 ? 'faint' : style };
    },
  });
  return [
    { title: 'QUEUE', least: 8, fair: 24, keep: 'end', cell: ({ name }) => ({ text: safe(name) }) },
    { title: 'WAIT', ...number(({ snapshot }) => snapshot.counts.waiting) },
    { title: 'DELAYED', leave: 6, ...number(({ snapshot }) => snapshot.counts.delayed) },
    { title: 'RUN', ...number(({ snapshot }) => snapshot.counts.running, 'good') },
    { title: 'FAIL', ...number(({ snapshot }) => failedOf(snapshot), 'bad') },
    {
      title: 'OLDEST',
      align: 'right',
      leave: 3,
      cell: (queue) => ({
        text:
          queue.kind !== 'seen' || queue.snapshot.oldestMs === undefined
            ? ''
            : age(nowMs - queue.snapshot.oldestMs),
      }),
    },
    {
      title: 'J/S 10s',
      align: 'right',
      leave: 2,
      onlyIfAny: true,
      cell: ({ rates }) => ({ text: rateWord(rates.tenSeconds) }),
    },
    {
      title: 'J/S 1m',
      align: 'right',
      leave: 4,
      onlyIfAny: true,
      cell: ({ rates }) => ({ text: rateWord(rates.minute) }),
    },
    {
      title: 'WORKERS',
      leave: 5,
      ...number(({ snapshot }) => snapshot.workers.filter(({ life }) => life === 'alive').length),
    },
    { title: 'STATE', least: 7, fair: 16, cell: stateOf },
  ];
}

export function failedOf({ counts }: SeenQueue['snapshot']): number {
  return counts.failed + counts.lanesFailed;
}

export function rateWord(rate: number | undefined): string {
  if (rate === undefined) return '';
  return rate === 0 ? '0' : rate.toFixed(rate < 10 ? 1 : 0);
}

/** What is wrong, what people have decided, or else what is going on. */
export function stateOf(queue: QueuePicture): Cell {
  if (queue.kind === 'unseen') return { text: safe(queue.problem), style: 'bad' };
  const { snapshot } = queue;
  // How many have failed is said in numbers.
  const troubles = troublesOf(snapshot).filter(({ short }) => short !== 'failed');
  const words = new Set([...(snapshot.paused ? ['paused'] : []), ...troubles.map(({ short }) => short)]);
  const bad = troubles.some(({ ending }) => ending !== undefined);
  if (words.size > 0) return { text: [...words].join(', '), style: bad ? 'bad' : 'warning' };
  return activityOf(snapshot);
}

function activityOf(snapshot: SeenQueue['snapshot']): Cell {
  const { counts, alone } = snapshot;
  if (alone !== undefined) return { text: `worked by ${alone.pid}`, style: 'good' };
  if (counts.running > 0) return { text: 'running', style: 'good' };
  if (snapshot.kind === 'append-only') return { text: 'only added to', style: 'faint' };
  if (counts.ready > 0)
    return hasWorker(snapshot) ? { text: 'ready', style: 'plain' } : { text: 'no worker', style: 'warning' };
  if (counts.delayed > 0) return { text: 'delayed', style: 'plain' };
  if (counts.held > 0) return { text: 'held', style: 'warning' };
  return { text: 'idle', style: 'faint' };
}

/** All of them together. */
export function totals(queues: readonly QueuePicture[]): Span[] {
  const seen = queues.filter((queue) => queue.kind === 'seen');
  const sum = (of: (snapshot: SeenQueue['snapshot']) => number) =>
    seen.reduce((total, { snapshot }) => total + of(snapshot), 0);
  const failed = sum(failedOf);
  return [
    span(
      `  ${queues.length === 1 ? '1 queue' : `${queues.length} queues`}, ${sum(({ counts }) => counts.waiting)} waiting, ${sum(({ counts }) => counts.running)} running`,
    ),
    ...(failed > 0 ? [span(', '), span(`${failed} failed`, 'bad')] : []),
  ];
}
