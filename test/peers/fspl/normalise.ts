// What two good programs may do differently (random names, the time of day) becomes a placeholder. Only text of
// exactly the expected format is replaced, and only times within the run, so that a wrong format still shows.
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { readPacket } from './packet.ts';

/** A zone with an odd offset and no summer time, so that the local offset is known and stays visible. */
export const TIME_ZONE = 'Asia/Kathmandu';
const TIME_ZONE_OFFSET = '+05:45';
const SHOWN_BYTES = 8_000;
export const SHOWN_OUTPUT_BYTES = 100_000;

export type Window = { readonly startSeconds: number; readonly endSeconds: number };
export type Numbering = (text: string) => string;

/** Bytes as text that is the same only for the same bytes: what is not printable UTF-8 is escaped. */
export function bytesToText(bytes: Buffer, shownBytes = SHOWN_BYTES): string {
  if (bytes.length > shownBytes) {
    const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
    return `${bytes.length} bytes, sha256 ${digest}`;
  }
  const decoded = bytes.toString('utf8');
  const isText = Buffer.from(decoded).equals(bytes);
  const source = isText ? decoded : bytes.toString('latin1');
  let out = '';
  for (const char of source) {
    const code = char.codePointAt(0) ?? 0;
    const plain = (code >= 32 && code < 127) || code === 10 || (isText && code > 160);
    if (char === '\\') out += '\\\\';
    else if (plain) out += char;
    else out += `\\x${code.toString(16).padStart(2, '0')}`;
  }
  return out;
}

const UUID = /\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b/g;

/** Random names become numbers, in the order in which they are first met. */
export function createNumbering(): Numbering {
  const seen = new Map<string, number>();
  return (text) =>
    text.replace(UUID, (uuid) => {
      const number = seen.get(uuid) ?? seen.size + 1;
      seen.set(uuid, number);
      return `<uuid ${number}>`;
    });
}

export const withoutNames = (text: string): string => text.replace(UUID, '<uuid>');

/** Times of this run become placeholders; all other times stay. */
export function withoutTimes(text: string, window: Window): string {
  const isNow = (seconds: number) => seconds >= window.startSeconds && seconds <= window.endSeconds;
  const timed = text.replace(
    /\b(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(Z|[+-]\d\d:\d\d)(?!\d)/g,
    (all, clock: string, offset: string) => {
      if (offset !== 'Z' && offset !== TIME_ZONE_OFFSET) return all;
      return isNow(Date.parse(`${clock}${offset}`) / 1000) ? `<time of the run>${offset}` : all;
    },
  );
  const isRun = /^FSPL_CTIME_SECS=(\d{10})$/m.exec(timed);
  if (!isRun || !isNow(Number(isRun[1]))) return timed;
  return timed
    .replace(/^FSPL_CTIME_SECS=(\d{10})$/gm, (all, secs: string) =>
      isNow(Number(secs)) ? 'FSPL_CTIME_SECS=<run>' : all,
    )
    .replace(/^FSPL_CTIME_NANOS=(0|[1-9]\d{0,8})$/gm, 'FSPL_CTIME_NANOS=<run>');
}

/** The content of a file, with packets and compressed packets taken apart. */
export function describeContent(bytes: Buffer, window: Window): string {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return `gzip of ${describeContent(gunzip(bytes), window)}`;
  const packet = readPacket(bytes);
  if (!packet) return withoutTimes(bytesToText(bytes), window);
  const seconds = Number(packet.seconds);
  const isNow = seconds >= window.startSeconds && seconds <= window.endSeconds;
  const ctime =
    isNow && packet.nanoseconds < 1_000_000_000n ? 'run' : `${packet.seconds}.${packet.nanoseconds}`;
  const meta = bytesToText(packet.rest);
  return `packet ${packet.seq}, created ${ctime}, ${meta}, payload ${bytesToText(packet.payload)}`;
}

function gunzip(bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes);
  } catch {
    return Buffer.from(`damaged: ${bytes.toString('hex')}`);
  }
}
