// @ts-check
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fillFreeQueue } from './free-queue.mjs';
import { worker } from './worker-process.mjs';

/** @type {import('./report.mjs').Topic} */
export const backlog = {
  name: 'backlog',
  about: 'the first claim of a worker that finds many jobs waiting, and the next ones',
  run: async ({ directory, quick }) => {
    const rows = [];
    for (const jobs of quick ? [10_000] : [100_000, 1_000_000]) {
      const queue = fillFreeQueue(join(directory, 'queue'), jobs);
      const { cold = Number.NaN, warm = Number.NaN } = await worker('first', queue);
      rmSync(queue, { recursive: true });
      rows.push({ name: `${jobs} waiting`, values: { 'first, ms': cold, 'next, ms': warm } });
    }
    return [{ title: 'Time to a claim, Node', unit: '', better: 'less', rows }];
  },
};
