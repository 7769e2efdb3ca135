/**
 * A worker to be killed: `bun storm-worker.ts QUEUE CONCURRENCY wait|end LEASE_MS PROGRAM ARG...` runs PROGRAM for each job. A run
 * that fails, because somebody has killed it, is tried again almost at once.
 */

import { realMachine } from '../../../src/os/real/index.ts';
import { openSpool } from '../../../src/spool/spool.ts';
import { serveQueues } from '../../../src/worker/serve.ts';

const [path = '', concurrency, until, leaseMs, program = '', ...args] = process.argv.slice(2);
const queue = await openSpool(realMachine, path);
const report = await serveQueues(
  realMachine,
  [queue],
  { program, args },
  {
    concurrency: Number(concurrency),
    keepWaiting: until === 'wait',
    leaseMs: Number(leaseMs),
    // More than anybody is killed: a job that always met a kill must not fail for it.
    retries: 10_000,
    backoff: { firstMs: 5, maxMs: 50 },
  },
);
process.exitCode = report.counts.failed === 0 ? 0 : 1;
