import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeBytes } from '../../src/os/bytes.ts';
import { encodeHeader } from '../../src/packet/encode.ts';
import type { Damage, PacketHeader, Work } from '../../src/packet/header.ts';
import { decodePacket } from './packets.ts';

const FOLDER = join(import.meta.dirname, '../fixtures/filespooler');
const NAMES = readdirSync(FOLDER).filter((name) => name.endsWith('.fspl'));

const WORK: Record<string, Work['kind']> = { '02-nop.fspl': 'nop', '03-fail.fspl': 'fail' };

const PAYLOAD_BYTES: Record<string, number> = { '04-no-payload.fspl': 0, '08-300k.fspl': 300_000 };

const DAMAGE: Record<string, Damage['damage']> = {
  'bad-empty.fspl': 'empty',
  'bad-huge-metalen.fspl': 'metadata-too-large',
  'bad-meta-crc.fspl': 'metadata-checksum',
  'bad-msgpack-shape.fspl': 'shape',
  'bad-msgpack.fspl': 'shape',
  'bad-prefix-crc.fspl': 'prefix-checksum',
  'bad-tag.fspl': 'tag',
  'bad-truncated-meta.fspl': 'truncated',
  'bad-truncated-prefix.fspl': 'truncated',
  'bad-version.fspl': 'version',
};

describe('packets written by the original', () => {
  const good = NAMES.filter((name) => !name.startsWith('bad-'));

  test('are all here', () => {
    expect(good.map((name) => name.slice(0, 2))).toEqual(
      Array.from({ length: good.length }, (_, at) => String(at + 1).padStart(2, '0')),
    );
    expect(good.length).toBeGreaterThanOrEqual(9);
  });

  test.each(good)('%s says what the original printed of it', (name) => {
    const header = headerOf(name);
    const info = readInfo(name);
    expect(header.work.kind).toBe(WORK[name] ?? 'command');
    expect(describeHeader(header)).toEqual(info);
  });

  test.each(good)('%s is encoded to the same bytes again', (name) => {
    const bytes = read(name);
    const again = encodeHeader(headerOf(name));
    expect(again).toEqual(bytes.subarray(0, again.length));
    const payload = PAYLOAD_BYTES[name];
    if (payload !== undefined) expect(bytes.length - again.length).toBe(payload);
  });
});

describe('damaged packets', () => {
  test('are all in the table', () => {
    expect(NAMES.filter((name) => name.startsWith('bad-'))).toEqual(Object.keys(DAMAGE));
  });

  test.each(Object.entries(DAMAGE))('%s: %s', (name, damage) => {
    const result = decodePacket(read(name));
    expect(result).toMatchObject({ kind: 'damaged', damage });
    expect(result.kind === 'damaged' && result.message).toMatch(/^[a-z].*[^.]$/);
  });
});

function read(name: string): Uint8Array {
  return Uint8Array.from(readFileSync(join(FOLDER, name)));
}

function headerOf(name: string): PacketHeader {
  const result = decodePacket(read(name));
  if (result.kind === 'damaged') throw new Error(`${name}: ${result.message}`);
  return result.header;
}

/** The NAME=value lines the original printed; a value may hold newlines. The two derived times are left out. */
function readInfo(name: string): string[] {
  const printed = decodeBytes(read(`${name}.info`)).replace(/\n$/, '');
  return printed.split(/\n(?=FSPL_)/).filter((line) => !line.startsWith('FSPL_CTIME_RFC3339_'));
}

function describeHeader({ seq, ctime, work }: PacketHeader): string[] {
  const lines = [`FSPL_SEQ=${seq}`, `FSPL_CTIME_SECS=${ctime.seconds}`, `FSPL_CTIME_NANOS=${ctime.nanos}`];
  if (work.kind !== 'command') return lines;
  work.params.forEach((param, at) => {
    lines.push(`FSPL_PARAM_${at + 1}=${param}`);
  });
  for (const [name, value] of work.env) lines.push(`FSPL_SET_${name}=${value}`);
  return lines;
}
