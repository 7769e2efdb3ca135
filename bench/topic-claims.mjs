// @ts-check
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fillFreeQueue } from './free-queue.mjs';
import { run } from './measure.mjs';
import { expectJobs } from './queues.mjs';
import { worker } from './worker-process.mjs';

/** @type {import('./report.mjs').Topic} */
export const claims = {
  name: 'claims',
  about: 'claiming and finishing jobs whose work is nothing, by the library on Node',
  run: async ({ directory, quick }) => {
    const jobs = quick ? 1000 : 10_000;
    const queue = join(directory, 'queue');
    const rows = [];
    for (const processes of [1, 4]) {
      for (const concurrency of [1, 16]) {
        fillFreeQueue(queue, jobs);
        await run('sync');
        const started = performance.now();
        const reports = await Promise.all(
          Array.from({ length: processes }, () => worker('drain', queue, concurrency)),
        );
        const seconds = (performance.now() - started) / 1000;
        const done = reports.reduce((sum, report) => sum + (report.jobs ?? 0), 0);
        if (done !== jobs) throw new Error(`${done} of ${jobs} jobs were run`);
        expectJobs(queue, 0);
        rmSync(queue, { recursive: true });
        rows.push({
          name: `${processes === 1 ? 'one process' : '4 processes'}, ${concurrency} at once`,
          values: { 'jobs/s': jobs / seconds },
        });
      }
    }
    fillFreeQueue(queue, jobs);
    const { ms = Number.NaN, jobs: done } = await worker('relist', queue);
    if (done !== jobs) throw new Error(`${done} of ${jobs} jobs were run`);
    rmSync(queue, { recursive: true });
    rows.push({
      name: 'for comparison: listing again for each job, no sync',
      values: { 'jobs/s': (jobs * 1000) / ms },
    });
    return [{ title: `${jobs} jobs, each finish of ours power-safe`, unit: 'workers', better: 'more', rows }];
  },
};
