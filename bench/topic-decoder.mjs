// @ts-check
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { alternate, quote, run } from './measure.mjs';
import { fillQueue } from './queues.mjs';

/** @type {import('./report.mjs').Topic} */
export const decoder = {
  name: 'decoder',
  about: '`queue-ls -d zcat` of gzipped jobs',
  run: async ({ directory, sides, quick }) => {
    const jobs = quick ? 50 : 200;
    const rounds = quick ? 3 : 5;
    const everybody = [sides.real, sides.executable, sides.node].filter((side) => side !== undefined);
    const queue = fillQueue(join(directory, 'queue'), jobs, { gzip: true });
    /** @param {import('./sides.mjs').Side} side */
    const command = ({ fspl }) => quote([...fspl, 'queue-ls', '-q', queue, '-d', 'zcat']);
    for (const side of everybody) await run(`[ "$(${command(side)} | wc -l)" -eq ${jobs + 1} ]`);
    const values = await alternate(rounds, everybody, async (side) => (await run(command(side))) / 1000);
    rmSync(queue, { recursive: true });
    return [
      {
        title: `queue-ls -d zcat: one zcat for each job (median of ${rounds} runs)`,
        unit: 's',
        better: 'less',
        rows: [{ name: `${jobs} gzipped jobs`, values }],
      },
    ];
  },
};
