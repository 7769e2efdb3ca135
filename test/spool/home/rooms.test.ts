import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { realMachine } from '../../../src/os/real/index.ts';
import {
  hasRooms,
  isPaused,
  makeRooms,
  pause,
  ROOMS,
  readSettings,
  resume,
  writeSettings,
} from '../../../src/spool/home/rooms.ts';
import { shareQueue } from '../../../src/spool/home/share.ts';
import { createSpool } from '../../../src/spool/spool.ts';
import { interceptFiles } from '../../support/intercepted-files.ts';
import { machineWith, machineWithFiles, manualClock } from '../../support/machines.ts';
import { useTemporary } from '../../support/temporary.ts';

const temporary = useTemporary();
let queue: string;

beforeEach(async () => {
  queue = temporary.path('queue');
  await createSpool(realMachine, queue);
});

describe('settings', () => {
  it('are those of the original when there are none', async () => {
    expect(await readSettings(realMachine, queue)).toEqual({ order: 'sequence' });
  });

  it.each(['free', 'sequence'] as const)('are read as they were written: %s', async (order) => {
    await writeSettings(realMachine, queue, { order });
    expect(await readSettings(realMachine, queue)).toEqual({ order });
    expect(readdirSync(queue).sort()).toEqual(['jobs', 'nextseq', 'nextseq.lock', 'settings.json']);
  });

  it('of a later version may say more', async () => {
    writeFileSync(`${queue}/settings.json`, '{"colour": "blue"}');
    expect(await readSettings(realMachine, queue)).toEqual({ order: 'sequence' });
  });

  it.each([
    ['', 'it is not JSON'],
    ['{"order": "free"', 'it is not JSON'],
    ['\xff\xfe', 'it is not JSON'],
    ['{"order": "random"}', 'expected "order" to be "free" or "sequence", found "random"'],
    ['{"order": 1}', 'found 1'],
  ])('%j are damaged, which is said with the file and what to do', async (text, message) => {
    writeFileSync(`${queue}/settings.json`, text, 'latin1');
    await expect(readSettings(realMachine, queue)).rejects.toMatchObject({
      code: 'settings-damaged',
      message: expect.stringContaining(`${queue}/settings.json: `),
      hint: expect.stringContaining('remove it'),
    });
    await expect(readSettings(realMachine, queue)).rejects.toThrow(message);
    await expect((await createSpool(realMachine, temporary.path('other'))).jobs()).resolves.toBeDefined();
  });
});

describe('rooms', () => {
  it('are made once, beside what the original has, and explained', async () => {
    expect(await hasRooms(realMachine, queue)).toBe(false);
    await makeRooms(realMachine, queue);
    expect(await hasRooms(realMachine, queue)).toBe(true);
    const all = [...ROOMS, 'README', 'jobs', 'nextseq', 'nextseq.lock'].sort();
    expect(readdirSync(queue).sort()).toEqual(all);
    const readme = readFileSync(`${queue}/README`, 'utf8');
    for (const name of ROOMS) expect(readme).toContain(`${name}/`);
    writeFileSync(`${queue}/README`, 'ours');
    await makeRooms(realMachine, queue);
    expect(readFileSync(`${queue}/README`, 'utf8')).toBe('ours');
    expect(readdirSync(queue).sort()).toEqual(all);
  });

  it('that were made in part are made whole', async () => {
    mkdirSync(`${queue}/work`);
    mkdirSync(`${queue}/lanes`);
    expect(await hasRooms(realMachine, queue)).toBe(false);
    await makeRooms(realMachine, queue);
    expect(await hasRooms(realMachine, queue)).toBe(true);
  });
});

describe('a pause', () => {
  it('lasts until it is ended', async () => {
    expect(await isPaused(realMachine, queue)).toBe(false);
    await pause(realMachine, queue);
    await pause(realMachine, queue);
    expect(await isPaused(realMachine, queue)).toBe(true);
    expect(await resume(realMachine, queue)).toBe(true);
    expect(await resume(realMachine, queue)).toBe(false);
    expect(await isPaused(realMachine, queue)).toBe(false);
  });
});

describe('sharing', () => {
  it('makes the rooms, and lets others share', async () => {
    const first = await shareQueue(realMachine, queue);
    expect(await hasRooms(realMachine, queue)).toBe(true);
    const second = await shareQueue(realMachine, queue);
    for (const lock of [first, second]) await realMachine.files.close(lock);
  });

  it('waits while another makes the rooms', async () => {
    const makes = await realMachine.files.open(`${queue}/nextseq.lock`, 'lock-present');
    await realMachine.locks.tryLock(makes, 'exclusive');
    const clock = manualClock();
    const waits = {
      ...clock,
      after: (ms: number, action: () => void) => {
        if (clock.waitedMs > 100) void realMachine.locks.unlock(makes);
        return clock.after(ms, action);
      },
    };
    const shared = await shareQueue(machineWith({ clock: waits }), queue);
    await realMachine.files.close(shared);
    await realMachine.files.close(makes);
  });

  it('is not refused by one who has only just made them', async () => {
    const first = await realMachine.files.open(`${queue}/nextseq.lock`, 'lock-present');
    await realMachine.locks.tryLock(first, 'exclusive');
    await makeRooms(realMachine, queue);
    // The rooms are there, and the lock is given up a moment later.
    const clock = manualClock();
    const later = {
      ...clock,
      after: (ms: number, action: () => void) => {
        void realMachine.locks.unlock(first);
        return clock.after(ms, action);
      },
    };
    const shared = await shareQueue(machineWith({ clock: later }), queue);
    await realMachine.files.close(shared);
    await realMachine.files.close(first);
  });

  it('leaves nothing to wait for between the last room and the end of the lock', async () => {
    const calls: string[] = [];
    const files = interceptFiles(realMachine.files, ({ name, path }) => calls.push(`${name} ${path}`));
    await makeRooms(machineWithFiles(files), queue);
    expect(calls.at(-1)).toBe(`mkdir ${queue}/log`);
    expect(calls).toContain(`fsync ${queue}`);
  });

  it('is refused while somebody works the queue alone', async () => {
    await makeRooms(realMachine, queue);
    const alone = await realMachine.files.open(`${queue}/nextseq.lock`, 'lock-present');
    await realMachine.locks.tryLock(alone, 'exclusive');
    await expect(shareQueue(machineWith({ clock: manualClock() }), queue)).rejects.toMatchObject({
      code: 'locked',
    });
    await realMachine.files.close(alone);
  });

  it('is refused where nothing is to be worked', async () => {
    await createSpool(realMachine, temporary.path('append-only'), { appendOnly: true });
    await expect(shareQueue(realMachine, temporary.path('append-only'))).rejects.toMatchObject({
      code: 'append-only',
    });
    rmSync(`${queue}/jobs`, { recursive: true });
    rmSync(`${queue}/nextseq.lock`);
    await expect(shareQueue(realMachine, queue)).rejects.toMatchObject({ code: 'not-a-queue' });
  });
});
