/** A relay whose target is full, or is taken away, and whose source is: it waits, goes on, and loses nothing. */

import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectTo } from '../../src/jetstream/client.ts';
import { parseLocation } from '../../src/jetstream/location.ts';
import { initStream } from '../../src/jetstream/stream.ts';
import { streamOf } from '../../src/jetstream/subjects.ts';
import { openQueue } from '../../src/open/open.ts';
import { realMachine } from '../../src/os/real/index.ts';
import type { Queue } from '../../src/queue/contract.ts';
import { drained, homeQueue, MAKERS, relayTo, type Tried, targetAt, waitingAt } from '../relay/support.ts';
import { natsLack, useNats } from '../support/nats.ts';
import { eventually, useTemporary } from '../support/temporary.ts';
import { fillDisk, mountSmall } from './support/disks.ts';
import { lacking } from './support/needs.ts';

const DISK_MIB = 16;
const LARGE = 'x'.repeat(300_000);
const temporary = useTemporary();
const nats = useNats();
let source: Queue;

beforeEach(async () => {
  source = await homeQueue(temporary.path('source'));
  for (const param of ['a', 'b', 'c']) await source.add({ params: [param], payload: LARGE });
});

const make = (layout: string, path: string) => (MAKERS[layout] as (path: string) => Promise<Queue>)(path);
const params = async (queue: Queue) => (await drained(queue)).map(({ param }) => param).sort();

/** A relay that keeps waiting; `end` ends it and says how it was. */
async function watching(target: Queue) {
  const stop = new AbortController();
  const options: Tried = { keepWaiting: true, stop: stop.signal, concurrency: 1, graceMs: 10_000 };
  const relay = relayTo(source, await targetAt(target), options);
  return async () => {
    stop.abort();
    return relay;
  };
}

const lack = lacking({ tools: ['mount', 'umount', 'mkfs.ext4'], mounts: true });

describe.skipIf(lack !== undefined)(
  `a target on a full disk${lack === undefined ? '' : ` (${lack})`}`,
  () => {
    let disk = '';
    let takeAway = async () => {};

    beforeEach(() => {
      disk = temporary.path('disk');
      takeAway = mountSmall(temporary.path(), disk, DISK_MIB);
    });

    afterEach(() => takeAway());

    it.each(Object.keys(MAKERS))('of %s: jobs stay at the source until there is room', async (layout) => {
      const target = await make(layout, `${disk}/target`);
      fillDisk(`${disk}/ballast`);
      const once = await relayTo(source, await targetAt(target));
      expect(once.trouble).toMatchObject({ code: 'ENOSPC' });
      expect(once.told.refused).toEqual([]);
      expect(await waitingAt(source)).toHaveLength(3);
      const end = await watching(target);
      await eventually(async () => expect((await waitingAt(source)).length).toBeGreaterThan(0));
      rmSync(`${disk}/ballast`);
      await eventually(async () => expect(await waitingAt(target)).toHaveLength(3));
      expect((await end()).told.refused).toEqual([]);
      expect(await params(target)).toEqual(['a', 'b', 'c']);
    });
  },
);

describe.skipIf(natsLack() !== undefined)(
  `a target whose server has no room (${natsLack() ?? 'nats'})`,
  () => {
    it('leaves the jobs at the source until there is', async () => {
      const location = `nats://${nats.addresses}/full`;
      await initStream(realMachine, location);
      const { nats: connection, manager } = await connectTo(realMachine, parseLocation(location));
      const limit = (bytes: number) => manager.streams.update(streamOf('full'), { max_bytes: bytes });
      const target = await openQueue(realMachine, location);
      source = await homeQueue(temporary.path('small'));
      for (const param of ['a', 'b', 'c']) await source.add({ params: [param], payload: 'x'.repeat(50_000) });
      await limit(60_000);
      const end = await watching(target);
      await eventually(async () => expect(await waitingAt(target)).toHaveLength(1));
      await limit(-1);
      await eventually(async () => expect(await waitingAt(target)).toHaveLength(3));
      const { told } = await end();
      expect(told.refused).toEqual([]);
      expect(told.troubles.length).toBeGreaterThan(0);
      await connection.close();
      expect(await params(target)).toEqual(['a', 'b', 'c']);
    });
  },
);

describe('a queue that is taken away and made again', () => {
  it.each(Object.keys(MAKERS))('as a target of %s gets the jobs that were not there yet', async (layout) => {
    const path = temporary.path('target');
    const target = await make(layout, path);
    const end = await watching(target);
    await eventually(async () => expect(await waitingAt(target)).toHaveLength(3));
    rmSync(path, { recursive: true });
    await source.add({ params: ['d'] });
    await eventually(async () => expect(await waitingAt(source)).toHaveLength(0));
    const again = await make(layout, path);
    await eventually(async () => expect(await waitingAt(again)).toHaveLength(1));
    const { told } = await end();
    expect(told.refused).toEqual([]);
    expect(told.troubles.length).toBeGreaterThan(0);
    expect(await params(again)).toEqual(['d']);
    expect(await waitingAt(source)).toEqual([]);
  });

  it('as a source is said, and gone on with when it is there again', async () => {
    const target = await homeQueue(temporary.path('target'));
    const end = await watching(target);
    await eventually(async () => expect(await waitingAt(target)).toHaveLength(3));
    rmSync(source.location, { recursive: true });
    const again = await homeQueue(temporary.path('source'));
    await again.add({ params: ['d'] });
    await eventually(async () => expect(await waitingAt(target)).toHaveLength(4));
    const { pool } = await end();
    expect(pool.counts.failed).toBe(0);
  });
});
