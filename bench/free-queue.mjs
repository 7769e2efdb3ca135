// @ts-check
/** Queues whose jobs may run in any order, as the library would have made them. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeHeader } from '../dist/packet/encode.js';

const FIRST_MS = 1_795_219_200_000;

/**
 * @param {string} path
 * @param {number} count
 */
export function fillFreeQueue(path, count) {
  mkdirSync(join(path, 'jobs'), { recursive: true });
  writeFileSync(join(path, 'nextseq'), '1\n');
  writeFileSync(join(path, 'nextseq.lock'), '');
  writeFileSync(join(path, 'settings.json'), '{"order":"free"}\n');
  for (let number = 1; number <= count; number++) {
    const name = `fspl-50.${FIRST_MS + number}.0.0.${number}..${crypto.randomUUID()}.fspl`;
    writeFileSync(join(path, 'jobs', name), packet(number));
  }
  return path;
}

/** @param {number} number */
function packet(number) {
  const seq = /** @type {import('../dist/packet/header.js').Sequence} */ (BigInt(number));
  const header = encodeHeader({
    seq,
    ctime: { seconds: BigInt(Math.floor((FIRST_MS + number) / 1000)), nanos: 0 },
    work: { kind: 'command', params: [], env: [] },
  });
  return Buffer.concat([header, Buffer.from('payload\n')]);
}
