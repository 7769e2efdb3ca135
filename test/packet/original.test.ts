/** Our packets against the original program, where it is installed. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeBytes } from '../../src/os/bytes.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { encodeHeader } from '../../src/packet/encode.ts';
import { packetEnvironment } from '../../src/packet/environment.ts';
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

/** What we would print ourselves, in UTC. */
function infoOf(header: PacketHeader): Uint8Array {
  const lines = packetEnvironment(header, { ...realMachine.clock, utcOffsetSeconds: () => 0 });
  return encodeBytes(lines.map(([name, value]) => `${name}=${value}\n`).join(''));
}
