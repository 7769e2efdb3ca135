// @ts-check
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createDirQueue } from '../dist/dirqueue/dirqueue.js';
import { realMachine } from '../dist/os/real/index.js';
import { run } from './measure.mjs';

const WORKER = fileURLToPath(new URL('dirqueue-worker.mjs', import.meta.url));
const STAND_IN = fileURLToPath(new URL('../test/support/original-dirqueue.pl', import.meta.url));
const PERL = '/usr/bin/perl';
const ROUNDS = 3;
/** The stand-in lists the directory again for each job: so many show how fast it is with so many waiting. */
const FEW = 100;

/** @typedef {(queue: string) => Promise<number>} Measure jobs a second, in a queue of its own */

/**
 * @param {...(string | number)} words
 * @returns {Promise<Record<string, number>>} what it printed
 */
async function worker(...words) {
  const { stdout } = await promisify(execFile)(process.execPath, [WORKER, ...words.map(String)]);
  return JSON.parse(stdout);
}

/**
 * @param {number} jobs
 * @param {...string} words
 */
async function standIn(jobs, ...words) {
  const { stdout } = await promisify(execFile)(PERL, [STAND_IN, ...words, String(jobs)]);
  return (jobs * 1000) / Number(stdout);
}

/** @param {string} level @param {number} count @returns {Measure} */
const add =
  (level, count, atOnce = 1) =>
  async (queue) => {
    const { ms = Number.NaN } = await worker('add', queue, level, count, atOnce);
    return (count * 1000) / ms;
  };

/** @param {string} level @param {number} count @returns {Measure} */
const addAll = (level, count) => async (queue) => {
  const { ms = Number.NaN } = await worker('add-all', queue, level, count);
  return (count * 1000) / ms;
};

/** @param {string} level @param {number} waiting @param {number} count @returns {Measure} by one worker */
const drainOne = (level, waiting, count) => async (queue) => {
  await fill(queue, waiting);
  const { ms = Number.NaN } = await worker('drain', queue, level, count);
  return (count * 1000) / ms;
};

/** @param {string} level @param {number} jobs @param {number} processes @returns {Measure} all of them, start included */
const drain = (level, jobs, processes) => async (queue) => {
  await fill(queue, jobs);
  const started = performance.now();
  const reports = await Promise.all(Array.from({ length: processes }, () => worker('drain', queue, level)));
  const done = reports.reduce((sum, report) => sum + (report.jobs ?? 0), 0);
  if (done !== jobs) throw new Error(`${done} of ${jobs} jobs were run`);
  return (jobs * 1000) / (performance.now() - started);
};

/** @param {'ordered' | 'unordered'} how @param {number} waiting @param {number} count @returns {Measure} */
const drainByStandIn = (how, waiting, count) => async (queue) => {
  await fill(queue, waiting);
  return standIn(count, 'drain', queue, how);
};

/** @param {string} queue @param {number} jobs */
async function fill(queue, jobs) {
  await worker('add-all', queue, 'crash-safe', jobs);
  await run('sync');
}

/**
 * In turns, each in a new queue. Nothing is removed in between: ext4 does not give away inodes that became free a
 * moment ago, and looks at each of them for every new file.
 *
 * @param {string} directory
 * @param {Record<string, Measure>} sides
 * @returns {Promise<Record<string, number>>} the middle one of each
 */
async function inTurns(directory, sides) {
  /** @type {Record<string, number[]>} */
  const all = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const [side, measure] of Object.entries(sides)) {
      const queue = join(directory, `queue-${made++}`);
      await createDirQueue(realMachine, queue);
      const rates = all[side] ?? [];
      all[side] = rates;
      rates.push(await measure(queue));
    }
  }
  const middle = Object.entries(all).map(([side, rates]) => {
    return [side, rates.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? Number.NaN];
  });
  return Object.fromEntries(middle);
}

let made = 0;

/** @type {import('./report.mjs').Topic} */
export const dirqueue = {
  name: 'dirqueue',
  about: 'queues of IPC::DirQueue: adding, draining, and taking from a large backlog, by the library on Node',
  run: async ({ directory, quick }) => {
    const jobs = quick ? 1000 : 10_000;
    const few = jobs / 10;
    const backlog = quick ? 10_000 : 100_000;
    /** @param {Record<string, Measure>} ours @param {Record<string, Measure>} others */
    const compared = async (ours, others) => {
      const values = await inTurns(directory, existsSync(PERL) ? { ...ours, ...others } : ours);
      const [first = Number.NaN, other] = Object.values(values);
      return other === undefined ? values : { ...values, 'ours/stand-in': first / other };
    };
    const unsynced = [
      {
        name: 'add, one after the other',
        values: await compared(
          { ours: add('crash-safe', jobs) },
          { 'stand-in': (queue) => standIn(jobs, 'fill', queue) },
        ),
      },
      { name: 'add, 16 at once', values: await inTurns(directory, { ours: add('crash-safe', jobs, 16) }) },
      { name: 'add, all together', values: await inTurns(directory, { ours: addAll('crash-safe', jobs) }) },
      {
        name: `drain of ${jobs}; stand-in: in any order`,
        values: await compared(
          { ours: drainOne('crash-safe', jobs, jobs) },
          { 'stand-in': drainByStandIn('unordered', jobs, jobs) },
        ),
      },
      {
        name: `the first ${few} of ${jobs}, in order`,
        values: await compared(
          { ours: drainOne('crash-safe', jobs, few) },
          { 'stand-in': drainByStandIn('ordered', jobs, FEW) },
        ),
      },
      {
        name: `drain of ${jobs} by 1 process`,
        values: await inTurns(directory, { ours: drain('crash-safe', jobs, 1) }),
      },
      { name: `by 4 processes`, values: await inTurns(directory, { ours: drain('crash-safe', jobs, 4) }) },
    ];
    const synced = [
      {
        name: 'add, one after the other',
        values: await inTurns(directory, { ours: add('power-safe', few) }),
      },
      { name: 'add, 16 at once', values: await inTurns(directory, { ours: add('power-safe', few, 16) }) },
      { name: 'add, all together', values: await inTurns(directory, { ours: addAll('power-safe', jobs) }) },
      {
        name: `drain of ${jobs} by 1 process`,
        values: await inTurns(directory, { ours: drain('power-safe', jobs, 1) }),
      },
      { name: `by 4 processes`, values: await inTurns(directory, { ours: drain('power-safe', jobs, 4) }) },
    ];
    const queue = join(directory, 'backlog');
    mkdirSync(queue);
    if (existsSync(PERL)) await standIn(backlog, 'fill', queue);
    else {
      mkdirSync(join(queue, 'queue'));
      await fill(queue, backlog);
    }
    const taking = [];
    for (const level of ['power-safe', 'crash-safe']) {
      const { cold = Number.NaN, warm = Number.NaN } = await worker('first', queue, level);
      taking.push({ name: level, values: { 'first, ms': cold, 'next, ms': warm } });
    }
    if (existsSync(PERL)) {
      const one = 1000 / (await standIn(FEW / 10, 'drain', queue, 'ordered'));
      taking.push({ name: 'stand-in', values: { 'first, ms': one, 'next, ms': one } });
    }
    return [
      { title: 'Queues of IPC::DirQueue, nothing synced, jobs/s', unit: '', better: 'more', rows: unsynced },
      { title: 'The same, all synced (power-safe), ours only', unit: '', better: 'more', rows: synced },
      { title: `Taking and finishing with ${backlog} waiting`, unit: '', better: 'less', rows: taking },
    ];
  },
};
