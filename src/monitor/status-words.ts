/** The status as plain text, and what both kinds of it say. */

import { formatUtc, fromMs } from '../os/calendar.ts';
import { printable } from '../os/printable.ts';
import type { Picture, ShownQueue, ShownUnit } from './picture.ts';

export const STATE_WORDS: Record<Picture['state'], string> = {
  working: 'the Monitor is working',
  paused: 'paused: no jobs are started',
  finishing: 'the Monitor is about to end',
  ended: 'no Monitor works here',
};

export function statusText(picture: Picture): string {
  const { root, takenMs, state, queues } = picture;
  const head = `${printable(root)}   ${formatUtc(fromMs(takenMs))}\n${STATE_WORDS[state]}\n`;
  return `${[head, ...queues.map(queueText)].join('\n')}`;
}

function queueText(queue: ShownQueue): string {
  const rows = queue.units.map((unit) => {
    const type = unit.unit?.items.get('JOB') ?? '';
    return `  ${[printable(unit.name), printable(type), printable(wordsOf(unit))].filter((word) => word !== '').join('   ')}\n`;
  });
  return `${queue.place} (${countText(queue)})\n${rows.join('')}`;
}

/** `3`, or `1200, the newest 200 shown`. */
export function countText({ place, units, count }: ShownQueue): string {
  if (count <= units.length) return `${count}`;
  const which = /^(done|error|fail)-q$/.test(place) ? 'the newest' : 'the first';
  return `${count}, ${which} ${units.length} shown`;
}

/** Its STATUS, and what has to be said besides. */
export function wordsOf({ unit, note }: ShownUnit): string {
  return [unit?.status ?? '', note ?? ''].filter((words) => words !== '').join('; ');
}
