/**
 * `bun noting-worker.ts QUEUE CONCURRENCY NOTES FAILING`: does nothing for each job but to note its payload in the file
 * NOTES at the start and at the end. (Its lines stand in the order of time, whoever wrote them: the clocks that
 * processes have to compare such short times by begin with each process.) Of the runs a part, FAILING, fails, and is tried again at once.
 */

import { appendFileSync } from 'node:fs';
import { realMachine } from '../../../src/os/real/index.ts';
import { openSpool } from '../../../src/spool/spool.ts';
import { serveQueues } from '../../../src/worker/serve.ts';

const [path = '', concurrency, notes = '', failing] = process.argv.slice(2);
const queue = await openSpool(realMachine, path);

const note = (what: string, payload: string) => appendFileSync(notes, `${what} ${payload}\n`);

const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());

await serveQueues(
  realMachine,
  [queue],
  async (_, payload) => {
    const text = await payload.text();
    note('start', text);
    // Others have their turn in the middle of a job.
    await new Promise((resolve) => setImmediate(resolve));
    if (Math.random() < Number(failing)) {
      note('failed', text);
      throw new Error('as it was told to');
    }
    note('done', text);
  },
  {
    concurrency: Number(concurrency),
    retries: 1000,
    backoff: { firstMs: 1, factor: 1 },
    keepWaiting: true,
    signal: stop.signal,
  },
);
