// @ts-check
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { run } from './measure.mjs';

const WORKER = fileURLToPath(new URL('fsq-worker.mjs', import.meta.url));
const FSQ = fileURLToPath(new URL('../dist/bin/fsq', import.meta.url));

/** @param {...(string | number)} words */
async function worker(...words) {
  const { stdout } = await promisify(execFile)(process.execPath, [WORKER, ...words.map(String)]);
  return JSON.parse(stdout);
}

/** @type {import('./report.mjs').Topic} */
export const fsq = {
  name: 'fsq',
  about: 'queues of fsq: adding items, and going through 10,000 with one scanner and with four',
  run: async ({ directory, quick }) => {
    const items = quick ? 1000 : 10_000;
    const added = quick ? 200 : 2000;
    const commands = quick ? 20 : 200;
    mkdirSync(directory, { recursive: true });
    const queue = join(directory, 'queue');
    const rows = [];
    await worker('make', queue, 0);
    for (const how of ['enqueue', 'enqueue-all']) {
      const { ms } = await worker(how, queue, added);
      const name = how === 'enqueue' ? 'added one by one, durable' : `added ${added} at once, durable`;
      rows.push({ name, values: { 'items/s': (added * 1000) / ms } });
    }
    const ms = await run(
      `n=0; while [ $n -lt ${commands} ]; do '${FSQ}' -r '${directory}' enqueue -e queue $n || exit; n=$((n + 1)); done`,
    );
    rows.push({
      name: 'fsq enqueue -e, the executable, durable',
      values: { 'items/s': (commands * 1000) / ms },
    });
    rmSync(queue, { recursive: true });
    for (const scanners of [1, 4]) {
      await worker('make', queue, items);
      await run('sync');
      const started = performance.now();
      const reports = await Promise.all(Array.from({ length: scanners }, () => worker('scan', queue)));
      const seconds = (performance.now() - started) / 1000;
      const ran = reports.reduce((sum, report) => sum + report.items, 0);
      if (ran !== items || readdirSync(join(queue, 'done')).length !== items) {
        throw new Error(`${ran} of ${items} items were run`);
      }
      rmSync(queue, { recursive: true });
      const name = scanners === 1 ? 'gone through by one scanner' : `gone through by ${scanners} scanners`;
      rows.push({ name, values: { 'items/s': items / seconds } });
    }
    return [{ title: `${items} items whose work is nothing`, unit: 'fsq', better: 'more', rows }];
  },
};
