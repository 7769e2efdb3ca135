// @ts-check
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { alternate, loop, quote, run } from './measure.mjs';
import { expectJobs, makeQueue } from './queues.mjs';

const AT_ONCE = 16;

/** @type {import('./report.mjs').Topic} */
export const pairs = {
  name: 'pairs',
  about: '`prepare | queue-write`, one after the other and 16 at once',
  run: async ({ directory, sides, quick }) => {
    const rounds = quick ? 3 : 5;
    const both = [sides.real, sides.executable].filter((side) => side !== undefined);
    const queue = join(directory, 'queue');

    /**
     * Pairs per second, each of the senders with a sequence file of its own.
     *
     * @param {import('./sides.mjs').Side} side
     * @param {number} senders
     * @param {number} each
     */
    const measure = async ({ fspl }, senders, each) => {
      makeQueue(queue);
      const write = quote([...fspl, 'queue-write', '-q', queue]);
      const lines = Array.from({ length: senders }, (_, sender) => {
        const prepare = quote([...fspl, 'prepare', '-s', join(queue, `sender-${sender}`)]);
        return `{ ${loop(each, `${prepare} | ${write}`)}; } &`;
      });
      const ms = await run(`${lines.join('\n')}\nwait`);
      expectJobs(queue, senders * each);
      rmSync(queue, { recursive: true });
      return (senders * each * 1000) / ms;
    };

    const sequential = quick ? 20 : 200;
    const each = quick ? 2 : 25;
    return [
      {
        title: `prepare | queue-write (median of ${rounds} runs of ${sequential} and of ${AT_ONCE} x ${each})`,
        unit: 'pairs/s',
        better: 'more',
        rows: [
          {
            name: 'one after the other',
            values: await alternate(rounds, both, (side) => measure(side, 1, sequential)),
          },
          {
            name: `${AT_ONCE} senders at once`,
            values: await alternate(rounds, both, (side) => measure(side, AT_ONCE, each)),
          },
        ],
      },
    ];
  },
};
