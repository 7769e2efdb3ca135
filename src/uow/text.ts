/**
 * A unit of work as text: what its file says, and at which byte.
 *
 *     timestamp: 1795224618 enqueued       when it was put into the queue; `1795224618-2`, the third of that second
 *     ==== UNIT OF WORK
 *     NAME :: CONTENT                      one item a line
 *     ==== STATUS
 *     one line
 *     ==== JOB LOG
 *     to the end of the file, whatever it looks like
 *
 * Blank lines are ignored, and so are spaces around what is said. Only the header must be there.
 *
 * A file that is ready to run has its STATUS in a slot: one line that is filled up with spaces, so that another status can
 * be written over it while a job writes to the end of the file and people follow it with `tail -f`.
 */

import { concatBytes, decodeBytes, encodeBytes } from '../os/bytes.ts';

export type Stamp = {
  /** Since 1970. */
  readonly seconds: number;
  /** From 0: of several in one second. */
  readonly ordinal: number;
};

export type Unit = {
  readonly stamp: Stamp | undefined;
  /** In their order. */
  readonly items: ReadonlyMap<string, string>;
  /** `''` when there is none. */
  readonly status: string;
  /** Where the status can be written over; undefined when there is no room for that. */
  readonly slot: Slot | undefined;
  /** The header, its title included, in bytes. */
  readonly header: { readonly from: number; readonly to: number };
  /** The first byte of the log; undefined when that section is missing. */
  readonly logAt: number | undefined;
};

export type Slot = { readonly at: number; readonly bytes: number };

export type Parsed =
  | { readonly kind: 'unit'; readonly unit: Unit }
  /** What is wrong, without the path, without a full stop. */
  | { readonly kind: 'invalid'; readonly reason: string };

/** All that stands before the log has to fit. */
export const HEAD_LIMIT_BYTES = 1024 * 1024;
/** Room for a status. */
export const SLOT_BYTES = 160;

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = '\ufeff';
const TITLE = /^====\s*(.*)$/;
const STAMP = /^timestamp:\s*(\d{1,12})(?:-(\d{1,6}))?\s+enqueued$/i;

const SECTIONS = ['UNIT OF WORK', 'STATUS', 'JOB LOG'] as const;
type Section = (typeof SECTIONS)[number];

/** Reads the first bytes of a file: all of them, or at least as far as the title of the log. */
export function parseUnit(head: Uint8Array): Parsed {
  const state = newState();
  for (const line of linesOf(head)) {
    const wrong = takeLine(state, line);
    if (wrong !== undefined) return { kind: 'invalid', reason: `line ${line.number}: ${wrong}` };
    if (state.logAt !== undefined) break;
  }
  if (state.section === undefined) {
    return { kind: 'invalid', reason: 'it has no line `==== UNIT OF WORK`' };
  }
  const { stamp, items, status, slot, headerFrom, logAt } = state;
  const to = state.headerTo ?? head.length;
  return { kind: 'unit', unit: { stamp, items, status, slot, header: { from: headerFrom, to }, logAt } };
}

/** Where the log begins in what was read of a file so far, or whether more has to be read to know. */
export function hasLogTitle(head: Uint8Array): boolean {
  for (const { text, complete } of linesOf(head)) {
    if (complete && TITLE.exec(text)?.[1]?.toUpperCase() === 'JOB LOG') return true;
  }
  return false;
}

/** All that stands before the log, with a timestamp and a slot; the header stays as it was written. */
export function frontOf(head: Uint8Array, unit: Unit, stamp: Stamp, status: string): Uint8Array {
  const header = head.subarray(unit.header.from, unit.header.to);
  const broken = header.at(-1) === NEWLINE ? '' : '\n';
  const title = unit.logAt === undefined ? '\n' : '';
  return concatBytes([
    encodeBytes(`timestamp: ${formatStamp(stamp)} enqueued\n${unit.stamp === undefined ? '\n' : ''}`),
    header,
    encodeBytes(`${broken}${endsBlank(header) ? '' : '\n'}==== STATUS\n`),
    statusBytes(status, SLOT_BYTES),
    encodeBytes(`\n\n==== JOB LOG\n${title}`),
  ]);
}

/** A status as it fills a slot, cut where it is too long for it. */
export function statusBytes(status: string, room: number): Uint8Array {
  const filled = new Uint8Array(room).fill(0x20);
  let text = status.replace(/[\r\n]+/g, ' ');
  let bytes = encodeBytes(text);
  while (bytes.length > room) {
    text = Array.from(text).slice(0, -1).join('');
    bytes = encodeBytes(text);
  }
  filled.set(bytes);
  return filled;
}

