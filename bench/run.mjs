// @ts-check
/**
 * Measures our fspl beside the real one. `npm run bench -- --help` tells the options, README.md what is measured.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine, formatMachine } from './machine.mjs';
import { interrupt } from './measure.mjs';
import { formatTable } from './report.mjs';
import { findSides } from './sides.mjs';
import { backlog } from './topic-backlog.mjs';
import { claims } from './topic-claims.mjs';
import { decoder } from './topic-decoder.mjs';
import { dirqueue } from './topic-dirqueue.mjs';
import { fsq } from './topic-fsq.mjs';

import { list } from './topic-list.mjs';
import { media } from './topic-media.mjs';
import { pairs } from './topic-pairs.mjs';
import { parallel } from './topic-parallel.mjs';
import { processing } from './topic-process.mjs';
import { start } from './topic-start.mjs';
import { huge, stream } from './topic-stream.mjs';
import { wake } from './topic-wake.mjs';

const TOPICS = [
  start,
  pairs,
  processing,
  stream,
  list,
  decoder,
  parallel,
  claims,
  backlog,
  wake,
  dirqueue,
  fsq,
  media,
];

const HELP = `Usage: npm run bench -- [OPTIONS]

Measures our fspl beside the real one, which is the \`fspl\` in PATH.

  --only NAME   only this topic; may be given several times
  --quick       small sizes, less than a minute in all
  --huge        the topic \`huge\` only: 10 GB through our own queue
  --real FILE   the real program
  --dir DIR     where to work: on the file system to be measured [default: ${tmpdir()}]
  --json FILE   write the results there too
  --help        print this

Topics:
${[...TOPICS, huge].map(({ name, about }) => `  ${name.padEnd(12)}  ${about}`).join('\n')}
`;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    huge: { type: 'boolean', default: false },
    real: { type: 'string' },
    dir: { type: 'string', default: tmpdir() },
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

/** The topics asked for. Throws when there is no such topic. */
function chosen() {
  if (options.huge) return [huge];
  const names = options.only ?? TOPICS.map(({ name }) => name);
  return names.map((name) => {
    const topic = [...TOPICS, huge].find((candidate) => candidate.name === name);
    if (topic === undefined) throw new Error(`There is no topic "${name}"; --help lists them`);
    return topic;
  });
}

async function main() {
  const topics = chosen();
  const sides = findSides(options.real);
  const directory = mkdtempSync(join(options.dir, 'intray-bench-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => {
      stopped = true;
      interrupt();
    });
  }
  const machine = describeMachine(directory, sides);
  console.log(formatMachine(machine));
  /** @type {Record<string, import('./report.mjs').Table[]>} */
  const results = {};
  for (const { name, about, run } of topics) {
    console.log(`\n${name}: ${about}`);
    const ownDirectory = join(directory, name);
    mkdirSync(ownDirectory);
    const tables = await run({ directory: ownDirectory, sides, quick: options.quick });
    rmSync(ownDirectory, { recursive: true });
    for (const table of tables) console.log(formatTable(table));
    results[name] = tables;
  }
  if (options.json !== undefined) {
    const { quick } = options;
    writeFileSync(options.json, `${JSON.stringify({ ...machine, quick, results }, undefined, 2)}\n`);
  }
}

let stopped = false;

if (options.help) {
  console.log(HELP);
} else {
  try {
    await main();
  } catch (error) {
    // After Ctrl-C the run it interrupted fails, as it must.
    if (!stopped) console.error(error instanceof Error ? error.message : error);
    process.exitCode = stopped ? 130 : 1;
  }
}
