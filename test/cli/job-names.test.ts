/** How the messages of fspl's commands name a job: by its file, as the original's users know it. */

import { basename } from 'node:path';
import { expect, it } from 'vitest';
import { fspl } from '../../src/cli/fspl/main.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { createSpool } from '../../src/spool/spool.ts';
import { putJob } from '../support/packets.ts';
import { listening } from '../support/spoken.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();

it.each([
  ['retry', 1],
  ['leave', 0],
])('a job that failed is named by its file, with --on-error %s', async (onError, status) => {
  const path = temporary.path('queue');
  const queue = await createSpool(realMachine, path);
  await queue.add({});
  putJob(path, 'theirs', { seq: 2 });
  const [ours] = (await queue.jobs()).jobs;
  const { machine, said } = listening();
  expect(await fspl(machine, ['queue-process', '-q', path, '--on-error', onError, 'false'])).toBe(status);
  expect(said.stderr).toContain(`job 1 (${basename(ours?.path ?? '')}) failed: it ended with exit code 1`);
  if (onError === 'leave') expect(said.stderr).toContain('job 2 (fspl-theirs.fspl) failed');
});
