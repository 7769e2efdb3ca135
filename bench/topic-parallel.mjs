// @ts-check
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fillFreeQueue } from './free-queue.mjs';
import { alternate, quote, run } from './measure.mjs';
import { expectJobs } from './queues.mjs';

const AT_ONCE = 4;
const INTRAY = 'dist/bin/intray';

/** @param {string} program */
function isThere(program) {
  return spawnSync('/bin/sh', ['-c', `command -v ${program}`]).status === 0;
}

/**
 * Programs that run commands beside each other, and keep nothing of what they were given should they be killed: only
 * tsp has a queue, in the memory of its server.
 *
 * @param {string} directory
 * @param {number} jobs
 */
function peers(directory, jobs) {
  const socket = join(directory, 'tsp.socket');
  const environment = `TS_SOCKET=${quote([socket])} TMPDIR=${quote([directory])}`;
  const numbers = `seq ${jobs}`;
  return [
    { name: 'xargs -P4', line: `${numbers} | xargs -P${AT_ONCE} -n1 /bin/true` },
    { name: 'GNU parallel -j4', needs: 'parallel', line: `${numbers} | parallel -j${AT_ONCE} /bin/true` },
    {
      name: 'tsp -S 4',
      needs: 'tsp',
      line: `export ${environment}; tsp -S ${AT_ONCE} && for i in $(${numbers}); do tsp -n /bin/true >/dev/null || exit 1; done; tsp -w && tsp -K`,
    },
  ].filter(({ needs }) => needs === undefined || isThere(needs));
}

/** @type {import('./report.mjs').Topic} */
export const parallel = {
  name: 'parallel',
  about: 'jobs of /bin/true, four at once, beside programs that keep no queue on the disk',
  run: async ({ directory, quick }) => {
    const jobs = quick ? 400 : 4000;
    const rounds = quick ? 1 : 5;
    mkdirSync(join(directory, 'peers'));
    const queue = join(directory, 'queue');
    const work = quote([
      join(process.cwd(), INTRAY),
      'work',
      queue,
      '-j',
      AT_ONCE,
      '--output',
      'inherit',
      '--',
      '/bin/true',
    ]);
    const sides = [{ name: 'intray work -j4', line: work }, ...peers(join(directory, 'peers'), jobs)];
    const speed = await alternate(rounds, sides, async ({ name, line }) => {
      if (!name.startsWith('intray')) return (jobs * 1000) / (await run(line));
      fillFreeQueue(queue, jobs);
      await run('sync');
      const ms = await run(line);
      expectJobs(queue, 0);
      rmSync(queue, { recursive: true });
      return (jobs * 1000) / ms;
    });
    return [
      {
        title: `${jobs} jobs of /bin/true, ${AT_ONCE} at once (median of ${rounds} runs)`,
        unit: 'program',
        better: 'more',
        rows: Object.entries(speed).map(([name, value]) => ({ name, values: { 'jobs/s': value } })),
      },
    ];
  },
};
