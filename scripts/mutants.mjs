#!/usr/bin/env node
/**
 * Mutation testing: changes src/ a little in every way Stryker knows, runs the tests written for that part on each
 * change, and reports the changes that no test notices.
 *
 *     node scripts/mutants.mjs                 every part
 *     node scripts/mutants.mjs packet spool    these folders
 *     node scripts/mutants.mjs spool/session   this part
 *
 * Only a part's own tests run: a rule is to be protected where it is written. What an earlier run found is used again
 * for what has not changed since (tmp/mutants).
 */

import { spawnSync } from 'node:child_process';

const CONTRACT = 'test/contract/spool.test.ts';

const home = (...names) => names.map((name) => `test/spool/home/${name}.test.ts`);

/** What is changed, below src/, and what is to notice. */
const PARTS = {
  packet: ['test/packet/*.test.ts'],
  queue: ['test/queue/*.test.ts'],
  'spool/add': ['test/spool/add.test.ts'],
  'spool/add-job': ['test/spool/add-job.test.ts'],
  'spool/add-all': ['test/spool/add-all.test.ts'],
  'spool/layout': ['test/spool/spool.test.ts'],
  'spool/new-job': ['test/spool/new-job.test.ts', 'test/spool/add-job.test.ts'],
  'spool/open-packet': ['test/spool/open-packet.test.ts'],
  'spool/queue-files': ['test/spool/queue-files.test.ts'],
  'spool/sender': ['test/spool/sender.test.ts'],
  'spool/sequence-file': ['test/spool/sequence-file.test.ts'],
  'spool/session': ['test/spool/session.test.ts', CONTRACT],
  'spool/spool': ['test/spool/spool.test.ts', CONTRACT],
  'spool/home/claim': home('session', 'receipts'),
  'spool/home/job-name': home('job-name'),
  'spool/home/lane-numbers': home('lane-numbers'),
  'spool/home/receipts': home('receipts'),
  'spool/home/recovery': home('recovery'),
  'spool/home/settle': home('session', 'stopped-lanes', 'receipts'),
  'spool/home/share': home('share'),
  'spool/home/stopped-lanes': home('stopped-lanes'),
  'spool/home/take': home('session', 'stopped-lanes', 'receipts'),
  'spool/home/terms': home('terms'),
  'spool/home/waiting': home('waiting'),
  'spool/home/why-idle': home('session', 'stopped-lanes', 'receipts'),
  'spool/home/worker-rooms': home('worker-rooms'),
  'spool/home/own-room': home('worker-rooms'),
  'spool/home/dead-room': home('worker-rooms', 'recovery'),
};

/** Parts of whose tests Stryker does not find out what each runs: then each change is tried on all of them. */
const UNTRACED = ['spool/queue-files'];

const asked = process.argv.slice(2);
const wanted = Object.entries(PARTS).filter(
  ([part]) => asked.length === 0 || asked.some((name) => part === name || part.startsWith(`${name}/`)),
);
if (wanted.length === 0) throw new Error(`Expected one of ${Object.keys(PARTS).join(', ')}, got ${asked}`);

for (const [part, tests] of wanted) {
  const files = part.includes('/') ? `src/${part}.ts` : `src/${part}/*.ts`;
  const place = `tmp/mutants/${part.replaceAll('/', '-')}`;
  const untraced = UNTRACED.includes(part) ? ['--coverageAnalysis', 'off'] : [];
  const { status } = spawnSync(
    'node_modules/.bin/stryker',
    ['run', '--mutate', files, '--incrementalFile', `${place}.json`, '--tempDirName', place, ...untraced],
    { stdio: 'inherit', env: { ...process.env, MUTANTS_TESTS: tests.join(' ') } },
  );
  if (status !== 0) process.exitCode = 1;
}
