// @ts-check
/** Running programs, and measuring how long they take and how much memory. */

import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const WAITER = fileURLToPath(new URL('wait-for-memory.mjs', import.meta.url));

/** The same few variables for everybody, whoever runs this. */
const ENVIRONMENT = {
  PATH: process.env.PATH ?? '/usr/bin:/bin',
  HOME: '/nonexistent',
  SHELL: '/bin/sh',
  LC_ALL: 'C.UTF-8',
};

/** @type {import('node:child_process').ChildProcess | undefined} */
let running;
let interrupted = false;

/** Ends the run that is going on, and with an error whatever would come next. */
export function interrupt() {
  interrupted = true;
  if (running?.pid !== undefined) process.kill(-running.pid, 'SIGTERM');
}

/**
 * Runs one shell line in a process group of its own. Throws when it does not end with 0. Its output goes nowhere.
 *
 * @param {string} line
 * @param {Record<string, string>} [variables]
 * @returns {Promise<number>} milliseconds
 */
export async function run(line, variables = {}) {
  if (interrupted) throw new Error('interrupted');
  const started = performance.now();
  const child = spawn('/bin/sh', ['-c', line], {
    detached: true,
    env: { ...ENVIRONMENT, ...variables },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  running = child;
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said = (said + text).slice(-2000);
  });
  const [code, signal] = await new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (...how) => resolve(how));
  });
  running = undefined;
  if (code !== 0) throw new Error(`${signal ?? `exit code ${code}`} from: ${line}\n${said}`);
  return performance.now() - started;
}

/**
 * Words as one shell line.
 *
 * @param {readonly (string | number)[]} words
 */
export function quote(words) {
  return words.map((word) => `'${String(word).replaceAll("'", "'\\''")}'`).join(' ');
}

/**
 * A loop around a shell line: `times` calls from one shell, so that the fork of a big runtime is not in the
 * measurement.
 *
 * @param {number} times
 * @param {string} line
 */
export function loop(times, line) {
  return `i=0; while [ $i -lt ${times} ]; do ${line} || exit 1; i=$((i + 1)); done`;
}

/**
 * The same command, with its peak memory written to `file`; see wait-for-memory.mjs for how.
 *
 * @param {string} command words as \`quote\` makes them, without redirections
 * @param {string} file
 */
export function watched(command, file) {
  const shell = `exec 3<&0; ${command} <&3 3<&- & exec ${quote([process.execPath, WAITER])} $! ${quote([file])} 3<&-`;
  return `/bin/sh -c ${quote([shell])}`;
}

/**
 * What `watched` wrote.
 *
 * @param {string} file
 * @returns {number} megabytes
 */
export function peakMegabytes(file) {
  const { peakKilobytes } = JSON.parse(readFileSync(file, 'utf8'));
  return peakKilobytes / 1024;
}

/**
 * Runs a command once and tells its peak memory.
 *
 * @param {string} directory for the answer
 * @param {string} command
 * @param {string} [redirections] such as `< FILE`
 * @returns {Promise<number>} megabytes
 */
export async function memoryOf(directory, command, redirections = '') {
  const file = join(directory, 'memory.json');
  await run(`${watched(command, file)} ${redirections}`);
  const peak = peakMegabytes(file);
  rmSync(file);
  return peak;
}

/**
 * Takes turns, A B A B, so that whatever else the machine does at the time falls on all alike.
 *
 * @template {{ readonly name: string }} S
 * @param {number} rounds
 * @param {readonly S[]} sides
 * @param {(side: S) => Promise<number>} measureOne
 * @returns {Promise<Record<string, number>>} the median for each side, by name
 */
export async function alternate(rounds, sides, measureOne) {
  /** @type {Map<string, number[]>} */
  const samples = new Map(sides.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const side of sides) samples.get(side.name)?.push(await measureOne(side));
  }
  return Object.fromEntries(Array.from(samples, ([name, numbers]) => [name, median(numbers)]));
}

/**
 * @param {readonly number[]} numbers
 * @returns {number}
 */
function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
