// @ts-check
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { realMachine } from '../dist/os/real/index.js';
import { openSpool } from '../dist/spool/spool.js';
import { fillFreeQueue } from './free-queue.mjs';
import { worker } from './worker-process.mjs';

/** Long enough for a worker that has found nothing to be waiting again. */
const PAUSE_MS = 20;

/** @type {import('./report.mjs').Topic} */
export const wake = {
  name: 'wake',
  about: 'from an add in one process to the start of the job in another that waits',
  run: async ({ directory, quick }) => {
    const jobs = quick ? 50 : 500;
    const path = fillFreeQueue(join(directory, 'queue'), 0);
    const waiting = worker('wake', path, jobs);
    const queue = await openSpool(realMachine, path);
    await setTimeout(500);
    for (let n = 0; n < jobs; n++) {
      await queue.add({ payload: String(Date.now()) });
      await setTimeout(PAUSE_MS);
    }
    const { p50 = Number.NaN, p99 = Number.NaN } = await waiting;
    return [
      {
        title: `${jobs} jobs, one each ${PAUSE_MS} ms; the add's own time, power-safe, is part of it`,
        unit: 'ms',
        better: 'less',
        rows: [{ name: 'Node', values: { p50, p99 } }],
      },
    ];
  },
};
