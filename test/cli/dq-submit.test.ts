/** `dq-submit` whose standard output breaks. */

import { readdirSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { newContext } from '../../src/cli/context.ts';
import { submit } from '../../src/cli/dq/submit.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();

it('says of all that it has begun what became of it, and begins no more', async () => {
  const files = Array.from({ length: 40 }, (_, n) => temporary.path(`file-${n}`));
  for (const file of files) writeFileSync(file, 'x');
  const told: string[] = [];
  const context = {
    ...newContext(realMachine, 'dq-submit', 'info'),
    print: async () => {
      throw Object.assign(new Error('EPIPE'), { code: 'EPIPE', syscall: 'write' });
    },
    complain: async (text: string) => void told.push(text),
  };
  const queue = temporary.path('queue');
  const given = { values: new Map([['dir', [queue]]]), flags: new Set<string>(), words: files };
  await expect(submit(context, given)).rejects.toThrow('EPIPE');
  const queued = readdirSync(`${queue}/queue`);
  expect(queued).toHaveLength(16);
  expect(told).toEqual(
    files.slice(0, 16).map((file) => `dq-submit: ${file}: enqueued, which could not be told\n`),
  );
});
