// @ts-check
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createDirQueue } from '../dist/dirqueue/dirqueue.js';
import { realMachine } from '../dist/os/real/index.js';
import { run } from './measure.mjs';

const WORKER = fileURLToPath(new URL('dirqueue-worker.mjs', import.meta.url));
const LEVELS = /** @type {const} */ (['power-safe', 'crash-safe']);

/**
 * @param {...(string | number)} words
 * @returns {Promise<Record<string, number>>} what it printed
 */
async function worker(...words) {
  const { stdout } = await promisify(execFile)(process.execPath, [WORKER, ...words.map(String)]);
  return JSON.parse(stdout);
}

/** @type {import('./report.mjs').Topic} */
export const dirqueue = {
  name: 'dirqueue',
  about: 'queues of IPC::DirQueue: adding, draining, and taking from a large backlog, by the library on Node',
  run: async ({ directory, quick }) => {
    const jobs = quick ? 1000 : 10_000;
    const few = jobs / 10;
    const backlog = quick ? 10_000 : 100_000;
    const rows = [];
    for (const level of LEVELS) {
      /** @param {() => Promise<number>} measure jobs a second, in a queue of its own */
      const inQueue = async (measure) => {
        await createDirQueue(realMachine, queue);
        const rate = await measure();
        rmSync(queue, { recursive: true });
        return rate;
      };
      const queue = join(directory, 'queue');
      /** @param {number} processes */
      const drain = (processes) => async () => {
        await worker('add-all', queue, 'crash-safe', jobs);
        await run('sync');
        const started = performance.now();
        const reports = await Promise.all(
          Array.from({ length: processes }, () => worker('drain', queue, level)),
        );
        const done = reports.reduce((sum, report) => sum + (report.jobs ?? 0), 0);
        if (done !== jobs) throw new Error(`${done} of ${jobs} jobs were run`);
        return (jobs * 1000) / (performance.now() - started);
      };
      /** @param {string} how @param {number} count */
      const add = (how, count) => async () => {
        const { ms = Number.NaN } = await worker(how, queue, level, count);
        return (count * 1000) / ms;
      };
      rows.push(
        { name: `${level}: add, one after the other`, values: { 'jobs/s': await inQueue(add('add', few)) } },
        { name: `${level}: add, all at once`, values: { 'jobs/s': await inQueue(add('add-all', jobs)) } },
        { name: `${level}: drain of ${jobs}`, values: { 'jobs/s': await inQueue(drain(1)) } },
        { name: `${level}: the same by 4 processes`, values: { 'jobs/s': await inQueue(drain(4)) } },
      );
    }
    const queue = join(directory, 'queue');
    await createDirQueue(realMachine, queue);
    await worker('add-all', queue, 'crash-safe', backlog);
    const taking = [];
    for (const level of LEVELS) {
      const { cold = Number.NaN, warm = Number.NaN } = await worker('first', queue, level);
      taking.push({ name: level, values: { 'first, ms': cold, 'next, ms': warm } });
    }
    rmSync(queue, { recursive: true });
    return [
      { title: 'Queues of IPC::DirQueue', unit: 'workers', better: 'more', rows },
      { title: `Taking and finishing with ${backlog} waiting`, unit: '', better: 'less', rows: taking },
    ];
  },
};
