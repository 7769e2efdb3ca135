/** The whole screen, line by line, from what was seen and what is chosen. Pure. */

import { formatSpan } from '../../../os/span.ts';
import { troublesOf } from '../../../queue/troubles.ts';
import { duration } from '../../../queue/words.ts';
import { failedOf, overviewColumns, rateWord, stateOf, totals } from './overview.ts';
import type { Picture, QueuePicture, SeenQueue } from './picture.ts';
import { queueRows, rowsOf } from './rows.ts';
import { type SectionTable, sectionTables } from './sections.ts';
import { filterOf, placeOf, type State, shownQueue } from './state.ts';
import { tableLines } from './table.ts';
import { between, cutLine, type Line, type Span, safe, span } from './text.ts';

/** `rows` may be infinite: then there are as many lines as there is to say. */
export type Size = { readonly columns: number; readonly rows: number };

export type Moment = {
  /** Ms since 1970. */
  readonly nowMs: number;
  readonly intervalMs: number;
  /** The time of day. */
  readonly clock: (ms: number) => string;
};

/** No more than `size.rows` lines of at most `size.columns`; on a screen exactly so many. */
export function frame(picture: Picture, size: Size, state: State, moment: Moment): Line[] {
  const { columns, rows } = size;
  const onScreen = Number.isFinite(rows);
  const queue = shownQueue(state, picture);
  const head = [headLine(picture, queue, columns, state, moment)];
  const room = rows - head.length - (onScreen ? 1 : 0);
  const body = bodyOf(picture, queue, { columns, rows: room }, state, moment);
  if (!onScreen) return [...head, ...body].map((line) => cutLine(line, columns));
  const filled = [...body.slice(0, Math.max(0, room))];
  while (filled.length < room) filled.push([]);
  return [...head, ...filled, footLine(picture, state, columns)]
    .slice(0, rows)
    .map((line) => cutLine(line, columns));
}

function bodyOf(
  picture: Picture,
  queue: QueuePicture | undefined,
  size: Size,
  state: State,
  moment: Moment,
): Line[] {
  if (state.help) return HELP.map((text) => [span(text)]);
  if (state.queue === undefined) return overview(picture, size, state, moment);
  if (queue === undefined) return [[], [span('This queue is not there any more. Esc: all queues')]];
  if (queue.kind === 'unseen') return [[], [span(safe(queue.problem), 'bad')]];
  return queueBody(queue, size, state, moment);
}

function headLine(
  picture: Picture,
  queue: QueuePicture | undefined,
  columns: number,
  state: State,
  { nowMs, intervalMs, clock }: Moment,
): Line {
  const ageMs = nowMs - picture.takenMs;
  const old = ageMs > 2 * intervalMs + TOLERANCE_MS;
  const time = [
    span(clock(picture.takenMs), old ? 'warning' : 'faint'),
    ...(old ? [span(`, ${duration(ageMs)} old`, 'warning')] : []),
  ];
  const filter = filterOf(state);
  const filtered = filter === '' ? [] : [span('  '), span(`/${safe(filter)}`, 'warning')];
  if (state.queue === undefined) {
    return between([span('intray top', 'bold'), ...totals(picture.queues), ...filtered], time, columns);
  }
  const doing: Span[] = [];
  if (queue !== undefined && queue.kind === 'seen') {
    const { text, style = 'plain' } = stateOf(queue);
    doing.push(span('  '), span(text, style));
  }
  return between([span(safe(state.queue), 'bold'), ...doing, ...filtered], time, columns);
}

/** How late a picture may be beside its interval. */
const TOLERANCE_MS = 1000;

function overview(picture: Picture, { columns, rows }: Size, state: State, { nowMs }: Moment): Line[] {
  const queues = queueRows(picture.queues, state.filters.overview);
  if (queues.length === 0) {
    const none =
      picture.queues.length === 0 ? 'There is no queue here.' : 'No queue passes the filter. Esc clears it.';
    return [[], [span(none)]];
  }
  const keys = queues.map(({ name }) => name);
  const at = placeOf(state.choices.overview, keys);
  const from = firstShown(at, keys.length, rows - 1);
  const chosen = Number.isFinite(rows) ? at - from : undefined;
  const shown = queues.slice(from, from + rows - 1);
  const table = tableLines(overviewColumns(nowMs), shown, columns, chosen);
  return [table.head, ...table.rows];
}

/** So that the chosen row is in the middle, as far as there are rows on both sides. */
function firstShown(at: number, length: number, room: number): number {
  return Math.max(0, Math.min(at - Math.floor(room / 2), length - room));
}

function queueBody(queue: SeenQueue, { columns, rows }: Size, state: State, moment: Moment): Line[] {
  const lines = [countsLine(queue, moment)];
  const troubles = troublesOf(queue.snapshot);
  const told = rows < ROWS_FOR_TROUBLES ? 0 : rows < ROWS_FOR_ALL ? 1 : MOST_TROUBLES;
  for (const { sentence } of troubles.slice(0, told)) lines.push([span(`! ${safe(sentence)}`, 'warning')]);
  const sections = sectionTables(queue, rowsOf(queue, state.filters.queue, moment.nowMs), moment.nowMs);
  const room = rows - lines.length;
  const heights = shares(sections, state, room);
  if (heights === undefined) return [...lines, ...oneSection(sections, state, columns, room)];
  sections.forEach((section, index) => {
    lines.push(...sectionLines(section, heights[index] ?? 1, state, columns, Number.isFinite(rows)));
  });
  return lines;
}

