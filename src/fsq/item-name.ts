/**
 * Names of items, as the standard has them:
 *
 *     _20131005205643_0_25577_mss_0_args_to_enqueue
 *     | time          | pid   | | arguments
 *     delimiter       entropy | tries
 *                         host
 *
 * The first character parts the fields. It, the encode character and '/' are written in a field as that character and
 * two hexadecimal digits. Names are handled as bytes, carried in strings (see os/bytes.ts); whether these are text in the
 * charset is asked when a name is read and when one is made. Source: `man 7 fsq`, and directories that fsq 0.2.5 made.
 */

import { concatBytes, decodeBytes, encodeBytes } from '../os/bytes.ts';
import type { Clock } from '../os/ports.ts';
import { QueueError } from '../queue/errors.ts';
import { type Charset, type Constants, hexOf } from './constants.ts';

/** What Linux file systems take. */
export const NAME_LIMIT_BYTES = 255;

/** Fields before the arguments: time, entropy, pid, host, tries. */
const FIXED_FIELDS = 5;
const TRIES_AT = 4;
const ENTROPY_AT = 1;

export type NewName = {
  readonly time: string;
  readonly entropy: number;
  readonly pid: number;
  readonly host: string;
  readonly tries: number;
  readonly args: readonly string[];
};

export type Item = {
  readonly kind: 'item';
  /** The whole name. */
  readonly name: string;
  /** The name it began with: that of no tries. It stays when the item is tried again. */
  readonly id: string;
  readonly time: string;
  /** Milliseconds since 1970. */
  readonly enqueuedMs: number;
  readonly entropy: string;
  readonly pid: string;
  readonly host: string;
  readonly tries: number;
  readonly args: readonly string[];
};

export type Malformed = {
  readonly kind: 'malformed';
  readonly name: string;
  /** What is wrong, without the name, without a full stop. */
  readonly message: string;
};

/** Throws `not-written` when no file can have that name, or nobody could be given its arguments. */
export function construct(parts: NewName, constants: Constants): string {
  const { time, entropy, pid, host, tries, args } = parts;
  const fields = [time, String(entropy), String(pid), host, String(tries), ...args];
  for (const field of fields) {
    if (field.includes('\0')) throw refused('hold a NUL, which no command can be given');
    if (!isInCharset(field, constants.charset)) {
      throw refused(`hold bytes that are not FSQ_CHARSET ${constants.charset}: ${JSON.stringify(field)}`);
    }
  }
  const { delimiter } = constants;
  const name = fields.map((field) => delimiter + encodeField(field, constants)).join('');
  const length = encodeBytes(name).length;
  if (length > NAME_LIMIT_BYTES) {
    throw refused(`make a name of ${length} bytes, and file systems take ${NAME_LIMIT_BYTES}`);
  }
  return name;
}

function refused(why: string): QueueError {
  return new QueueError('not-written', `the arguments ${why}`);
}

/** Total: any name of a file is an item's, or it says why not. */
export function deconstruct(
  name: string,
  constants: Constants,
  clock: Pick<Clock, 'utcOffsetSeconds'>,
): Item | Malformed {
  const malformed = (message: string): Malformed => ({ kind: 'malformed', name, message });
  const [delimiter, ...raw] = fieldsOf(name);
  if (raw.length < FIXED_FIELDS) {
    const fields = raw.length === 1 ? '1 field' : `${raw.length} fields`;
    return malformed(`its name has ${fields}, fewer than the ${FIXED_FIELDS} of an item`);
  }
  const decoded = raw.map((field) => decodeField(field, constants.encode));
  const damaged = decoded.indexOf(undefined);
  if (damaged >= 0) {
    return malformed(
      `field ${damaged + 1} of its name has a ${constants.encode} without two digits behind it`,
    );
  }
  const fields = decoded as string[];
  if (fields.some((field) => field.includes('\0'))) return malformed('its name holds an encoded NUL');
  if (!fields.every((field) => isInCharset(field, constants.charset))) {
    return malformed(`its name is not FSQ_CHARSET ${constants.charset}`);
  }
  const [time = '', entropy = '', pid = '', host = '', tries = '', ...args] = fields;
  if (!/^\d{1,15}$/.test(tries)) return malformed(`its tries are ${JSON.stringify(tries)}, not a number`);
  const enqueuedMs = constants.timeFormat.read(time, clock);
  if (enqueuedMs === undefined) {
    return malformed(
      `its time, ${JSON.stringify(time)}, is not in FSQ_TIMEFMT ${constants.timeFormat.format}`,
    );
  }
  const id = raw[TRIES_AT] === '0' ? name : withField(delimiter ?? '', raw, TRIES_AT, '0');
  return {
    kind: 'item',
    name,
    id,
    time,
    enqueuedMs,
    entropy,
    pid,
    host,
    tries: Number(tries),
    args,
  };
}

