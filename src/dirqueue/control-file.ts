/**
 * A control file: one `NAME: value` a line.
 *
 *     QDFN: the data file, as the submitter saw it      QDSB: its size in bytes
 *     QSTT: when it was submitted, seconds since 1970   QSTM: and microseconds
 *     QSHN: the host it was submitted on                any other: metadata
 *
 * What our jobs have and the format has no place for travels as metadata under reserved names.
 *
 * | name             | value                                                                  |
 * |------------------|------------------------------------------------------------------------|
 * | `INTRAY_PARAMS`  | arguments for the command, a JSON array of strings                     |
 * | `INTRAY_EXPIRES` | RFC 3339 time after which our workers do not start it; others do       |
 * | `INTRAY_ID`      | its adder's own name for it, a JSON string: it may hold a newline      |
 */

import { decodeBytes, encodeBytes } from '../os/bytes.ts';
import { formatMs, parseTime } from '../os/calendar.ts';
import type { Timestamp } from '../os/ports.ts';
import type { CommandWork } from '../packet/header.ts';
import { QueueError } from '../queue/errors.ts';

/** Nobody writes a longer one, and nobody reads it. */
export const CONTROL_LIMIT_BYTES = 1024 * 1024;

export type Metadata = readonly (readonly [name: string, value: string])[];

export type Control = {
  /** QDFN. */
  readonly dataFile: string;
  /** Bytes. */
  readonly size: number;
  readonly submitted: Timestamp | undefined;
  readonly host: string | undefined;
  readonly metadata: Metadata;
};

const PARAMS = 'INTRAY_PARAMS';
const EXPIRES = 'INTRAY_EXPIRES';
const NAME = 'INTRAY_ID';

/** Throws `not-written` for what the format cannot hold. */
export function checkMetadata(metadata: Metadata): void {
  const seen = new Set<string>();
  for (const [name, value] of metadata) {
    const wrong = wrongWith(name, value) ?? (seen.has(name) ? 'is there twice' : undefined);
    if (wrong !== undefined)
      throw new QueueError('not-written', `the metadata "${printable(name)}" ${wrong}`);
    seen.add(name);
  }
}

function wrongWith(name: string, value: string): string | undefined {
  if (name === '') return 'has no name';
  if (/[:\0\n]/.test(name)) return 'has a colon, NUL or newline in its name';
  if (/^Q.{3}$/su.test(name)) return 'has a name that the format uses itself: Q and three characters';
  if (/[\0\n]/.test(value)) return 'has a NUL or newline in its value, which the format cannot hold';
  return undefined;
}

function printable(name: string): string {
  return name.replace(/[\0\n]/g, '?');
}

export function formatControl(control: Control & { readonly submitted: Timestamp }): Uint8Array {
  const { dataFile, size, submitted, host = '', metadata } = control;
  const lines: Metadata = [
    ['QDFN', dataFile],
    ['QDSB', String(size)],
    ['QSTT', String(submitted.seconds)],
    ['QSTM', String(Math.floor(submitted.nanos / 1000))],
    ['QSHN', host],
    ...metadata,
  ];
  return encodeBytes(lines.map(([name, value]) => `${name}: ${value}\n`).join(''));
}

/** A sentence without full stop when it is none. */
export function parseControl(bytes: Uint8Array): Control | { readonly damage: string } {
  if (bytes.length === 0) return { damage: 'it is empty' };
  const text = decodeBytes(bytes);
  if (!text.endsWith('\n')) return { damage: 'it ends in the middle of a line' };
  const own = new Map<string, string>();
  const metadata: [string, string][] = [];
  for (const [at, line] of text.slice(0, -1).split('\n').entries()) {
    const end = line.indexOf(': ');
    if (end < 0) return { damage: `its line ${at + 1} is not NAME: VALUE` };
    const [name, value] = [line.slice(0, end), line.slice(end + ': '.length)];
    if (/^Q.{3}$/su.test(name)) own.set(name, value);
    else metadata.push([name, value]);
  }
  const dataFile = own.get('QDFN');
  const size = own.get('QDSB') ?? '';
  if (dataFile === undefined) return { damage: 'it does not name its data file' };
  if (!/^\d{1,15}$/.test(size)) return { damage: 'it does not say the size of its data file' };
  return {
    dataFile,
    size: Number(size),
    submitted: timeOf(own.get('QSTT'), own.get('QSTM')),
    host: own.get('QSHN'),
    metadata,
  };
}

function timeOf(seconds = '', micros = '0'): Timestamp | undefined {
  if (!/^\d{1,12}$/.test(seconds)) return undefined;
  return { seconds: BigInt(seconds), nanos: /^\d{1,6}$/.test(micros) ? Number(micros) * 1000 : 0 };
}

export function toMetadata(
  params: readonly string[],
  env: Readonly<Record<string, string>>,
  expiresMs: number | undefined,
  name?: string,
): Metadata {
  const metadata: [string, string][] = Object.entries(env);
  if (params.length > 0) metadata.push([PARAMS, JSON.stringify(params)]);
  if (expiresMs !== undefined) metadata.push([EXPIRES, formatMs(expiresMs)]);
  if (name !== undefined) metadata.push([NAME, JSON.stringify(name)]);
  return metadata;
}

/** What metadata mean to a worker of ours. A reserved value that makes no sense is plain metadata. */
export function fromMetadata(metadata: Metadata): {
  readonly work: CommandWork;
  readonly expiresMs: number | undefined;
  readonly name: string | undefined;
} {
  const reservedValue = (reserved: string) => metadata.find(([name]) => name === reserved)?.[1];
  const params = paramsIn(reservedValue(PARAMS));
  const expires = reservedValue(EXPIRES);
  const expiresMs = expires === undefined ? undefined : parseTime(expires);
  const name = nameIn(reservedValue(NAME));
  const taken = new Set([
    ...(params === undefined ? [] : [PARAMS]),
    ...(expiresMs === undefined ? [] : [EXPIRES]),
    ...(name === undefined ? [] : [NAME]),
  ]);
  const env = metadata.filter(([reserved]) => !taken.has(reserved));
  return { work: { kind: 'command', params: params ?? [], env }, expiresMs, name };
}

function nameIn(json: string | undefined): string | undefined {
  const parsed = json === undefined ? undefined : jsonIn(json);
  return typeof parsed === 'string' && parsed !== '' ? parsed : undefined;
}

function paramsIn(json: string | undefined): string[] | undefined {
  const parsed = json === undefined ? undefined : jsonIn(json);
  const isParams = Array.isArray(parsed) && parsed.every((param) => typeof param === 'string');
  return isParams && parsed.every((param) => !param.includes('\0')) ? parsed : undefined;
}

/** Undefined for what is none. */
function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
