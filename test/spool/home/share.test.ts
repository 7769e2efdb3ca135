import { readdirSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Descriptor, Machine } from '../../../src/os/ports.ts';
import { realMachine } from '../../../src/os/real/index.ts';
import { shareQueue } from '../../../src/spool/home/share.ts';
import { createSpool } from '../../../src/spool/spool.ts';
import { homeQueue } from '../../support/home.ts';
import { machineWith, manualClock } from '../../support/machines.ts';
import { openDescriptors, useTemporary } from '../../support/temporary.ts';

const temporary = useTemporary();
const q = () => temporary.path('queue');

async function sharing<T>(machine: Machine, work: (lock: Descriptor) => T | Promise<T>): Promise<T> {
  const lock = await shareQueue(machine, q());
  try {
    return await work(lock);
  } finally {
    await realMachine.locks.unlock(lock);
    await realMachine.files.close(lock);
  }
}

describe('sharing a queue', () => {
  it('lets others share it, and keeps out who wants it alone', async () => {
    const queue = await homeQueue(q());
    await sharing(realMachine, () =>
      sharing(realMachine, async () => {
        await expect(queue.session()).rejects.toMatchObject({ code: 'locked' });
      }),
    );
    await (await queue.session()).close();
  });

  it('makes the rooms of a queue that has none, and not again', async () => {
    await createSpool(realMachine, q());
    await sharing(realMachine, () => undefined);
    const made = readdirSync(q()).sort();
    expect(made).toEqual(
      [
        'README',
        'done',
        'failed',
        'jobs',
        'lanes',
        'log',
        'nextseq',
        'nextseq.lock',
        'receipts',
        'work',
      ].sort(),
    );
    rmSync(`${q()}/README`);
    await sharing(realMachine, () => expect(readdirSync(q())).not.toContain('README'));
  });

  it('that somebody works alone is refused, and nothing stays open', async () => {
    const queue = await homeQueue(q());
    const alone = await queue.session();
    const before = openDescriptors();
    const clock = manualClock();
    await expect(shareQueue(machineWith({ clock }), q())).rejects.toMatchObject({
      code: 'locked',
      message: `${q()}/nextseq.lock: another process works this queue alone`,
    });
    expect(clock.waitedMs).toBeGreaterThanOrEqual(100);
    expect(clock.waitedMs).toBeLessThan(200);
    expect(openDescriptors()).toEqual(before);
    await alone.close();
  });

  it('waits longer where the rooms are missing: others may be making them', async () => {
    const queue = await createSpool(realMachine, q());
    const alone = await queue.session();
    const clock = manualClock();
    await expect(shareQueue(machineWith({ clock }), q())).rejects.toMatchObject({ code: 'locked' });
    expect(clock.waitedMs).toBeGreaterThanOrEqual(5000);
    expect(clock.waitedMs).toBeLessThan(5300);
    await alone.close();
    expect(readdirSync(q()).sort()).toEqual(['jobs', 'nextseq', 'nextseq.lock']);
  });

  it('that is only added to is refused, and so is what is no queue', async () => {
    await createSpool(realMachine, q(), { appendOnly: true });
    await expect(shareQueue(realMachine, q())).rejects.toMatchObject({
      code: 'append-only',
      message: expect.stringMatching(/queue: .*nextseq\.lock: .*; so it is an append-only queue$/),
      cause: { code: 'ENOENT' },
    });
    await expect(shareQueue(realMachine, temporary.path('none'))).rejects.toMatchObject({
      code: 'not-a-queue',
    });
  });
});
