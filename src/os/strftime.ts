/** Local times in the formats of strftime(3) and strptime(3): those directives that a name or a log would use. */

import { isLocalTime, type LocalTime, localToMs } from './calendar.ts';
import type { Clock, Timestamp } from './ports.ts';

const MS_PER_SECOND = 1000;
const MS_PER_DAY = 86_400_000;
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
/** The C locale's, as those that are written into names are. */
const SHORT_DAYS = DAYS.map((day) => day.slice(0, 3));
const SHORT_MONTHS = MONTHS.map((month) => month.slice(0, 3));
const HALVES = ['AM', 'PM'];

/** A moment as a clock on the wall shows it, and where that clock is. */
type Shown = LocalTime & {
  readonly epochSeconds: bigint;
  readonly micros: number;
  /** From Sunday, 0. */
  readonly weekday: number;
  /** From 1. */
  readonly dayOfYear: number;
  readonly offsetSeconds: number;
};

/** What is read of a text: any of these, and what a date lacks is as strptime(3) in Python has it. */
type Read = LocalTime & {
  readonly dayOfYear?: number;
  readonly isAfternoon?: boolean;
  readonly epochSeconds?: number;
  readonly offsetSeconds?: number;
};

type Directive = {
  readonly write: (at: Shown) => string;
  readonly pattern: string;
  readonly read: (text: string) => Partial<Read>;
};

const digits = (number: number, width: number) => String(number).padStart(width, '0');

const number = (
  width: number,
  write: (at: Shown) => number,
  read: (value: number) => Partial<Read>,
): Directive => ({
  write: (at) => digits(write(at), width),
  pattern: `\\d{${width}}`,
  read: (text) => read(Number(text)),
});

const word = (
  words: readonly string[],
  write: (at: Shown) => number,
  read: (index: number) => Partial<Read>,
): Directive => ({
  write: (at) => words[write(at)] ?? '',
  pattern: words.join('|'),
  read: (text) => read(words.indexOf(text)),
});

const ignore = () => ({});

const DIRECTIVES: Readonly<Record<string, Directive>> = {
  Y: number(
    4,
    (at) => at.year,
    (value) => ({ year: value }),
  ),
  // POSIX: 69 to 99 are of the last century.
  y: number(
    2,
    (at) => at.year % 100,
    (value) => ({ year: value + (value < 69 ? 2000 : 1900) }),
  ),
  m: number(
    2,
    (at) => at.month,
    (value) => ({ month: value }),
  ),
  d: number(
    2,
    (at) => at.day,
    (value) => ({ day: value }),
  ),
  H: number(
    2,
    (at) => at.hour,
    (value) => ({ hour: value }),
  ),
  I: number(
    2,
    (at) => at.hour % 12 || 12,
    (value) => ({ hour: value % 12 }),
  ),
  M: number(
    2,
    (at) => at.minute,
    (value) => ({ minute: value }),
  ),
  S: number(
    2,
    (at) => at.second,
    (value) => ({ second: value }),
  ),
  f: number(6, (at) => at.micros, ignore),
  w: number(1, (at) => at.weekday, ignore),
  j: number(
    3,
    (at) => at.dayOfYear,
    (value) => ({ dayOfYear: value }),
  ),
  a: word(SHORT_DAYS, (at) => at.weekday, ignore),
  A: word(DAYS, (at) => at.weekday, ignore),
  b: word(
    SHORT_MONTHS,
    (at) => at.month - 1,
    (index) => ({ month: index + 1 }),
  ),
  B: word(
    MONTHS,
    (at) => at.month - 1,
    (index) => ({ month: index + 1 }),
  ),
  p: word(
    HALVES,
    (at) => (at.hour < 12 ? 0 : 1),
    (index) => ({ isAfternoon: index === 1 }),
  ),
  s: {
    write: (at) => String(at.epochSeconds),
    pattern: '\\d{1,12}',
    read: (text) => ({ epochSeconds: Number(text) }),
  },
  z: {
    write: ({ offsetSeconds }) => {
      const minutes = Math.floor(Math.abs(offsetSeconds) / 60);
      return `${offsetSeconds < 0 ? '-' : '+'}${digits(Math.floor(minutes / 60), 2)}${digits(minutes % 60, 2)}`;
    },
    pattern: '[+-]\\d{4}',
    read: (text) => {
      const seconds = Number(text.slice(1, 3)) * 3600 + Number(text.slice(3)) * 60;
      return { offsetSeconds: text.startsWith('-') ? -seconds : seconds };
    },
  },
};

