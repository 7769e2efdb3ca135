/** Timestamps as RFC 3339 text, whole seconds. Good from the year 0 to 9999. */

import type { Timestamp } from './ports.ts';

const MS_PER_SECOND = 1000;
const SECONDS_PER_MINUTE = 60;

/** `2026-11-21T07:58:13Z` */
export function formatUtc(at: Timestamp): string {
  return `${civil(Number(at.seconds))}Z`;
}

/** `2026-11-21T08:58:13+01:00`, for a local time `offsetMinutes` ahead of UTC. */
export function formatLocal(at: Timestamp, offsetMinutes: number): string {
  const sign = offsetMinutes < 0 ? '-' : '+';
  const minutes = Math.abs(offsetMinutes);
  const offset = `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  return `${civil(Number(at.seconds) + offsetMinutes * SECONDS_PER_MINUTE)}${sign}${offset}`;
}

function civil(seconds: number): string {
  return new Date(seconds * MS_PER_SECOND).toISOString().slice(0, -'.000Z'.length);
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
