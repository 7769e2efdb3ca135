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

/** Tests of `src/spool/home`, below `test/spool/home`. */
const home = (...names) => names.map((name) => `test/spool/home/${name}.test.ts`);

/** What goes all the way from a waiting job to one that is over. */
const WHOLE_WAY = home('working/session', 'working/stopped-lanes', 'receipts');

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
  'spool/home/working/claim': home('working/session', 'receipts'),
  'spool/home/job-name': home('job-name'),
  'spool/home/lane-numbers': home('lane-numbers'),
  'spool/home/receipts': home('receipts'),
  'spool/home/working/recovery': home('working/recovery'),
  'spool/home/working/settle': WHOLE_WAY,
  'spool/home/share': home('share'),
  'spool/home/working/stopped-lanes': home('working/stopped-lanes'),
  'spool/home/working/take': WHOLE_WAY,
  'spool/home/terms': home('terms'),
  'spool/home/working/waiting': home('working/waiting'),
  'spool/home/waiting-job': home('working/waiting', 'working/session'),
  'spool/home/working/why-idle': WHOLE_WAY,
  'spool/home/worker-rooms': home('worker-rooms'),
  'spool/home/own-room': home('worker-rooms'),
  'spool/home/dead-room': home('worker-rooms', 'working/recovery'),
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
