/** The time of day that jumps: back, ahead, on one host of several. */

import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createDirQueue, openDirQueue } from '../../src/dirqueue/dirqueue.ts';
import type { Machine } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { textOf } from '../support/dirqueues.ts';
import { machineWith } from '../support/machines.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const DAY_SECONDS = 86_400n;

/** A machine whose clock somebody sets; its steady clock goes on. */
function settable(more: Partial<Machine> = {}) {
  let ahead = 0n;
  const now = () => {
    const { seconds, nanos } = realMachine.clock.now();
    return { seconds: seconds + ahead, nanos };
  };
  const machine = machineWith({ ...more, clock: { ...realMachine.clock, now } });
  return {
    machine,
    jump: (days: bigint) => {
      ahead += days * DAY_SECONDS;
    },
  };
}

describe('a clock that is set', () => {
  it('back: jobs of one program keep their order', async () => {
    const { machine, jump } = settable();
    const queue = await createDirQueue(machine, temporary.path('queue'));
    await queue.add({ payload: 'first' });
    jump(-1n);
    await queue.addAll([{ payload: 'second' }, { payload: 'third' }]);
    const session = await queue.join();
    const order: string[] = [];
    for (let claim = await session.claim(); claim.kind === 'claim'; claim = await session.claim()) {
      order.push(await textOf(claim));
      await claim.succeed();
    }
    await session.close();
    expect(order).toEqual(['first', 'second', 'third']);
  });

  it.each([1n, -1n])(
    'by %i day: nobody is taken for dead who is alive, on another host either',
    async (days) => {
      const { machine, jump } = settable();
      const queue = await createDirQueue(machine, temporary.path('queue'));
      await queue.add({ payload: 'x' });
      const worker = await queue.join();
      const claim = await worker.claim();
      if (claim.kind !== 'claim') throw new Error(claim.reason);
      jump(days);
      const far = settable({ host: { ...realMachine.host, name: 'far', bootId: 'another' } });
      far.jump(days);
      for (const one of [machine, far.machine]) {
        const other = await (await openDirQueue(one, queue.location)).join();
        expect(await other.claim()).toMatchObject({ reason: 'empty' });
        await other.close();
      }
      expect(worker.fenced.aborted).toBe(false);
      expect(await claim.succeed()).toBe('settled');
      await worker.close();
    },
  );

  it('ahead: a job that waits for its time starts, and waits again when the clock is put right before that', async () => {
    const { machine, jump } = settable();
    const queue = await createDirQueue(machine, temporary.path('queue'));
    const notBefore = new Date(Number(machine.clock.now().seconds + DAY_SECONDS / 2n) * 1000);
    await queue.add({ payload: 'x', notBefore });
    const session = await queue.join();
    expect(await session.claim()).toMatchObject({ reason: 'delayed' });
    expect(readdirSync(`${queue.location}/intray/later`)).toHaveLength(1);
    jump(1n);
    const claim = await session.claim();
    if (claim.kind !== 'claim') throw new Error(claim.reason);
    jump(-1n);
    await claim.retry(notBefore.getTime(), 'again');
    expect(await session.claim()).toMatchObject({ reason: 'delayed' });
    await session.close();
  });
});
