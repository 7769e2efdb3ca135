// @ts-check
/** `node fsq-worker.mjs make|enqueue|enqueue-all|scan QUEUE COUNT LEVEL`: a process of the topic `fsq`; prints one line of JSON. */

import { createFsq, openFsq, scanFsq } from '../dist/fsq.js';

/** So many items may be over and not synced yet, as with `fsq scan`. */
const SETTLING_LIMIT = 256;

const [, , what, path = '', count, level] = process.argv;
const durability = level === 'crash-safe' ? 'crash-safe' : 'power-safe';
const queue = what === 'make' ? await createFsq(path) : await openFsq(path);
const jobs = Array.from({ length: Number(count) }, (_, n) => ({ params: [`${n}`], payload: 'payload\n' }));
const started = performance.now();
let items = jobs.length;
if (what === 'make' || what === 'enqueue-all') {
  await queue.addAll(jobs, { durability });
} else if (what === 'enqueue') {
  for (const job of jobs) await queue.add(job, { durability });
} else if (what === 'scan') {
  items = 0;
  /** @type {Set<Promise<unknown>>} */
  const settling = new Set();
  for await (const work of scanFsq(path, {}, { durability })) {
    items += 1;
    /** @type {Promise<unknown>} */
    const settled = work.done().finally(() => settling.delete(settled));
    settling.add(settled);
    if (settling.size >= SETTLING_LIMIT) await Promise.race(settling);
  }
  await Promise.all(settling);
} else throw new Error(`what is "${what}"?`);
console.log(JSON.stringify({ ms: performance.now() - started, items }));
