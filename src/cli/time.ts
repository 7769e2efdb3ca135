/** Spans and moments as people write them. */

import { isLocalTime, type LocalTime, localDay, localToMs, parseTime, toMs } from '../os/calendar.ts';
import type { Machine } from '../os/ports.ts';
import { A_SPAN, parseSpan } from '../os/span.ts';
import type { Parse } from './command.ts';

/** Milliseconds: `10s`, `5m`, `1h30m`, `1.5h`. */
export const span: Parse<number> = (text) => {
  const value = parseSpan(text);
  return value === undefined ? { expected: A_SPAN } : { value };
};

/** A moment, before it is known what time it is now and where. */
export type Moment =
  | { readonly kind: 'instant'; readonly ms: number }
  | { readonly kind: 'from-now'; readonly ms: number }
  | { readonly kind: 'local'; readonly at: LocalTime }
  /** The next time that the clock shows this. */
  | { readonly kind: 'time-of-day'; readonly at: Pick<LocalTime, 'hour' | 'minute' | 'second'> };

/** `18:30`, `2026-12-24`, `2026-12-24 18:30`, RFC 3339, and spans from now. */
export const moment: Parse<Moment> = (text) => {
  const ms = parseTime(text);
  if (ms !== undefined) return { value: { kind: 'instant', ms } };
  const fromNow = span(text);
  if ('value' in fromNow) return { value: { kind: 'from-now', ms: fromNow.value } };
  const [, date, clock] = /^(\d{4}-\d\d-\d\d)?(?:(?:^|[T ])(\d?\d:\d\d(?::\d\d)?))?$/.exec(text) ?? [];
  const [year = 1970, month = 1, day = 1] = (date ?? '1970-01-01').split('-').map(Number);
  const [hour = 0, minute = 0, second = 0] = (clock ?? '0:0').split(':').map(Number);
  const at = { year, month, day, hour, minute, second };
  if ((date === undefined && clock === undefined) || !isLocalTime(at)) {
    return { expected: 'a time such as 18:30, "2026-12-24 18:30", 2026-12-24T18:30:00Z, or 2h from now' };
  }
  return { value: date === undefined ? { kind: 'time-of-day', at } : { kind: 'local', at } };
};

/** Milliseconds since 1970. */
export function momentMs({ clock }: Machine, at: Moment): number {
  const now = clock.now();
  switch (at.kind) {
    case 'instant':
      return at.ms;
    case 'from-now':
      return toMs(now) + at.ms;
    case 'local':
      return localToMs(at.at, clock);
    case 'time-of-day': {
      const on = (daysOn: number) => localToMs({ ...localDay(now, clock, daysOn), ...timeOf(at.at) }, clock);
      const today = on(0);
      return today > toMs(now) ? today : on(1);
    }
  }
}

function timeOf({ hour, minute, second }: Pick<LocalTime, 'hour' | 'minute' | 'second'>) {
  return { hour, minute, second };
}
