// @ts-check
/** Queues to measure with: made without either program, so that none of them warms anything up. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encodeHeader } from '../dist/packet/encode.js';

/** 2026-11-21T00:00:00Z; each job is a second later than the one before. */
const FIRST_SECONDS = 1_795_219_200n;

/**
 * An empty queue.
 *
 * @param {string} path
 */
export function makeQueue(path) {
  mkdirSync(join(path, 'jobs'), { recursive: true });
  writeFileSync(join(path, 'nextseq'), '1\n');
  writeFileSync(join(path, 'nextseq.lock'), '');
  return path;
}

/**
 * A queue of `count` jobs with one variable each and a short payload, as `FSPL_SET_LEVEL=9 fspl prepare` would make.
 *
 * @param {string} path
 * @param {number} count
 * @param {{ gzip?: boolean }} [options]
 */
export function fillQueue(path, count, { gzip = false } = {}) {
  makeQueue(path);
  const payload = Buffer.from('payload\n');
  for (let number = 1; number <= count; number++) {
    const packet = Buffer.concat([header(number), payload]);
    const name = `fspl-${crypto.randomUUID()}.fspl`;
    writeFileSync(join(path, 'jobs', name), gzip ? gzipSync(packet) : packet);
  }
  return path;
}

/** @param {number} number */
function header(number) {
  const seq = BigInt(number);
  return encodeHeader({
    seq: /** @type {import('../dist/packet/header.js').Sequence} */ (seq),
    ctime: { seconds: FIRST_SECONDS + seq, nanos: 123_456_789 },
    work: { kind: 'command', params: [], env: [['LEVEL', '9']] },
  });
}

/**
 * How many jobs a queue holds. Throws when it is not as many as there should be: then what was measured is not what
 * it says.
 *
 * @param {string} path
 * @param {number} expected
 */
export function expectJobs(path, expected) {
  const found = readdirSync(join(path, 'jobs')).length;
  if (found !== expected) throw new Error(`${path}: expected ${expected} files in jobs, found ${found}`);
}

/**
 * Throws when the queue's next number is another one.
 *
 * @param {string} path
 * @param {number} expected
 */
export function expectNext(path, expected) {
  const next = Number(readFileSync(join(path, 'nextseq'), 'utf8'));
  if (next !== expected) throw new Error(`${path}: expected ${expected} in nextseq, found ${next}`);
}
