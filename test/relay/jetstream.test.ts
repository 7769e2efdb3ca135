/** To, from and between queues on a real server of NATS. */

import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { openJetStream } from '../../src/jetstream/jetstream.ts';
import { initStream } from '../../src/jetstream/stream.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { readChunks } from '../../src/os/transfer.ts';
import type { NewJob, Queue } from '../../src/queue/contract.ts';
import { natsLack, useNats } from '../support/nats.ts';
import { useTemporary } from '../support/temporary.ts';
import { drained, homeQueue, relayTo, targetAt, waitingAt } from './support.ts';

const MIB = 1024 * 1024;
const temporary = useTemporary();
const nats = useNats();
const lack = natsLack();
let count = 0;

async function onNats(): Promise<Queue> {
  count += 1;
  const location = `nats://${nats.addresses}/r${count}`;
  await initStream(realMachine, location);
  return openJetStream(realMachine, location);
}

const WAYS: readonly (readonly [from: string, to: string])[] = [
  ['a directory', 'nats'],
  ['nats', 'a directory'],
  ['nats', 'nats'],
];

describe.skipIf(lack !== undefined)(`a relay and JetStream${lack === undefined ? '' : `: ${lack}`}`, () => {
  describe.each(WAYS)('from %s to %s', (from, to) => {
    let source: Queue;
    let target: Queue;

    beforeEach(async () => {
      source = await (from === 'nats' ? onNats() : homeQueue(temporary.path('source')));
      target = await (to === 'nats' ? onNats() : homeQueue(temporary.path('target')));
    });

    it('jobs come with all that their adders asked for', async () => {
      const asked: NewJob = {
        params: ['p', '', 'not \udcff UTF-8'],
        env: { PLAIN: 'v\nw' },
        lane: 'alice',
        priority: 7,
        expires: new Date(Date.now() + 3_600_000),
        name: 'invoice 17',
      };
      await source.add(asked);
      const { told } = await relayTo(source, await targetAt(target));
      expect(told.refused).toEqual([]);
      const back = await homeQueue(temporary.path('back'));
      await relayTo(target, await targetAt(back));
      const [job] = await waitingAt(back);
      expect(job?.work).toMatchObject({ params: asked.params });
      expect(job?.work.kind === 'command' && new Map(job.work.env)).toEqual(
        new Map([
          ['PLAIN', 'v\nw'],
          ['INTRAY_LANE', 'alice'],
          ['INTRAY_PRIORITY', '7'],
          ['INTRAY_EXPIRES', asked.expires?.toISOString()],
          ['INTRAY_ID', 'invoice 17'],
        ]),
      );
      expect(await target.add({ name: 'invoice 17' })).toMatchObject({ duplicate: true });
      expect(await waitingAt(source)).toEqual([]);
    });

    it('lanes keep their order, though many jobs are on their way at once', async () => {
      for (let number = 0; number < 30; number++) {
        await source.add({ params: [`${number}`], lane: 'abc'[number % 3] ?? '' });
      }
      const { pool } = await relayTo(source, await targetAt(target), { concurrency: 8 });
      expect(pool.counts.succeeded).toBe(30);
      const order = (await drained(target)).map(({ param }) => Number(param));
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, number) => number));
      for (const lane of [0, 1, 2]) {
        const ofLane = order.filter((number) => number % 3 === lane);
        expect(ofLane).toEqual([...ofLane].sort((a, b) => a - b));
      }
    });

    it('payloads of any size come whole, also one that is in no message', async () => {
      const payloads = [0, 1, 128 * 1024, 128 * 1024 + 1, 20 * MIB].map((size) => randomBytes(size));
      for (const payload of payloads) await source.add({ payload, lane: 'one' });
      await relayTo(source, await targetAt(target));
      const session = await target.join();
      for (const payload of payloads) {
        const claim = await session.claim();
        if (claim.kind !== 'claim') throw new Error(claim.reason);
        const chunks: Uint8Array[] = [];
        for await (const chunk of readChunks(realMachine.files, claim.payload)) chunks.push(chunk);
        expect(Buffer.compare(Buffer.concat(chunks), payload)).toBe(0);
        await claim.succeed();
      }
      await session.close();
    });

    it('a job that is not due waits, and one that has expired fails at the source', async () => {
      await source.add({ params: ['later'], notBefore: new Date(Date.now() + 3_600_000) });
      await source.add({ params: ['expired'], expires: new Date(1) });
      await source.add({ params: ['now'] });
      const { pool } = await relayTo(source, await targetAt(target));
      expect([...pool.idle.values()]).toMatchObject([{ reason: 'delayed' }]);
      expect((await drained(target)).map(({ param }) => param)).toEqual(['now']);
    });

    it('one that is in both is known, and its payload is not read again', async () => {
      await source.add({ params: ['a'], payload: randomBytes(MIB) });
      const whole = await targetAt(target);
      const dying = {
        ...whole,
        deliver: async (...args: Parameters<typeof whole.deliver>) => {
          await whole.deliver(...args);
          throw new Error('we are dead');
        },
      };
      await relayTo(source, dying);
      expect(await waitingAt(source)).toHaveLength(1);
      const { told } = await relayTo(source, await targetAt(target));
      expect(told.moved).toMatchObject([{ duplicate: true, bytes: 0 }]);
      expect(await waitingAt(source)).toEqual([]);
      expect(await waitingAt(target)).toHaveLength(1);
    });
  });

  it('a job may go to and fro as often as one likes', async () => {
    const [one, other] = [await onNats(), await onNats()];
    await one.add({ params: ['a'] });
    for (let times = 0; times < 5; times++) {
      await relayTo(one, await targetAt(other));
      await relayTo(other, await targetAt(one));
    }
    expect((await drained(one)).map(({ param }) => param)).toEqual(['a']);
  });
});
