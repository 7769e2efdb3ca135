// @ts-check
/** A process of the topic `dirqueue`: does with a queue what its first argument says, and prints one line of JSON. */

import { openDirQueue } from '../dist/dirqueue/dirqueue.js';
import { realMachine } from '../dist/os/real/index.js';

const [, , what, path = '', level = 'power-safe', count = '0', atOnce = '1'] = process.argv;
const durability = level === 'crash-safe' ? 'crash-safe' : 'power-safe';
const queue = await openDirQueue(realMachine, path);

const started = performance.now();
const since = () => performance.now() - started;
const payloads = Array.from({ length: Number(count) }, (_, n) => ({ payload: `job ${n}` }));

if (what === 'add') {
  const left = payloads[Symbol.iterator]();
  const addSome = async () => {
    for (const job of left) await queue.add(job, { durability });
  };
  await Promise.all(Array.from({ length: Number(atOnce) }, addSome));
  console.log(JSON.stringify({ ms: since() }));
} else if (what === 'add-all') {
  await queue.addAll(payloads, { durability });
  console.log(JSON.stringify({ ms: since() }));
} else if (what === 'drain') {
  let jobs = 0;
  for await (const job of queue.take({ wait: false, durability })) {
    await job.bytes();
    await job.finish();
    jobs += 1;
    if (jobs === Number(count)) break;
  }
  console.log(JSON.stringify({ ms: since(), jobs }));
} else if (what === 'first') {
  const session = await queue.join({ durability });
  const first = await session.claim();
  const cold = since();
  const warm = [];
  for (let n = 0; n < 101; n++) {
    const before = performance.now();
    const claim = await session.claim();
    if (claim.kind === 'claim') await claim.succeed();
    warm.push(performance.now() - before);
  }
  if (first.kind === 'claim') await first.release();
  await session.close();
  warm.sort((a, b) => a - b);
  console.log(JSON.stringify({ cold, warm: warm[50] }));
} else throw new Error(`what is "${what}"?`);
