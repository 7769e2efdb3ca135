/** What is kept between looks: it must show what a look from scratch would. */

import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { realMachine } from '../../../../src/os/real/index.ts';
import type { Queue } from '../../../../src/queue/contract.ts';
import { isQueueError } from '../../../../src/queue/errors.ts';
import type { QueueSnapshot } from '../../../../src/queue/snapshot.ts';
import { openSpoolKeeper } from '../../../../src/spool/home/keeper.ts';
import { writeSettings } from '../../../../src/spool/home/rooms.ts';
import { takeSnapshot } from '../../../../src/spool/home/seeing/snapshot.ts';
import { addNamed, claimFrom, homeQueue, jobFiles } from '../../../support/home-queues.ts';
import { machineWith, machineWithFiles, shiftedClock } from '../../../support/machines.ts';
import { putJob } from '../../../support/packets.ts';
import { useTemporary } from '../../../support/temporary.ts';

const temporary = useTemporary();
const HOUR_MS = 3_600_000;

/** The first job file in `jobs/`, if there is any, by its path. */
function first(path: string): string | undefined {
  const [name] = jobFiles(path);
  return name === undefined ? undefined : join(path, 'jobs', name);
}

/** What may become of a queue between two looks. */
const CHANGES: Record<string, (queue: Queue, path: string) => Promise<unknown> | unknown> = {
  'a job comes': (queue) => addNamed(queue, 'plain'),
  'one before the others comes': (queue) => addNamed(queue, 'urgent', { priority: 1 }),
  'one of a lane comes': (queue) => addNamed(queue, 'laned', { lane: 'alice' }),
  'one for later comes': (queue) => addNamed(queue, 'later', { notBefore: new Date(Date.now() + HOUR_MS) }),
  'one of fspl comes': (_queue, path) => putJob(path, 'foreign', { seq: 1n }),
  'one is run': async (queue) => {
    const session = await queue.join();
    const claim = await session.claim();
    if (claim.kind === 'claim') await claim.succeed();
    await session.close();
  },
  'one is to be tried again': async (queue) => {
    const session = await queue.join();
    const claim = await session.claim();
    if (claim.kind === 'claim') await claim.retry(Date.now() + HOUR_MS, 'no');
    await session.close();
  },
  'one is removed by hand': (_queue, path) => rmSync(first(path) ?? 'nothing', { force: true }),
  'one becomes a link': (_queue, path) => {
    const file = first(path);
    if (file === undefined) return;
    renameSync(file, `${path}/elsewhere`);
    symlinkSync(`${path}/elsewhere`, file);
  },
  'a temporary file comes': (_queue, path) => writeFileSync(`${path}/jobs/x.tmp`, ''),
  'a broken one comes': (_queue, path) => writeFileSync(`${path}/jobs/fspl-broken.fspl`, 'no packet'),
  'a broken one goes': (_queue, path) => rmSync(`${path}/jobs/fspl-broken.fspl`, { force: true }),
  'it becomes ordered': (_queue, path) => writeSettings(realMachine, path, { order: 'sequence' }),
  'it becomes free': (_queue, path) => writeSettings(realMachine, path, { order: 'free' }),
};

/** What a queue in that state refuses does not happen. */
async function changed(name: string, queue: Queue, path: string): Promise<void> {
  try {
    await CHANGES[name]?.(queue, path);
  } catch (error) {
    if (!isQueueError(error)) throw error;
  }
}

/** All that does not say when it was. */
function timeless({ takenMs: _, workers: __, ...snapshot }: QueueSnapshot): unknown {
  return snapshot;
}

it('shows look after look what is there', { timeout: 120_000 }, async () => {
  let run = 0;
  const change = fc.constantFrom(...Object.keys(CHANGES));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(change, { maxLength: 3 }), { maxLength: 6 }), async (rounds) => {
      const path = temporary.path(`q${run++}`);
      const queue = await homeQueue(path);
      const keeper = await openSpoolKeeper(realMachine, path);
      for (const changes of rounds) {
        for (const name of changes) await changed(name, queue, path);
        expect(timeless(await keeper.look())).toEqual(timeless(await takeSnapshot(realMachine, path)));
      }
    }),
    { numRuns: 25 },
  );
});

it('lists again only what may have changed, however coarse the clock of the files', async () => {
  const path = temporary.path('q');
  const queue = await homeQueue(path);
  await addNamed(queue, 'one');
  const clock = shiftedClock();
  let listings = 0;
  const files = {
    ...realMachine.files,
    // All changes are in one tick.
    stat: async (of: string) => ({ ...(await realMachine.files.stat(of)), modifiedMs: 1_700_000_000_000 }),
    readdir: (of: string) => {
      if (of.endsWith('/jobs')) listings += 1;
      return realMachine.files.readdir(of);
    },
  };
  const keeper = await openSpoolKeeper(machineWith({ files, clock }), path);
  const waiting = async () => (await keeper.look()).counts.waiting;
  expect(await waiting()).toBe(1);
  await addNamed(queue, 'two');
  expect(await waiting()).toBe(2);
  clock.advance(2500);
  await addNamed(queue, 'three');
  expect(await waiting()).toBe(3);
  clock.advance(1000);
  expect(await waiting()).toBe(3);
  expect(listings).toBe(4);
  clock.advance(1000);
  expect(await waiting()).toBe(3);
  expect(listings).toBe(4);
  // Somebody has set the clock of the files back, so that it says the same again.
  await addNamed(queue, 'four');
  clock.advance(15_000);
  expect(await waiting()).toBe(4);
});

it('tries again to read what it could not, though no name has changed', async () => {
  const path = temporary.path('q');
  await homeQueue(path);
  putJob(path, 'foreign', { seq: 1n });
  const clock = shiftedClock();
  let isReadable = false;
  const files = {
    ...realMachine.files,
    open: (of: string, mode: Parameters<typeof realMachine.files.open>[1]) => {
      if (isReadable || !of.endsWith('.fspl')) return realMachine.files.open(of, mode);
      throw Object.assign(new Error('EACCES'), { code: 'EACCES', syscall: 'open' });
    },
  };
  const keeper = await openSpoolKeeper({ ...machineWithFiles(files), clock }, path);
  for (let looks = 0; looks < 3; looks++) {
    expect((await keeper.look()).counts).toMatchObject({ unreadable: 1, waiting: 0 });
    clock.advance(4000);
  }
  isReadable = true;
  expect((await keeper.look()).counts).toMatchObject({ unreadable: 0, waiting: 1 });
});

it('takes one look after the other for those who ask at once', async () => {
  const path = temporary.path('q');
  const queue = await homeQueue(path);
  for (const name of ['one', 'two', 'three']) await addNamed(queue, name);
  const keeper = await openSpoolKeeper(realMachine, path);
  const session = await queue.join();
  const looks = [keeper.look(), keeper.look()];
  await (await claimFrom(session)).succeed();
  looks.push(keeper.look());
  const seen = (await Promise.all(looks)).map(({ counts }) => counts.waiting + counts.running);
  await session.close();
  expect(seen.at(-1)).toBe(2);
  expect([...seen].sort((a, b) => b - a)).toEqual(seen);
});