export function formatStamp({ seconds, ordinal }: Stamp): string {
  return ordinal === 0 ? `${seconds}` : `${seconds}-${ordinal}`;
}

/** Orders by time, then by ordinal. */
export function compareStamps(a: Stamp, b: Stamp): number {
  return a.seconds - b.seconds || a.ordinal - b.ordinal;
}

type State = {
  section: Section | undefined;
  stamp: Stamp | undefined;
  readonly items: Map<string, string>;
  status: string;
  slot: Slot | undefined;
  headerFrom: number;
  headerTo: number | undefined;
  logAt: number | undefined;
};

function newState(): State {
  return {
    section: undefined,
    stamp: undefined,
    items: new Map(),
    status: '',
    slot: undefined,
    headerFrom: 0,
    headerTo: undefined,
    logAt: undefined,
  };
}

type Line = {
  readonly number: number;
  readonly at: number;
  /** The first byte of the line after it. */
  readonly next: number;
  readonly text: string;
  /** It has its newline. */
  readonly complete: boolean;
};

function* linesOf(bytes: Uint8Array): Generator<Line> {
  for (let at = 0, number = 1; at < bytes.length; number++) {
    const found = bytes.indexOf(NEWLINE, at);
    const end = found < 0 ? bytes.length : found;
    const next = found < 0 ? end : end + 1;
    const raw = decodeBytes(bytes.subarray(at, end));
    const text = (at === 0 && raw.startsWith(BYTE_ORDER_MARK) ? raw.slice(1) : raw).trim();
    yield { number, at, next, text, complete: found >= 0 };
    at = next;
  }
}

/** What is wrong with it, or undefined when it was noted. */
function takeLine(state: State, line: Line): string | undefined {
  const { text, at, next, number } = line;
  if (text.includes('\0')) return 'it is not text, or not UTF-8: it has NUL bytes';
  const title = TITLE.exec(text)?.[1]?.toUpperCase();
  if (title !== undefined) return takeTitle(state, title, line);
  if (state.section === 'STATUS' && state.slot === undefined && state.status === '' && isSlot(line)) {
    state.slot = { at, bytes: next - at - 1 };
  }
  if (text === '') return undefined;
  switch (state.section) {
    case undefined: {
      const [, seconds, ordinal = '0'] = STAMP.exec(text) ?? [];
      if (number !== 1 || seconds === undefined) {
        return 'Expected `timestamp: SECONDS enqueued` on the first line, or `==== UNIT OF WORK`';
      }
      state.stamp = { seconds: Number(seconds), ordinal: Number(ordinal) };
      return undefined;
    }
    case 'UNIT OF WORK': {
      const item = splitItem(text);
      if (item === undefined) return 'Expected `NAME :: CONTENT`';
      if (state.items.has(item.name)) return `"${item.name}" is there twice`;
      state.items.set(item.name, item.content);
      return undefined;
    }
    default:
      if (state.status !== '') return 'STATUS has one line; this is a second one';
      state.status = text;
      if (state.slot?.at !== at) state.slot = undefined;
      return undefined;
  }
}

/** `NAME :: CONTENT`. Undefined when it is none. */
export function splitItem(line: string): { readonly name: string; readonly content: string } | undefined {
  const split = line.indexOf('::');
  const name = line.slice(0, Math.max(split, 0)).trim();
  return name === '' ? undefined : { name, content: line.slice(split + '::'.length).trim() };
}

function takeTitle(state: State, title: string, { at, next, complete }: Line): string | undefined {
  const found = SECTIONS.indexOf(title as Section);
  if (found < 0) return `there is no section "${title}"; there are ${SECTIONS.join(', ')}`;
  const before = state.section === undefined ? -1 : SECTIONS.indexOf(state.section);
  if (before < 0 && found > 0) return 'the section UNIT OF WORK comes first';
  if (found <= before) return `the section ${title} is there twice, or too late`;
  if (found === 0) state.headerFrom = at;
  else state.headerTo ??= at;
  if (title === 'JOB LOG') state.logAt = complete ? next : undefined;
  state.section = title as Section;
  return undefined;
}

/** A line that has room for any status; one of Windows' is not, for its end would be written over. */
function isSlot({ at, next, complete }: Line): boolean {
  return complete && next - at - 1 >= SLOT_BYTES;
}

function endsBlank(header: Uint8Array): boolean {
  return header.length === 0 || /\n[ \t\r]*\n$/.test(decodeBytes(header.subarray(-8)));
}
