/** Timestamps as RFC 3339 text, whole seconds; years beyond 0 to 9999 with their sign. */

import type { Clock, Timestamp } from './ports.ts';

const MS_PER_SECOND = 1000;
const NANOS_PER_SECOND = 1_000_000_000;

/** `2026-11-21T07:58:13Z` */
export function formatUtc(at: Timestamp): string {
  return `${civil(at, 0)}Z`;
}

/** `2026-11-21T08:58:13+01:00`, for a local time `offsetSeconds` ahead of UTC. */
export function formatLocal(at: Timestamp, offsetSeconds: number): string {
  const sign = offsetSeconds < 0 ? '-' : '+';
  const minutes = Math.floor(Math.abs(offsetSeconds) / 60);
  return `${civil(at, offsetSeconds)}${sign}${digits(Math.floor(minutes / 60), 2)}:${digits(minutes % 60, 2)}`;
}

/** `Sat Nov 21 08:58:13 2026`, as ctime(3) says it. */
export function formatCtime(at: Timestamp, offsetSeconds: number): string {
  const date = new Date((Number(at.seconds) + offsetSeconds) * MS_PER_SECOND);
  const day = WEEKDAYS[date.getUTCDay()];
  const month = MONTHS[date.getUTCMonth()];
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map((part) =>
    digits(part, 2),
  );
  return `${day} ${month} ${String(date.getUTCDate()).padStart(2)} ${time.join(':')} ${date.getUTCFullYear()}`;
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `2026-11-21T07:58:13.123Z`, for milliseconds since 1970. */
export function formatMs(ms: number): string {
  return new Date(ms).toISOString();
}

/** Milliseconds since 1970 of an RFC 3339 time; undefined when it is not one. */
export function parseTime(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

/** A time as a clock on the wall says it. */
export type LocalTime = {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  /** From 1. */
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
};

/** Whether there is such a day and such a time of day. */
export function isLocalTime({ year, month, day, hour, minute, second }: LocalTime): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  const isDay = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isDay && hour < 24 && minute < 60 && second < 60;
}

/**
 * Milliseconds since 1970. Of a time that the clocks skip when they are put forward, the same time before or after;
 * of one that they show twice, either.
 */
export function localToMs(at: LocalTime, clock: Pick<Clock, 'utcOffsetSeconds'>): number {
  const asUtc = Date.UTC(at.year, at.month - 1, at.day, at.hour, at.minute, at.second);
  let ms = asUtc;
  // The offset is that of the time we look for: the first answer may be of the other side of a change.
  for (let turn = 0; turn < 2; turn++) {
    ms = asUtc - clock.utcOffsetSeconds(fromMs(ms)) * MS_PER_SECOND;
  }
  return ms;
}

/** The day that it is now, `daysOn` days on. */
export function localDay(
  now: Timestamp,
  clock: Pick<Clock, 'utcOffsetSeconds'>,
  daysOn: number,
): Pick<LocalTime, 'year' | 'month' | 'day'> {
  const date = new Date(toMs(now) + clock.utcOffsetSeconds(now) * MS_PER_SECOND);
  date.setUTCDate(date.getUTCDate() + daysOn);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

export function fromMs(ms: number): Timestamp {
  const seconds = Math.floor(ms / MS_PER_SECOND);
  return { seconds: BigInt(seconds), nanos: Math.round(ms - seconds * MS_PER_SECOND) * 1_000_000 };
}

export function toDate(ms: number): Date {
  return new Date(ms);
}

/** Whole milliseconds since 1970. */
export function toMs(at: Timestamp): number {
  return Number(at.seconds) * MS_PER_SECOND + Math.floor(at.nanos / 1_000_000);
}

function civil(at: Timestamp, offsetSeconds: number): string {
  // Written as the 60th second of a minute.
  const leap = at.nanos >= NANOS_PER_SECOND ? 1 : 0;
  const date = new Date((Number(at.seconds) + offsetSeconds) * MS_PER_SECOND);
  const year = date.getUTCFullYear();
  const sign = year < 0 ? '-' : year > 9999 ? '+' : '';
  const month = date.getUTCMonth() + 1;
  const day = `${sign}${digits(Math.abs(year), 4)}-${digits(month, 2)}-${digits(date.getUTCDate(), 2)}`;
  const hours = digits(date.getUTCHours(), 2);
  return `${day}T${hours}:${digits(date.getUTCMinutes(), 2)}:${digits(date.getUTCSeconds() + leap, 2)}`;
}

function digits(number: number, width: number): string {
  return String(number).padStart(width, '0');
}
