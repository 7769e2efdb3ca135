// @ts-check
/**
 * A worker process of the topics `claims`, `backlog` and `wake`: does with a queue what its first argument says, and
 * prints one line of JSON.
 */

import { readdirSync, readFileSync, renameSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { realMachine } from '../dist/os/real/index.js';
import { openSpool } from '../dist/spool/spool.js';
import { serveQueues } from '../dist/worker/serve.js';

const [, , what, path = '', ...rest] = process.argv;
const queue = await openSpool(realMachine, path);

const started = performance.now();
const since = () => performance.now() - started;

if (what === 'drain') {
  const concurrency = Number(rest[0]);
  const { counts } = await serveQueues(realMachine, [queue], () => undefined, { concurrency });
  console.log(JSON.stringify({ ms: since(), jobs: counts.succeeded }));
} else if (what === 'relist') {
  // As queues do that keep no index: list, sort, claim by a rename, finish by an unlink, and begin again. Nothing is synced.
  let jobs = 0;
  for (;;) {
    const [name] = readdirSync(join(path, 'jobs')).sort();
    if (name === undefined) break;
    renameSync(join(path, 'jobs', name), join(path, name));
    readFileSync(join(path, name));
    unlinkSync(join(path, name));
    jobs += 1;
  }
  console.log(JSON.stringify({ ms: since(), jobs }));
} else if (what === 'first') {
  const session = await queue.join({ watch: true });
  const first = await session.claim();
  const cold = since();
  const warm = [];
  for (let n = 0; n < 101; n++) {
    const before = performance.now();
    const claim = await session.claim();
    warm.push(performance.now() - before);
    if (claim.kind === 'claim') await claim.release();
  }
  if (first.kind === 'claim') await first.release();
  await session.close();
  warm.sort((a, b) => a - b);
  console.log(JSON.stringify({ cold, warm: warm[50] }));
} else if (what === 'wake') {
  const expected = Number(rest[0]);
  /** @type {number[]} */
  const delays = [];
  const stop = new AbortController();
  const report = serveQueues(
    realMachine,
    [queue],
    async (_, payload) => {
      delays.push(Date.now() - Number(await payload.text()));
      if (delays.length === expected) stop.abort();
    },
    { keepWaiting: true, signal: stop.signal },
  );
  await report;
  delays.sort((a, b) => a - b);
  console.log(
    JSON.stringify({ p50: delays[Math.floor(expected / 2)], p99: delays[Math.floor(expected * 0.99)] }),
  );
} else throw new Error(`what is "${what}"?`);
