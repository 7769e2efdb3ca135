/**
 * `bun dirqueue-worker.ts QUEUE NOTES NAME LEASE_MS`: takes one job after the other, as a program that lives long does, and
 * appends `start NAME TEXT` and `done NAME TEXT` to NOTES; before all, `ready NAME`: SIGTERM ends it well from then on.
 */

import { appendFileSync } from 'node:fs';
import { openDirQueue } from '../../../src/index.ts';

const [path = '', notes = '', name = '', leaseMs] = process.argv.slice(2);
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());

const note = (what: string, text: string) => appendFileSync(notes, `${what} ${name} ${text}\n`);

note('ready', '');

for await (const job of (await openDirQueue(path)).take({
  signal: stop.signal,
  maxStarts: 1000,
  leaseMs: Number(leaseMs),
})) {
  const text = await job.text();
  note('start', text);
  // Others have their turn in the middle of a job.
  await new Promise((resolve) => setImmediate(resolve));
  note('done', text);
  await job.finish();
}
