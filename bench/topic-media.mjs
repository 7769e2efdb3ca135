// @ts-check
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startVolume } from './gluster-volume.mjs';
import { startServers } from './nats-servers.mjs';

const WORKER = fileURLToPath(new URL('media-worker.mjs', import.meta.url));
/** Jobs that a worker has in hand at once. */
const AT_ONCE = 16;

/**
 * Where a queue is, and the words that run a command on the first and on the second machine that uses it.
 *
 * @typedef {{ location: string, machines: [string[], string[]] }} Place
 */

/** @type {[string[], string[]]} */
const THIS_MACHINE = [[], []];

/**
 * @param {string[]} machine
 * @param {...(string | number)} words
 * @returns {Promise<{ ms: number, jobs: number }>}
 */
async function worker(machine, ...words) {
  const [program = '', ...args] = [...machine, process.execPath, WORKER, ...words.map(String)];
  const { stdout } = await promisify(execFile)(program, args);
  return JSON.parse(stdout);
}

/**
 * Each in processes of their own, whose start does not count, but for that of the draining ones.
 *
 * @param {Place} place
 * @param {number} few
 * @param {number} many
 */
async function measure({ location, machines }, few, many) {
  const [first] = machines;
  await worker(first, 'init', location);
  /** @param {...(string | number)} words */
  const rate = async (...words) => {
    const { ms, jobs } = await worker(first, ...words);
    return (jobs * 1000) / ms;
  };
  /** @param {string[][]} workers */
  const drain = async (workers) => {
    const started = performance.now();
    const reports = await Promise.all(
      workers.map((machine) => worker(machine, 'drain', location, 0, AT_ONCE)),
    );
    return { jobs: reports.reduce((sum, { jobs }) => sum + jobs, 0), ms: performance.now() - started };
  };
  const one = await rate('add', location, few);
  const overlapping = await rate('add', location, few, AT_ONCE);
  const together = await rate('add-all', location, many);
  const byOne = await drain([first]);
  await rate('add-all', location, many);
  const byTwo = await drain(machines);
  if (byOne.jobs !== 2 * few + many || byTwo.jobs !== many) {
    throw new Error(`${location}: ${byOne.jobs} and ${byTwo.jobs} jobs were run`);
  }
  return {
    'add one by one': one,
    'add 16 at once': overlapping,
    'add together': together,
    'run by one worker': (byOne.jobs * 1000) / byOne.ms,
    'by two': (byTwo.jobs * 1000) / byTwo.ms,
  };
}

/** @type {import('./report.mjs').Topic} */
export const media = {
  name: 'media',
  about:
    'a queue in a directory of this disk, on a GlusterFS volume, on one server of NATS and on three: adding, and running jobs of nothing',
  run: async ({ directory, quick }) => {
    const [few, many] = quick ? [20, 100] : [500, 5000];
    const disk = { location: join(directory, 'queue'), machines: THIS_MACHINE };
    const rows = [{ name: 'this disk, power-safe', values: await measure(disk, few, many) }];
    // Five machines for a few jobs are not quick.
    const volume = quick ? undefined : await startVolume(join(directory, 'machines'));
    if (volume !== undefined) {
      try {
        /** @type {Place} */
        const place = {
          location: join(volume.mount, 'queue'),
          machines: [volume.on('c1'), volume.on('c2')],
        };
        rows.push({
          name: 'GlusterFS, replica 3, two hosts',
          values: await measure(place, few / 5, many / 5),
        });
      } finally {
        await volume.stop();
      }
    }
    for (const count of [1, 3]) {
      const stores = join(directory, `servers-${count}`);
      mkdirSync(stores);
      const servers = await startServers(stores, count);
      if (servers === undefined) continue;
      try {
        const place = { location: `nats://${servers.addresses}/bench`, machines: THIS_MACHINE };
        const name = count === 1 ? 'NATS, one server' : `NATS, ${count} servers, replicas ${count}`;
        rows.push({ name: `${name}, crash-safe`, values: await measure(place, few, many) });
      } finally {
        await servers.stop();
      }
    }
    return [{ title: 'Where the queue is, jobs a second', unit: '', better: 'more', rows }];
  },
};