/** The name of the same item with as many tries; undefined when it would be too long for a file. */
export function withTries(name: string, tries: number): string | undefined {
  const [delimiter = '', ...raw] = fieldsOf(name);
  return ifShortEnough(withField(delimiter, raw, TRIES_AT, String(tries)));
}

/** A name for the same item when another has its name already; undefined as above, and for what is no item's name. */
export function withEntropy(name: string, entropy: number): string | undefined {
  const [delimiter = '', ...raw] = fieldsOf(name);
  if (raw.length < FIXED_FIELDS) return undefined;
  return ifShortEnough(withField(delimiter, raw, ENTROPY_AT, String(entropy)));
}

export function ifShortEnough(name: string): string | undefined {
  return encodeBytes(name).length <= NAME_LIMIT_BYTES ? name : undefined;
}

/** The delimiter, and the fields as they are written. */
function fieldsOf(name: string): string[] {
  const delimiter = String.fromCodePoint(name.codePointAt(0) ?? 0);
  return [delimiter, ...name.slice(delimiter.length).split(delimiter)];
}

function withField(delimiter: string, raw: readonly string[], at: number, text: string): string {
  return delimiter + raw.map((field, index) => (index === at ? text : field)).join(delimiter);
}

export function encodeField(field: string, { delimiter, encode }: Constants): string {
  let encoded = '';
  for (const symbol of field) {
    const isSpecial = symbol === delimiter || symbol === encode || symbol === '/';
    encoded += isSpecial ? encode + hexOf(symbol) : symbol;
  }
  return encoded;
}

/** Undefined when an encode character is not followed by two hexadecimal digits. */
export function decodeField(field: string, encode: string): string | undefined {
  let at = field.indexOf(encode);
  if (at < 0) return field;
  const parts = [encodeBytes(field.slice(0, at))];
  while (at < field.length) {
    const digits = field.slice(at + 1, at + 3);
    if (!/^[0-9a-fA-F]{2}$/.test(digits)) return undefined;
    parts.push(Uint8Array.of(Number.parseInt(digits, 16)));
    const next = field.indexOf(encode, at + 3);
    const end = next < 0 ? field.length : next;
    parts.push(encodeBytes(field.slice(at + 3, end)));
    at = end;
  }
  return decodeBytes(concatBytes(parts));
}

/** Whether the bytes that this string stands for are text in the charset. */
function isInCharset(bytes: string, charset: Charset): boolean {
  if (charset === 'utf8') return bytes.isWellFormed();
  return charset === 'latin1' || [...bytes].every((character) => character <= '\x7f');
}

/** The text that bytes are in a charset, for those who work with text. */
export function textOf(bytes: string, charset: Charset): string {
  return charset === 'latin1' ? String.fromCharCode(...encodeBytes(bytes)) : bytes;
}

/** The bytes of a text in a charset. Throws `not-written` for a character that it lacks. */
export function bytesOf(text: string, charset: Charset): string {
  if (charset !== 'latin1') return text;
  if ([...text].some((character) => character > '\xff'))
    throw refused(`hold characters that are not FSQ_CHARSET ${charset}`);
  return decodeBytes(Uint8Array.from(text, (character) => character.charCodeAt(0)));
}

/** By time, then entropy, as the numbers they are. */
export function byAge(a: Item, b: Item): number {
  if (a.time !== b.time) return a.enqueuedMs - b.enqueuedMs || (a.time < b.time ? -1 : 1);
  return Number(a.entropy) - Number(b.entropy) || (a.name < b.name ? -1 : 1);
}
