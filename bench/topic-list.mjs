// @ts-check
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { alternate, memoryOf, quote, run } from './measure.mjs';
import { fillQueue } from './queues.mjs';

/** @type {import('./report.mjs').Topic} */
export const list = {
  name: 'list',
  about: '`queue-ls` of a long queue',
  run: async ({ directory, sides, quick }) => {
    const jobs = quick ? 10_000 : 100_000;
    const rounds = quick ? 3 : 7;
    const everybody = [sides.real, sides.executable, sides.node].filter((side) => side !== undefined);
    const queue = fillQueue(join(directory, 'queue'), jobs);
    /** @param {import('./sides.mjs').Side} side */
    const command = ({ fspl }) => quote([...fspl, 'queue-ls', '-q', queue]);
    const measured = {
      // The count warms the cache up as well.
      seconds: await alternate(rounds, everybody, async (side) => (await run(command(side))) / 1000),
      memory: await alternate(1, everybody, async (side) => {
        await run(`[ "$(${command(side)} | wc -l)" -eq ${jobs + 1} ]`);
        return memoryOf(directory, command(side));
      }),
    };
    rmSync(queue, { recursive: true });
    const name = `${jobs} jobs`;
    return [
      {
        title: `queue-ls, a new process, files in the cache (median of ${rounds} runs)`,
        unit: 's',
        better: 'less',
        rows: [{ name, values: measured.seconds }],
      },
      { title: 'Peak memory of it', unit: 'MB', better: 'less', rows: [{ name, values: measured.memory }] },
    ];
  },
};
