/** The tests that scripts/mutants.mjs names. Stryker's own option for them does not switch on static mutants. */

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: (process.env.MUTANTS_TESTS ?? 'test/{packet,queue,spool}/*.test.ts').split(' '),
    exclude: ['test/packet/original.test.ts'], // not there on every machine
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
