/**
 * `bun dirqueue-worker.ts QUEUE NOTES`: takes one job after the other, as a program that lives long does, and appends
 * `start PID TEXT` and `done PID TEXT` to NOTES; before all, `ready PID`: SIGTERM ends it well from then on.
 */

import { appendFileSync } from 'node:fs';
import { openDirQueue } from '../../../src/index.ts';

const [path = '', notes = ''] = process.argv.slice(2);
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());

const note = (what: string, text: string) => appendFileSync(notes, `${what} ${process.pid} ${text}\n`);

note('ready', '');

for await (const job of (await openDirQueue(path)).take({ signal: stop.signal, maxStarts: 1000 })) {
  const text = await job.text();
  note('start', text);
  // Others have their turn in the middle of a job.
  await new Promise((resolve) => setImmediate(resolve));
  note('done', text);
  await job.finish();
}
