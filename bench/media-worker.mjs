// @ts-check
/** A process of the topic `media`: does with a queue what its first argument says, and prints one line of JSON. */

import { createQueue, openQueue, serve } from '../dist/index.js';

const [, , what, location = '', count = '0', atOnce = '1'] = process.argv;
const payload = 'a job of some bytes';

const queue = what === 'init' ? await createQueue(location, { order: 'free' }) : await openQueue(location);
const jobs = Array.from({ length: Number(count) }, () => ({ payload }));
let done = jobs.length;
const started = performance.now();

if (what === 'add') {
  const left = jobs[Symbol.iterator]();
  const addSome = async () => {
    for (const job of left) await queue.add(job);
  };
  await Promise.all(Array.from({ length: Number(atOnce) }, addSome));
} else if (what === 'add-all') {
  await queue.addAll(jobs);
} else if (what === 'drain') {
  const report = await serve(queue, () => {}, { concurrency: Number(atOnce) });
  done = report.counts.succeeded;
} else if (what !== 'init') throw new Error(`what is "${what}"?`);

console.log(JSON.stringify({ ms: performance.now() - started, jobs: done }));
