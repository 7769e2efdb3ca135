/** Job files that have more names than one: sim/ goes through the races. */

import { linkSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { realMachine } from '../../../src/os/real/index.ts';
import { openSpool } from '../../../src/spool/spool.ts';
import { addNamed, claimFrom, deadWorker, homeQueue, jobFiles } from '../../support/home-queues.ts';
import { recordingFiles } from '../../support/recording-files.ts';
import { useTemporary } from '../../support/temporary.ts';

const temporary = useTemporary();
const MANY = 50;

it('jobs that were brought by link(2) are not looked for in the whole queue one by one', async () => {
  const path = temporary.path('q');
  const queue = await homeQueue(path);
  await queue.addAll(Array.from({ length: MANY }, (_, n) => ({ payload: `${n}` })));
  const outbox = temporary.path('outbox');
  mkdirSync(outbox);
  for (const name of jobFiles(path)) linkSync(join(path, 'jobs', name), join(outbox, name));
  const recording = recordingFiles(realMachine.files);
  const session = await (await openSpool({ ...realMachine, files: recording.files }, path)).join();
  for (let n = 0; n < MANY; n++) await (await claimFrom(session)).succeed();
  expect((await session.claim()).kind).toBe('idle');
  await session.close();
  const listed = recording.told(path, 'readdir').filter((call) => call === 'readdir jobs');
  expect(listed.length).toBeLessThan(MANY / 5);
});

it('a job that a power cut has left in jobs/ and with its dead worker too is run once', async () => {
  const path = temporary.path('q');
  const queue = await homeQueue(path);
  await addNamed(queue, 'torn');
  await addNamed(queue, 'whole');
  const [torn = ''] = jobFiles(path);
  const kept = temporary.path('kept');
  linkSync(join(path, 'jobs', torn), kept);
  deadWorker(path, torn, 'elsewhere');
  linkSync(kept, join(path, 'jobs', torn));
  const session = await queue.join();
  const claim = await claimFrom(session);
  expect(claim.job.work).toMatchObject({ params: ['whole'] });
  await claim.succeed();
  expect((await session.claim()).kind).toBe('idle');
  expect(jobFiles(path)).toEqual([]);
  await session.close();
});
