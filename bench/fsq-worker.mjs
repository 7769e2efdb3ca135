// @ts-check
/** `node fsq-worker.mjs enqueue|enqueue-all|scan QUEUE COUNT`: a process of the topic `fsq`; prints one line of JSON. */

import { createFsq, openFsq, scanFsq } from '../dist/fsq.js';

/** So many items may be over and not synced yet, as with `fsq scan`. */
const SETTLING_LIMIT = 64;

const [, , what, path = '', count] = process.argv;
const queue = what === 'make' ? await createFsq(path) : await openFsq(path);
const started = performance.now();
let items = Number(count);
if (what === 'make') {
  const jobs = Array.from({ length: items }, (_, n) => ({ params: [`${n}`], payload: 'payload\n' }));
  await queue.addAll(jobs, { durability: 'crash-safe' });
} else if (what === 'enqueue') {
  for (let n = 0; n < items; n++) await queue.add({ params: [`${n}`], payload: 'payload\n' });
} else if (what === 'enqueue-all') {
  await queue.addAll(Array.from({ length: items }, (_, n) => ({ params: [`${n}`], payload: 'payload\n' })));
} else if (what === 'scan') {
  items = 0;
  /** @type {Set<Promise<unknown>>} */
  const settling = new Set();
  for await (const work of scanFsq(path)) {
    items += 1;
    /** @type {Promise<unknown>} */
    const settled = work.done().finally(() => settling.delete(settled));
    settling.add(settled);
    if (settling.size >= SETTLING_LIMIT) await Promise.race(settling);
  }
  await Promise.all(settling);
} else throw new Error(`what is "${what}"?`);
console.log(JSON.stringify({ ms: performance.now() - started, items }));
