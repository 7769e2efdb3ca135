/** Our packets against the original program, where it is installed. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeBytes } from '../../src/os/bytes.ts';
import { encodeHeader } from '../../src/packet/encode.ts';
import type { PacketHeader } from '../../src/packet/header.ts';
import { decodeMetadata } from '../../src/packet/metadata.ts';
import { ACCEPTED, ONLY_ORIGINAL_ACCEPTS, REFUSED } from './odd-metadata.ts';
import { anyHeader, bytesOf, packetAround } from './packets.ts';

const ORIGINAL = '/usr/bin/fspl';
const missing = !existsSync(ORIGINAL) && process.env.INTRAY_REQUIRE_PEERS !== '1';

describe.skipIf(missing)(`the original (skipped without ${ORIGINAL})`, () => {
  test('prints of our packets what we put in', () => {
    fc.assert(
      fc.property(anyHeader, fc.uint8Array({ maxLength: 50 }), (header, payload) => {
        const { status, stdout } = stdinInfo(bytesOf(encodeHeader(header), payload));
        expect(status).toBe(0);
        expect(Buffer.compare(stdout, infoOf(header)), stdout.toString('latin1')).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test.each(Object.entries(ACCEPTED))('also reads %s', (_, { metadata, header }) => {
    const { status, stdout } = stdinInfo(packetAround(metadata));
    expect(status).toBe(0);
    expect(stdout.toString()).toBe(Buffer.from(infoOf(header)).toString());
  });

  test.each(Object.entries(REFUSED))('also refuses %s', (_, metadata) => {
    expect(stdinInfo(packetAround(metadata)).status).toBe(1);
  });

  test.each(Object.entries(ONLY_ORIGINAL_ACCEPTS))('reads, as we do not, %s', (_, metadata) => {
    expect(stdinInfo(packetAround(metadata)).status).toBe(0);
    expect(decodeMetadata(metadata).kind).toBe('damaged');
  });
});

function stdinInfo(packet: Uint8Array) {
  return spawnSync(ORIGINAL, ['stdin-info'], { input: packet, env: { TZ: 'UTC' } });
}

function infoOf({ seq, ctime, work }: PacketHeader): Uint8Array {
  const whole = new Date(Number(ctime.seconds) * 1000).toISOString().replace('.000Z', '');
  const lines = [
    `FSPL_SEQ=${seq}`,
    `FSPL_CTIME_SECS=${ctime.seconds}`,
    `FSPL_CTIME_NANOS=${ctime.nanos}`,
    `FSPL_CTIME_RFC3339_UTC=${whole}Z`,
    `FSPL_CTIME_RFC3339_LOCAL=${whole}+00:00`,
  ];
  if (work.kind === 'command') {
    lines.push(...work.params.map((param, at) => `FSPL_PARAM_${at + 1}=${param}`));
    lines.push(...work.env.map(([name, value]) => `FSPL_SET_${name}=${value}`));
  }
  return encodeBytes(lines.map((line) => `${line}\n`).join(''));
}
