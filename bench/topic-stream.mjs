// @ts-check
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { alternate, peakMegabytes, quote, run, watched } from './measure.mjs';
import { expectJobs, makeQueue } from './queues.mjs';

const MB = 1_000_000;

/**
 * One job through a queue, every stage's memory watched.
 *
 * @param {string} directory
 * @param {import('./sides.mjs').Side} side
 * @param {number} megabytes
 */
async function sendAndProcess(directory, { fspl }, megabytes) {
  const queue = makeQueue(join(directory, 'queue'));
  /** @param {string} stage */
  const file = (stage) => join(directory, `${stage}.json`);
  const prepare = watched(quote([...fspl, 'prepare', '-s', '-', '-i', '-']), file('prepare'));
  const write = watched(quote([...fspl, 'queue-write', '-q', queue]), file('write'));
  const work = watched(quote([...fspl, 'queue-process', '-q', queue, 'cat']), file('process'));
  const sendMs = await run(`head -c ${megabytes * MB} /dev/zero | ${prepare} | ${write}`);
  expectJobs(queue, 1);
  const processMs = await run(work);
  expectJobs(queue, 0);
  rmSync(queue, { recursive: true });
  return {
    send: (megabytes * 1000) / sendMs,
    process: (megabytes * 1000) / processMs,
    prepareMemory: peakMegabytes(file('prepare')),
    writeMemory: peakMegabytes(file('write')),
    processMemory: peakMegabytes(file('process')),
  };
}

/** @typedef {Awaited<ReturnType<typeof sendAndProcess>>} Passage */

/**
 * @param {string} directory
 * @param {readonly import('./sides.mjs').Side[]} compared
 * @param {number} megabytes
 * @param {number} rounds
 * @returns {Promise<import('./report.mjs').Table[]>}
 */
async function measure(directory, compared, megabytes, rounds) {
  /** @type {Map<string, Passage[]>} */
  const passages = new Map();
  await alternate(rounds, compared, async (side) => {
    const passage = await sendAndProcess(directory, side, megabytes);
    passages.set(side.name, [...(passages.get(side.name) ?? []), passage]);
    return 0;
  });
  /** @param {keyof Passage} what */
  const medians = async (what) => {
    const queues = new Map(Array.from(passages, ([name, list]) => [name, list.map((each) => each[what])]));
    return alternate(rounds, compared, async ({ name }) => queues.get(name)?.shift() ?? Number.NaN);
  };
  const runs = rounds === 1 ? 'one run' : `median of ${rounds} runs`;
  return [
    {
      title: `A payload of ${megabytes} MB (${runs})`,
      unit: 'MB/s',
      better: 'more',
      rows: [
        { name: 'prepare -i - | queue-write', values: await medians('send') },
        { name: 'queue-process cat', values: await medians('process') },
      ],
    },
    {
      title: 'Peak memory of each process',
      unit: 'MB',
      better: 'less',
      rows: [
        { name: 'prepare -i -', values: await medians('prepareMemory') },
        { name: 'queue-write', values: await medians('writeMemory') },
        { name: 'queue-process cat', values: await medians('processMemory') },
      ],
    },
  ];
}

/** @type {import('./report.mjs').Topic} */
export const stream = {
  name: 'stream',
  about: 'one big payload through a queue',
  run: async ({ directory, sides, quick }) => {
    const both = [sides.real, sides.executable].filter((side) => side !== undefined);
    return measure(directory, both, quick ? 200 : 2000, quick ? 1 : 3);
  },
};

/** @type {import('./report.mjs').Topic} */
export const huge = {
  name: 'huge',
  about: '10 GB through our own queue',
  run: ({ directory, sides }) => measure(directory, [sides.executable], 10_000, 1),
};
