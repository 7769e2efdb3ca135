import { renameSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { realMachine } from '../../../../src/os/real/index.ts';
import type { BlockedPolicy, Queue } from '../../../../src/queue/contract.ts';
import { claimed, drain, homeQueue, idle, joined, namesIn, param, runsOf } from '../../../support/home.ts';
import { interceptFiles } from '../../../support/intercepted-files.ts';
import { machineWith, machineWithFiles, shiftedClock } from '../../../support/machines.ts';
import { useTemporary } from '../../../support/temporary.ts';

const temporary = useTemporary();
const AFTER_MS = 10_000;
const skip: BlockedPolicy = { action: 'skip', afterMs: AFTER_MS };
let queue: Queue;

beforeEach(async () => {
  queue = await homeQueue(temporary.path('queue'));
});

const addLane = (...params: string[]) =>
  queue.addAll(params.map((param) => ({ lane: 'a', params: [param] })));

async function takeAway(number: number): Promise<void> {
  const name = namesIn(queue, 'jobs').find((one) => one.includes(`.${number}.a.`)) as string;
  await realMachine.files.unlink(`${queue.location}/jobs/${name}`);
}

describe('a lane with a gap', () => {
  it('is moved on when it has stood still for as long as the policy says, and not before', async () => {
    await addLane('1', '2', '3');
    await takeAway(2);
    const clock = shiftedClock();
    const work = async (session: Parameters<typeof drain>[0]) => {
      expect(await drain(session)).toEqual(['1']);
      expect((await idle(session)).reason).toBe('gap');
      clock.advance(AFTER_MS - 5000);
      expect((await idle(session)).reason).toBe('gap');
      clock.advance(5001);
      expect(await drain(session)).toEqual(['3']);
    };
    await joined(queue, work, { machine: machineWith({ clock }), blocked: skip });
  });

  it('begins to wait anew at the next gap', async () => {
    await addLane('1', '2', '3', '4');
    await takeAway(1);
    await takeAway(3);
    const clock = shiftedClock();
    const work = async (session: Parameters<typeof drain>[0]) => {
      expect((await idle(session)).reason).toBe('gap');
      clock.advance(AFTER_MS);
      expect(await drain(session)).toEqual(['2']);
      expect((await idle(session)).reason).toBe('gap');
      clock.advance(AFTER_MS);
      expect(await drain(session)).toEqual(['4']);
    };
    await joined(queue, work, { machine: machineWith({ clock }), blocked: skip });
  });

  it.each<[string, { blocked?: BlockedPolicy }]>([
    ['nothing', {}],
    ['to hold it', { blocked: { action: 'hold' } }],
    ['to hold it, and for how long', { blocked: { action: 'hold', afterMs: 0 } }],
    ['to skip what failed', { blocked: { action: 'skip' } }],
  ])('waits for ever, told %s', async (_, told) => {
    await addLane('1', '2');
    await takeAway(1);
    const clock = shiftedClock();
    const work = async (session: Parameters<typeof drain>[0]) => {
      for (const _ of [1, 2, 3]) {
        expect((await idle(session)).reason).toBe('gap');
        clock.advance(100 * AFTER_MS);
      }
    };
    await joined(queue, work, { machine: machineWith({ clock }), ...told });
  });

  it('that is filled in time runs what filled it', async () => {
    await addLane('1', '2');
    const [first] = namesIn(queue, 'jobs').filter((name) => name.includes('.1.a.')) as [string];
    renameSync(`${queue.location}/jobs/${first}`, temporary.path('late'));
    const clock = shiftedClock();
    const work = async (session: Parameters<typeof drain>[0]) => {
      expect((await idle(session)).reason).toBe('gap');
      clock.advance(AFTER_MS - 5000);
      renameSync(temporary.path('late'), `${queue.location}/jobs/${first}`);
      expect(await drain(session)).toEqual(['1', '2']);
    };
    await joined(queue, work, { machine: machineWith({ clock }), blocked: skip });
  });

  it('is counted from when the job was last seen to run', async () => {
    await addLane('1', '2');
    const clock = shiftedClock();
    await joined(queue, async (other) => {
      const first = await claimed(other);
      const work = async (session: Parameters<typeof drain>[0]) => {
        expect((await idle(session)).reason).toBe('busy');
        clock.advance(10 * AFTER_MS);
        expect((await idle(session)).reason).toBe('busy');
        // Now it is lost: not run any more, nor back.
        await realMachine.files.unlink(first.job.path);
        expect((await idle(session)).reason).toBe('gap');
        expect((await idle(session)).reason).toBe('gap');
        clock.advance(AFTER_MS);
        expect(await drain(session)).toEqual(['2']);
      };
      await joined(queue, work, { machine: machineWith({ clock }), blocked: skip });
      expect(await first.succeed()).toBe('lost');
    });
  });

  it('is none when the job comes back while it is looked for', async () => {
    await addLane('1', '2');
    await joined(queue, async (other) => {
      const first = await claimed(other);
      let looked = false;
      let back = false;
      // The other gives it back after we have looked into jobs/, and before we look into its room.
      const files = interceptFiles(realMachine.files, ({ name, path }) => {
        if (name === 'readdir' && path.endsWith('/jobs')) looked = true;
        if (back || !looked || name !== 'readdir' || !first.job.path.startsWith(`${path}/fspl-`)) return;
        back = true;
        const name1 = first.job.path.slice(path.length + 1);
        renameSync(first.job.path, `${queue.location}/jobs/${name1}`);
      });
      const work = async (session: Parameters<typeof drain>[0]) => {
        expect(await drain(session)).toEqual(['1', '2']);
      };
      const blocked = { action: 'skip', afterMs: 0 } as const;
      await joined(queue, work, { machine: machineWithFiles(files), blocked });
      expect(back).toBe(true);
    });
  });
});

describe('a lane whose next job somebody has held', () => {
  const hold = () => {
    const [first] = namesIn(queue, 'jobs').filter((name) => name.includes('.1.a.')) as [string];
    renameSync(
      `${queue.location}/jobs/${first}`,
      `${queue.location}/jobs/${first.replace('.0.0.', '.h0.0.')}`,
    );
  };

  it.each<BlockedPolicy>([
    { action: 'skip' },
    { action: 'skip', afterMs: 0 },
    { action: 'drop', afterMs: AFTER_MS },
  ])('waits for him, told to %j', async (blocked) => {
    await addLane('1', '2');
    hold();
    const before = namesIn(queue, 'jobs');
    const clock = shiftedClock();
    const work = async (session: Parameters<typeof drain>[0]) => {
      for (const _ of [1, 2, 3]) {
        expect(await idle(session)).toMatchObject({ reason: 'held', jobs: 2 });
        clock.advance(10 * AFTER_MS);
      }
    };
    await joined(queue, work, { machine: machineWith({ clock }), blocked });
    expect(namesIn(queue, 'jobs')).toEqual(before);
    expect(namesIn(queue, 'failed')).toEqual([]);
  });
});

describe('a lane whose next job failed', () => {
  it.each([
    ['skip', 1],
    ['drop', 0],
  ] as const)('told to %s it after a while leaves %i in failed/', async (action, kept) => {
    await addLane('1', '2');
    const clock = shiftedClock();
    let id = '';
    const work = async (session: Parameters<typeof drain>[0]) => {
      const first = await claimed(session);
      id = first.job.id;
      await first.fail('broken');
      expect(await idle(session)).toMatchObject({ reason: 'held', jobs: 2 });
      expect(namesIn(queue, 'failed')).toEqual([]);
      clock.advance(AFTER_MS);
      expect(param(await claimed(session))).toBe('2');
    };
    await joined(queue, work, { machine: machineWith({ clock }), blocked: { action, afterMs: AFTER_MS } });
    expect(namesIn(queue, 'failed')).toHaveLength(kept);
    expect(runsOf(queue, id).map(({ reason }) => reason)).toEqual([
      'broken',
      'its lane has waited for it long enough',
    ]);
  });

  it('and came back like that, its worker being dead, is gone on with at once', async () => {
    await addLane('1', '2');
    const [first] = namesIn(queue, 'jobs').filter((name) => name.includes('.1.a.')) as [string];
    const marked = first.replace('.0.0.', '.f0.1.');
    renameSync(`${queue.location}/jobs/${first}`, `${queue.location}/jobs/${marked}`);
    const work = async (session: Parameters<typeof drain>[0]) => {
      expect(await drain(session)).toEqual(['2']);
    };
    await joined(queue, work, { blocked: { action: 'skip' } });
    expect(namesIn(queue, 'failed')).toEqual([first.replace('.0.0.', '.0.1.')]);
  });

  it('is held when nobody was told otherwise, and passed over by a worker that was', async () => {
    await addLane('1', '2');
    await joined(queue, async (session) => {
      await (await claimed(session)).fail('broken');
    });
    expect(namesIn(queue, 'jobs').filter((name) => name.includes('.f0.1.1.a.'))).toHaveLength(1);
    await joined(queue, async (session) => expect(await drain(session)).toEqual(['2']), {
      blocked: { action: 'skip' },
    });
  });
});
