import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Machine } from '../../../src/os/ports.ts';
import { realMachine } from '../../../src/os/real/index.ts';
import { takeDeadRoom } from '../../../src/spool/home/dead-room.ts';
import { enterRoom, type WorkerRoom } from '../../../src/spool/home/own-room.ts';
import { DEFAULT_LEASE_MS, listRooms } from '../../../src/spool/home/worker-rooms.ts';
import { homeQueue } from '../../support/home.ts';
import { interceptFiles } from '../../support/intercepted-files.ts';
import { machineWith, machineWithFiles } from '../../support/machines.ts';
import { useTemporary } from '../../support/temporary.ts';

const temporary = useTemporary();
const LEASE_MS = 1000;
const JOB = 'fspl-x.fspl';
let queue: string;

beforeEach(async () => {
  queue = temporary.path('queue');
  await homeQueue(queue);
});

/** Another machine, of which the lock of a worker may be out of sight. */
const elsewhere: Machine = machineWith({
  host: { ...realMachine.host, name: 'elsewhere', bootId: 'another-boot' },
});

const only = async () => {
  const rooms = await listRooms(realMachine, queue);
  expect(rooms).toHaveLength(1);
  return rooms[0] as (typeof rooms)[0];
};

/** What a worker leaves that is killed: its room, and no lock. */
async function die(room: WorkerRoom): Promise<void> {
  await realMachine.locks.unlock(room.lock);
  await realMachine.files.close(room.lock);
}

/** The file server's time. */
const now = () => Date.now();

/** As if it had been touched so long ago. */
function age(path: string, ms: number): void {
  const then = (Date.now() - ms) / 1000;
  utimesSync(path, then, then);
}

describe('a worker', () => {
  it('says who it is, and that it is alive', async () => {
    const room = await enterRoom(realMachine, queue, LEASE_MS);
    const seen = await only();
    expect(seen).toMatchObject({ name: room.name, path: room.path, jobs: [] });
    const { name, pid, bootId } = realMachine.host;
    expect(seen.info).toMatchObject({ host: name, pid, boot: bootId, leaseMs: LEASE_MS });
    expect(Math.abs((seen.info?.startedMs ?? 0) - now())).toBeLessThan(60_000);
    expect(await room.exists()).toBe(true);
    await room.leave();
    expect(await listRooms(realMachine, queue)).toEqual([]);
  });

  it('shows that it is alive by touching its file, several times in a lease', async () => {
    const room = await enterRoom(realMachine, queue, LEASE_MS);
    expect(room.beatEveryMs).toBe(LEASE_MS / 4);
    age(`${room.path}/worker`, 60_000);
    expect(now() - (await room.lastBeatMs())).toBeGreaterThan(50_000);
    expect(await room.beat()).toBe(true);
    expect(Math.abs(now() - (await room.lastBeatMs()))).toBeLessThan(10_000);
    await room.leave();
  });

  it('leaves its room to others when a job is still in it', async () => {
    const room = await enterRoom(realMachine, queue, LEASE_MS);
    writeFileSync(`${room.path}/${JOB}`, '');
    await room.leave();
    expect((await only()).jobs).toEqual([JOB]);
  });

  it('learns that it was taken for dead', async () => {
    const room = await enterRoom(realMachine, queue, LEASE_MS);
    renameSync(room.path, temporary.path('gone'));
    expect(await room.beat()).toBe(false);
    expect(await room.exists()).toBe(false);
    mkdirSync(room.path);
    writeFileSync(`${room.path}/worker`, '{}');
    expect(await room.exists(), 'the file is not the one it had').toBe(false);
    await room.leave();
    expect(readdirSync(room.path)).toEqual(['worker']);
  });

  it('tries again when its room is taken for an abandoned one while it is made', async () => {
    let removed = 0;
    const files = interceptFiles(realMachine.files, ({ name, path }) => {
      if (name !== 'open' || !path.endsWith('/worker') || removed > 0) return;
      removed += 1;
      renameSync(path.slice(0, -'/worker'.length), temporary.path('taken'));
    });
    const room = await enterRoom(machineWithFiles(files), queue, LEASE_MS);
    expect(removed).toBe(1);
    expect((await only()).name).toBe(room.name);
    await room.leave();
  });

  it('tries again when somebody else has locked its new file', async () => {
    let refused = 0;
    const locks: Machine['locks'] = {
      ...realMachine.locks,
      tryLock: (descriptor, kind) => {
        refused += 1;
        return refused === 1 ? false : realMachine.locks.tryLock(descriptor, kind);
      },
    };
    const room = await enterRoom(machineWith({ locks }), queue, LEASE_MS);
    expect(await room.exists()).toBe(true);
    await room.leave();
  });
});

