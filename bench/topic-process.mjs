// @ts-check
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { alternate, memoryOf, quote, run } from './measure.mjs';
import { expectJobs, expectNext, fillQueue } from './queues.mjs';

/** @type {import('./report.mjs').Topic} */
export const processing = {
  name: 'process',
  about: '`queue-process` of many jobs of /bin/true',
  run: async ({ directory, sides, quick }) => {
    const jobs = quick ? 200 : 2000;
    const rounds = quick ? 3 : 7;
    const everybody = [sides.real, sides.executable, sides.node].filter((side) => side !== undefined);
    const prepared = fillQueue(join(directory, 'prepared'), jobs);
    const queue = join(directory, 'queue');

    /**
     * @param {import('./sides.mjs').Side} side
     * @param {(command: string) => Promise<number>} measureOne
     */
    const withCopy = async ({ fspl }, measureOne) => {
      // Synced: what copying left to be written is not to be waited for in the first fsync.
      await run(`cp -R ${quote([prepared, queue])} && sync`);
      const measured = await measureOne(quote([...fspl, 'queue-process', '-q', queue, '/bin/true']));
      expectJobs(queue, 0);
      expectNext(queue, jobs + 1);
      rmSync(queue, { recursive: true });
      return measured;
    };

    const speed = await alternate(rounds, everybody, (side) =>
      withCopy(side, async (command) => (jobs * 1000) / (await run(command))),
    );
    const memory = await alternate(1, everybody, (side) =>
      withCopy(side, (command) => memoryOf(directory, command)),
    );
    rmSync(prepared, { recursive: true });
    return [
      {
        title: `queue-process of ${jobs} jobs of /bin/true (median of ${rounds} runs)`,
        unit: 'jobs/s',
        better: 'more',
        rows: [{ name: '/bin/true', values: speed }],
      },
      {
        title: 'Peak memory of it',
        unit: 'MB',
        better: 'less',
        rows: [{ name: '/bin/true', values: memory }],
      },
    ];
  },
};
