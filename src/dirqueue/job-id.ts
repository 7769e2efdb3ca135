/**
 * The name of a control file, which is the job's id: `PP.YYYYMMDDhhmmssuuuuuu.HASH`. PP is the priority, 00 first; the time
 * is when it was submitted, in UTC, to the microsecond; sorted by name, jobs are in the order of service. HASH keeps two
 * submitters of one microsecond apart. The data file is named like the job without its last two characters, and those
 * two are the directories it is in: data/X/Y/.
 */

import { encodeBytes } from '../os/bytes.ts';
import { formatMs } from '../os/calendar.ts';
import type { Host, Random, Timestamp } from '../os/ports.ts';
import { crc32 } from '../packet/crc32.ts';
import { FANOUT } from './layout.ts';

export const DEFAULT_PRIORITY = 50;
export const LAST_PRIORITY = 99;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+_';
const BITS = 6;
const RANDOM_CHARACTERS = 3;

/** Microseconds since 1970. */
export type Micros = bigint;

export function microsOf({ seconds, nanos }: Timestamp): Micros {
  return seconds * 1_000_000n + BigInt(Math.floor(nanos / 1000));
}

export function fromMicros(micros: Micros): Timestamp {
  const part = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  return { seconds: (micros - part) / 1_000_000n, nanos: Number(part) * 1000 };
}

/** As good as surely nobody else's. */
export function newJobId(
  { random, host }: { readonly random: Random; readonly host: Pick<Host, 'name' | 'pid'> },
  priority: number,
  micros: Micros,
): string {
  const { seconds, nanos } = fromMicros(micros);
  const time = formatMs(Number(seconds) * 1000)
    .replace(/\D/g, '')
    .slice(0, 'YYYYMMDDhhmmss'.length);
  const part = String(nanos / 1000).padStart(6, '0');
  const own = Number.parseInt(random.uuid().slice(0, 8), 16);
  return `${String(priority).padStart(2, '0')}.${time}${part}.${characters(own, RANDOM_CHARACTERS)}${shardOf(host)}`;
}

/** For an id that is taken after all, as the format asks. */
export function otherJobId(
  id: string,
  { random, host }: { readonly random: Random; readonly host: Host },
): string {
  return `${id}.${host.pid}.${Number.parseInt(random.uuid().slice(0, 8), 16)}`;
}

/** One for each process: so its data files are in one directory, which it makes and syncs once. */
function shardOf({ name, pid }: Pick<Host, 'name' | 'pid'>): string {
  return characters(crc32(encodeBytes(`${name} ${pid}`)), 2);
}

function characters(number: number, count: number): string {
  let text = '';
  for (let at = 0; at < count; at++) text += ALPHABET[(number >>> (at * BITS)) & (2 ** BITS - 1)] ?? '';
  return text;
}

export type DataPlace = { readonly x: string; readonly y: string; readonly name: string };

export function dataPlaceOf(id: string): DataPlace {
  return { x: id.slice(-2, -1), y: id.slice(-1), name: id.slice(0, -2) };
}

/** The job whose data file was made there. */
export function idOfPlace({ x, y, name }: DataPlace): string {
  return `${name}${x}${y}`;
}

/** The directory of queue/ that a job is in where there is fan-out: any will do, but always the same. */
export function fanoutOf(id: string): string {
  return FANOUT[crc32(encodeBytes(id)) % FANOUT.length] ?? '0';
}

/** What a job's name says of it, as far as it is a name as the format makes them. */
export function parseJobId(id: string): { readonly priority?: number; readonly addedMs?: number } {
  const match = /^(\d\d)\.(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{6})\./.exec(id);
  if (match === null) return {};
  const [, priority, year, month, day, hour, minute, second, micros] = match;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(ms)) return { priority: Number(priority) };
  return { priority: Number(priority), addedMs: ms + Math.floor(Number(micros) / 1000) };
}

/** Sorted so, jobs are in the order of service. Code units order these names as bytes do, but for odd ones. */
export function byService(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
