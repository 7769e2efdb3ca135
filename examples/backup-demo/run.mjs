// @ts-check
/**
 * Five nights of incremental backups, GNU tar through fspl, and a courier who mixes the packets up.
 *
 *     npm run demo
 *     npm run demo -- --seed 7
 */

import { parseArgs } from 'node:util';
import { bold, dim, say } from './screen.mjs';
import { play } from './story.mjs';
import { Failure, findFspl, findTar, Workplace } from './workplace.mjs';

const HELP = `Usage: node examples/backup-demo/run.mjs [--seed N] [--keep]

Backs up a directory five nights long with GNU tar and fspl, delivers the
packets out of order, restores them, and compares the two trees.

  --seed N   The courier's mind, a whole number up to 4294967295 [default: any]
  --keep     Leave the directory with everything in it, and say where it is
  --help     Show this

Exit status: 0 the trees are equal, 1 they are not or something is missing,
2 bad usage, 128 + N ended by signal N.
`;

const SEED_LIMIT = 2 ** 32;
/** @type {[NodeJS.Signals, number][]} */
const SIGNALS = [
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGTERM', 15],
];

/** @typedef {{ seed: number, keep: boolean, help: boolean }} Options */

/** @returns {Options} */
function readOptions() {
  const { values } = parseArgs({
    options: { seed: { type: 'string' }, keep: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  const { seed = String(Math.floor(Math.random() * 1000)), keep = false, help = false } = values;
  if (!/^\d{1,10}$/.test(seed) || Number(seed) >= SEED_LIMIT) {
    throw new TypeError(`Expected --seed to be a whole number from 0 to ${SEED_LIMIT - 1}, got ${seed}`);
  }
  return { seed: Number(seed), keep, help };
}

/**
 * @param {Options} options
 * @returns {Promise<number>} the exit code
 */
async function demo({ seed, keep }) {
  const fspl = findFspl();
  const tar = findTar();
  /** @type {Workplace | undefined} */
  let workplace;
  const close = async () => {
    await workplace?.close({ keep });
    if (keep && workplace) process.stderr.write(`\nEverything is in ${workplace.root}\n`);
  };
  let leaving = false;
  /** @param {number} code */
  const leave = (code) => {
    if (leaving) return;
    leaving = true;
    void close().finally(() => process.exit(code));
  };
  for (const [signal, number] of SIGNALS) process.on(signal, () => leave(128 + number));
  // Whoever read our output has gone, as `head` does.
  process.stdout.on('error', () => leave(1));

  workplace = new Workplace();
  try {
    workplace.furnish(fspl, tar);
    say(bold('Five nights of backups, and a courier who mixes them up'));
    say();
    say(dim(`  ${fspl.name}, ${tar.version}, --seed ${seed}`));
    say(dim('  What stands after a $ is what was run, word for word.'));
    return (await play(workplace, seed)) ? 0 : 1;
  } finally {
    await close();
  }
}

/** @param {unknown} error */
function complain(error) {
  process.stderr.write(`Error: ${error instanceof Error ? error.message : error}\n`);
}

/** @returns {Promise<number>} the exit code */
async function main() {
  /** @type {Options} */
  let options;
  try {
    options = readOptions();
  } catch (error) {
    complain(error);
    return 2;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  try {
    return await demo(options);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    complain(error);
    return 1;
  }
}

process.exitCode = await main();
