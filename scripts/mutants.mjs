#!/usr/bin/env node
/**
 * Mutation testing: changes src/ a little in every way Stryker knows, runs the tests of that folder on each change,
 * and reports the changes that no test notices. `node scripts/mutants.mjs [FOLDER...]`, default: all of them.
 *
 * A folder at a time, with its own tests only: a rule is to be protected where it is written. What an earlier run
 * found is used again for what has not changed since (tmp/mutants).
 */

import { spawnSync } from 'node:child_process';

const TESTS = {
  packet: ['test/packet/*.test.ts'],
  queue: ['test/queue/*.test.ts'],
  spool: ['test/spool/*.test.ts', 'test/contract/*.test.ts'],
};

const asked = process.argv.slice(2);
for (const folder of asked.length > 0 ? asked : Object.keys(TESTS)) {
  const tests = TESTS[folder];
  if (tests === undefined) throw new Error(`Expected one of ${Object.keys(TESTS).join(', ')}, got ${folder}`);
  const { status } = spawnSync(
    'node_modules/.bin/stryker',
    ['run', '--mutate', `src/${folder}/*.ts`, '--incrementalFile', `tmp/mutants/${folder}.json`],
    { stdio: 'inherit', env: { ...process.env, MUTANTS_TESTS: tests.join(' ') } },
  );
  if (status !== 0) process.exitCode = 1;
}
