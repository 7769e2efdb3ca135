// @ts-check
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { alternate, run } from './measure.mjs';

const here = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));
const WORKER = here('fsq-worker.mjs');
const STAND_IN = here('fsq-stand-in.py');
const FSQ = here('../dist/bin/fsq');

/**
 * @typedef {object} Side
 * @property {string} name what is synced, and who does it
 * @property {readonly string[]} program
 * @property {string} level
 */

/** @type {readonly Side[]} */
const SIDES = [
  { name: 'none, bare loop', program: ['python3', STAND_IN], level: 'none' },
  { name: 'none, ours', program: [process.execPath, WORKER], level: 'crash-safe' },
  { name: 'as the original, bare loop', program: ['python3', STAND_IN], level: 'content' },
  { name: 'all, bare loop', program: ['python3', STAND_IN], level: 'names' },
  { name: 'all, ours', program: [process.execPath, WORKER], level: 'power-safe' },
];

/**
 * @param {readonly string[]} program
 * @param {...(string | number)} words
 * @returns {Promise<{ ms: number, items: number }>}
 */
async function report([program = '', ...args], ...words) {
  const { stdout } = await promisify(execFile)(program, [...args, ...words.map(String)]);
  return JSON.parse(stdout);
}

/** @type {import('./report.mjs').Topic} */
export const fsq = {
  name: 'fsq',
  about: 'queues of fsq: adding items, and going through many with one scanner and with four',
  run: async ({ directory, quick }) => {
    const rounds = quick ? 1 : 3;
    const items = quick ? 1000 : 10_000;
    const added = quick ? 200 : 2000;
    const commands = quick ? 20 : 200;
    mkdirSync(directory, { recursive: true });
    let queues = 0;
    /** In queues that are kept until the end: ext4 is slow to make files where many have just been removed. */
    const filled = async (/** @type {number} */ count) => {
      queues += 1;
      const queue = join(directory, `queue-${queues}`);
      await report([process.execPath, WORKER], 'make', queue, count, 'crash-safe');
      await run('sync');
      return queue;
    };
    /** @param {string} how @returns {(side: Side) => Promise<number>} items a second */
    const adding =
      (how) =>
      async ({ program, level }) =>
        (added * 1000) / (await report(program, how, await filled(0), added, level)).ms;
    /** @param {number} scanners @returns {(side: Side) => Promise<number>} the same, by the clock of all of them */
    const scanning =
      (scanners) =>
      async ({ program, level }) => {
        const queue = await filled(items);
        const started = performance.now();
        const reports = Array.from({ length: scanners }, () => report(program, 'scan', queue, 0, level));
        const ran = (await Promise.all(reports)).reduce((sum, one) => sum + one.items, 0);
        const seconds = (performance.now() - started) / 1000;
        if (readdirSync(join(queue, 'done')).length !== items || ran < items)
          throw new Error(`${ran} items ran`);
        return items / seconds;
      };
    const ours = SIDES.filter(({ name }) => name.endsWith('ours'));
    const rows = [
      { name: 'added one by one', values: await alternate(rounds, SIDES, adding('enqueue')) },
      { name: `${added} added at once`, values: await alternate(rounds, ours, adding('enqueue-all')) },
      { name: 'gone through by one', values: await alternate(rounds, SIDES, scanning(1)) },
      { name: 'gone through by four', values: await alternate(rounds, SIDES, scanning(4)) },
    ];
    const queue = (await filled(0)).slice(directory.length + 1);
    const ms = await run(
      `n=0; while [ $n -lt ${commands} ]; do '${FSQ}' -r '${directory}' enqueue -e ${queue} $n || exit; n=$((n + 1)); done`,
    );
    rows.push({ name: 'added by the command', values: { 'all, ours': (commands * 1000) / ms } });
    return [{ title: `Items whose work is nothing, per second`, unit: 'synced', better: 'more', rows }];
  },
};