describe('on the same machine, another worker', () => {
  it('counts as alive as long as its lock is held, however silent it is', async () => {
    const room = await enterRoom(realMachine, queue, LEASE_MS);
    age(`${room.path}/worker`, 10 * LEASE_MS);
    expect(await takeDeadRoom(realMachine, room, now())).toBeUndefined();
    expect(await room.beat()).toBe(true);
    await room.leave();
  });

  it('counts as dead at once when its lock is free', async () => {
    const room = await enterRoom(realMachine, queue, LEASE_MS);
    writeFileSync(`${room.path}/${JOB}`, '');
    await die(room);
    const dead = await takeDeadRoom(realMachine, room, now());
    expect(dead?.jobs).toEqual([JOB]);
    await dead?.over(false);
    expect(existsSync(room.path)).toBe(true);
  });

  it('is taken by one at a time', async () => {
    const room = await enterRoom(realMachine, queue, LEASE_MS);
    await die(room);
    const dead = await takeDeadRoom(realMachine, room, now());
    expect(await takeDeadRoom(realMachine, room, now())).toBeUndefined();
    await dead?.over(true);
    expect(existsSync(room.path)).toBe(false);
    expect(await takeDeadRoom(realMachine, room, now())).toBeUndefined();
  });

  it('is not taken twice by one who had opened its file before', async () => {
    const room = await enterRoom(realMachine, queue, LEASE_MS);
    await die(room);
    // Between our open and our lock another worker brings everything back.
    let first = true;
    const locks: Machine['locks'] = {
      ...realMachine.locks,
      tryLock: async (descriptor, kind) => {
        if (first) {
          first = false;
          await (await takeDeadRoom(realMachine, room, now()))?.over(true);
        }
        return realMachine.locks.tryLock(descriptor, kind);
      },
    };
    const late = await takeDeadRoom(machineWith({ locks }), room, now());
    expect(late?.jobs ?? []).toEqual([]);
    await late?.over(true);
    expect(existsSync(room.path)).toBe(false);
  });
});

describe('on another machine, a worker', () => {
  it('counts as dead only when its lease is over, though nobody holds its lock', async () => {
    const room = await enterRoom(elsewhere, queue, LEASE_MS);
    await die(room);
    const beat = Math.floor(statSync(`${room.path}/worker`).mtimeMs);
    expect(await takeDeadRoom(realMachine, room, beat + LEASE_MS)).toBeUndefined();
    const dead = await takeDeadRoom(realMachine, room, beat + LEASE_MS + 1);
    expect(dead).toBeDefined();
    await dead?.over(true);
  });

  it('counts as alive while its lock is held where we see it', async () => {
    const room = await enterRoom(elsewhere, queue, LEASE_MS);
    expect(await takeDeadRoom(realMachine, room, now() + 10 * LEASE_MS)).toBeUndefined();
    await room.leave();
  });

  it.each([
    ['has said nothing', ''],
    ['has said nonsense', 'not JSON'],
    ['has said too much', 'x'.repeat(5000)],
  ])('that %s has the usual lease', async (_, text) => {
    const room = await enterRoom(elsewhere, queue, LEASE_MS);
    await die(room);
    writeFileSync(`${room.path}/worker`, text);
    const beat = Math.floor(statSync(`${room.path}/worker`).mtimeMs);
    expect((await only()).info).toBeUndefined();
    expect(await takeDeadRoom(realMachine, room, beat + DEFAULT_LEASE_MS)).toBeUndefined();
    const dead = await takeDeadRoom(realMachine, room, beat + DEFAULT_LEASE_MS + 1);
    expect(dead).toBeDefined();
    await dead?.over(true);
  });
});

describe('a room without its file', () => {
  it('is left alone while it may be a new one', async () => {
    const path = `${queue}/work/new`;
    mkdirSync(path);
    expect(await takeDeadRoom(realMachine, { path }, now())).toBeUndefined();
    expect(readdirSync(path)).toEqual([]);
  });

  it('is taken when it is old, with the job that came into it last', async () => {
    const path = `${queue}/work/old`;
    mkdirSync(path);
    writeFileSync(`${path}/${JOB}`, '');
    const mtimeMs = Math.floor(statSync(path).mtimeMs);
    expect(await takeDeadRoom(realMachine, { path }, mtimeMs + DEFAULT_LEASE_MS)).toBeUndefined();
    const dead = await takeDeadRoom(realMachine, { path }, mtimeMs + DEFAULT_LEASE_MS + 1);
    expect(dead?.jobs).toEqual([JOB]);
    renameSync(`${path}/${JOB}`, `${queue}/jobs/${JOB}`);
    await dead?.over(true);
    expect(existsSync(path)).toBe(false);
  });

  it('that is not empty after all stays', async () => {
    const room = await enterRoom(realMachine, queue, LEASE_MS);
    await die(room);
    const dead = await takeDeadRoom(realMachine, room, now());
    writeFileSync(`${room.path}/${JOB}`, '');
    await dead?.over(true);
    expect(readdirSync(room.path)).toEqual([JOB]);
  });

  it('that is gone is no error', async () => {
    expect(await takeDeadRoom(realMachine, { path: `${queue}/work/never` }, now())).toBeUndefined();
  });
});

it('lists rooms and nothing else', async () => {
  writeFileSync(`${queue}/work/a file`, '');
  mkdirSync(`${queue}/work/W`);
  for (const name of [JOB, 'notes.txt']) writeFileSync(`${queue}/work/W/${name}`, '');
  const rooms = await listRooms(realMachine, queue);
  expect(rooms.map(({ name, jobs, info }) => ({ name, jobs, info }))).toEqual([
    { name: 'W', jobs: [JOB], info: undefined },
  ]);
  expect(readFileSync(`${queue}/work/a file`, 'utf8')).toBe('');
});