const NOTHING_READ: Read = { year: 1900, month: 1, day: 1, hour: 0, minute: 0, second: 0 };

export type TimeFormat = {
  readonly format: string;
  write(at: Timestamp, clock: Pick<Clock, 'utcOffsetSeconds'>): string;
  /** Milliseconds since 1970, to the second; undefined when it is no time in this format. */
  read(text: string, clock: Pick<Clock, 'utcOffsetSeconds'>): number | undefined;
};

/** Undefined for a format with a directive that is not known here. */
export function timeFormat(format: string): TimeFormat | undefined {
  const parts = partsOf(format);
  if (parts === undefined) return undefined;
  const pattern = parts.map((part) => (typeof part === 'string' ? quoted(part) : `(${part.pattern})`));
  const whole = new RegExp(`^${pattern.join('')}$`, 'u');
  const directives = parts.filter((part) => typeof part !== 'string');
  const readAnew = (text: string, clock: Pick<Clock, 'utcOffsetSeconds'>): number | undefined => {
    const values = whole.exec(text)?.slice(1);
    if (values === undefined) return undefined;
    const read = directives.map((directive, index) => directive.read(values[index] ?? ''));
    return msOf(Object.assign({}, NOTHING_READ, ...read), clock);
  };
  // Times are read in heaps, and many of a heap are the same.
  let last: { readonly text: string; readonly clock: unknown; readonly ms: number | undefined } | undefined;
  return {
    format,
    write: (at, clock) => {
      const shown = shownAt(at, clock);
      return parts.map((part) => (typeof part === 'string' ? part : part.write(shown))).join('');
    },
    read: (text, clock) => {
      if (last?.text !== text || last.clock !== clock) last = { text, clock, ms: readAnew(text, clock) };
      return last.ms;
    },
  };
}

function partsOf(format: string): (string | Directive)[] | undefined {
  const parts: (string | Directive)[] = [];
  for (const piece of format.match(/%.|[^%]+|%$/gsu) ?? []) {
    const letter = piece[1] ?? '';
    if (!piece.startsWith('%')) parts.push(piece);
    else if (letter === '%') parts.push('%');
    else if (Object.hasOwn(DIRECTIVES, letter)) parts.push(DIRECTIVES[letter] as Directive);
    else return undefined;
  }
  return parts;
}

function quoted(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

function shownAt(at: Timestamp, clock: Pick<Clock, 'utcOffsetSeconds'>): Shown {
  const offsetSeconds = clock.utcOffsetSeconds(at);
  const date = new Date((Number(at.seconds) + offsetSeconds) * MS_PER_SECOND);
  const year = date.getUTCFullYear();
  return {
    year,
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    weekday: date.getUTCDay(),
    dayOfYear: 1 + Math.floor((date.getTime() - Date.UTC(year, 0, 1)) / MS_PER_DAY),
    epochSeconds: at.seconds,
    micros: Math.floor((at.nanos % 1_000_000_000) / 1000),
    offsetSeconds,
  };
}

function msOf(read: Read, clock: Pick<Clock, 'utcOffsetSeconds'>): number | undefined {
  if (read.epochSeconds !== undefined) return read.epochSeconds * MS_PER_SECOND;
  const hour = read.isAfternoon === true && read.hour < 12 ? read.hour + 12 : read.hour;
  const at = { ...read, ...dayOf(read), hour };
  // A leap second is the first of the next minute, as elsewhere.
  const leap = at.second === 60 ? 1 : 0;
  const local = { ...at, second: at.second - leap };
  if (!isLocalTime(local)) return undefined;
  const { offsetSeconds } = read;
  const own = offsetSeconds === undefined ? clock : { utcOffsetSeconds: () => offsetSeconds };
  return localToMs(local, own) + leap * MS_PER_SECOND;
}

function dayOf({ year, dayOfYear }: Read): Partial<LocalTime> {
  if (dayOfYear === undefined) return {};
  const date = new Date(Date.UTC(year, 0, dayOfYear));
  return { month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}