const ROWS_FOR_TROUBLES = 12;
const ROWS_FOR_ALL = 35;
const MOST_TROUBLES = 3;

function countsLine({ snapshot, rates }: SeenQueue, { nowMs }: Moment): Line {
  const { counts, oldestMs } = snapshot;
  const parts = (['delayed', 'held', 'gap'] as const)
    .filter((kind) => counts[kind] > 0)
    .map((kind) => (kind === 'gap' ? `${counts.gap} behind a gap` : `${counts[kind]} ${kind}`));
  const failed = failedOf(snapshot);
  const spans = [
    span(`${counts.waiting} waiting${parts.length === 0 ? '' : ` (${parts.join(', ')})`}, `),
    span(`${counts.running} running, `),
    span(`${failed} failed`, failed > 0 ? 'bad' : 'plain'),
  ];
  if (oldestMs !== undefined) spans.push(span(`, oldest ${formatSpan(nowMs - oldestMs)}`));
  if (rates.tenSeconds !== undefined) {
    spans.push(span(`, ${rateWord(rates.tenSeconds)} jobs/s (1m: ${rateWord(rates.minute)})`));
  }
  return spans;
}

/** A title, a head and two rows: with less a list does not say much. */
const LEAST_LINES = 4;

/** How many lines each list gets; undefined when there is room for only one. */
function shares(sections: readonly SectionTable[], state: State, room: number): number[] | undefined {
  const wanted = sections.map(({ keys }) => (keys.length === 0 ? 1 : keys.length + 2));
  const heights = wanted.map((lines) => Math.min(lines, LEAST_LINES));
  const focus = sections.findIndex(({ section }) => section === state.section);
  let left = room - heights.reduce((sum, height) => sum + height, 0);
  if (left < 0) return undefined;
  for (const index of [focus, ...sections.keys()]) {
    const more = Math.min(left, (wanted[index] ?? 0) - (heights[index] ?? 0));
    heights[index] = (heights[index] ?? 0) + more;
    left -= more;
  }
  return heights;
}

function sectionLines(
  section: SectionTable,
  height: number,
  state: State,
  columns: number,
  onScreen: boolean,
): Line[] {
  const { title, total, keys } = section;
  const focused = onScreen && section.section === state.section;
  const { rows, from, lines } = windowOf(section, height - 2, state, columns, focused);
  const part = rows < keys.length ? `  ${from + 1}-${from + rows} of ${keys.length}` : '';
  const name = ` ${title} ${total} `;
  const line = [span(name, focused ? 'bar' : 'bold'), span(part, 'faint')];
  return keys.length === 0 ? [line] : [line, ...lines];
}

/** A line with the titles of all, and below it the one that is chosen. */
function oneSection(sections: readonly SectionTable[], state: State, columns: number, room: number): Line[] {
  const narrow = columns < COLUMNS_FOR_TITLES;
  const tabs = sections.flatMap(({ section, title, short, total }): Span[] => [
    span(
      `${narrow ? '' : ' '}${narrow ? short : title} ${total}${narrow ? '' : ' '}`,
      section === state.section ? 'bar' : 'bold',
    ),
    span(' '),
  ]);
  const section = sections.find((one) => one.section === state.section);
  if (section === undefined) return [tabs];
  if (section.keys.length === 0) return [tabs, [span('  none', 'faint')]];
  return [tabs, ...windowOf(section, room - 2, state, columns, true).lines];
}

const COLUMNS_FOR_TITLES = 64;

type Window = { readonly from: number; readonly rows: number; readonly lines: readonly Line[] };

function windowOf(
  section: SectionTable,
  room: number,
  state: State,
  columns: number,
  focused: boolean,
): Window {
  const { keys } = section;
  const at = placeOf(state.choices[section.section], keys);
  const from = focused ? firstShown(at, keys.length, room) : 0;
  const rows = Math.max(0, Math.min(room, keys.length - from));
  const table = section.lines(from, rows, columns, focused ? at : undefined);
  return { from, rows, lines: [table.head, ...table.rows] };
}

function footLine(picture: Picture, state: State, columns: number): Line {
  if (state.question !== undefined) return [span(`${safe(state.question.text)} (y/n)`, 'bold')];
  if (state.typing) return [span(`/${safe(filterOf(state))}`, 'bold'), span('_', 'bold')];
  if (state.notice !== undefined) return [span(safe(state.notice), 'bold')];
  if (picture.problem !== undefined) return [span(safe(picture.problem), 'bad')];
  const keys = state.help
    ? 'any key: back   q quit'
    : state.queue === undefined
      ? 'q quit  ? help  Enter open  / filter  p pause  ↑↓ choose'
      : 'q quit  ? help  Esc back  Tab list  / filter  p pause  r retry  ↑↓ choose';
  return cutLine([span(keys, 'faint')], columns);
}

const HELP: readonly string[] = [
  '',
  'j k ↑ ↓ PgUp PgDn g G   choose a row',
  'Enter  Esc              into the queue, and back',
  'Tab ← → 1..5            another list of the queue',
  '/                       show only what contains this text; Esc clears it',
  'p                       pause the queue, or let jobs start again; asks first',
  'r                       run a failed job again; asks first',
  'Space                   look again now',
  'Ctrl-L  Ctrl-Z  q       draw anew, suspend, quit',
  '',
  'J/S: jobs a second that came to their end, in the last 10 seconds and minute;',
  'one that comes and goes between two looks is not seen.',
];
