import { futimesSync, rmSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { realMachine } from '../../src/os/real/index.ts';
import { Life } from '../../src/queue/life.ts';
import { enterRoom, type WorkerRoom } from '../../src/spool/home/own-room.ts';
import { bringBackTheDead } from '../../src/spool/home/working/recovery.ts';
import { systemError } from '../support/faulty-files.ts';
import { homeQueue } from '../support/home.ts';
import { interceptFiles } from '../support/intercepted-files.ts';
import { alarmClock, machineWith, shiftedClock } from '../support/machines.ts';
import { eventually, useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const LEASE_MS = 400;
const BEAT_MS = 100;
let location: string;

beforeEach(async () => {
  ({ location } = await homeQueue(temporary.path('queue')));
});

/** A life whose beats come by `ring`, and whose touches may fail. */
async function lifeWith(isBroken: () => boolean = () => false) {
  const alarms = alarmClock();
  const shifted = shiftedClock();
  const clock = { ...alarms, now: shifted.now, monotonicMs: shifted.monotonicMs };
  let touches = 0;
  const files = interceptFiles(realMachine.files, ({ name, path }) => {
    if (name !== 'touch') return;
    touches += 1;
    if (isBroken()) throw systemError('EIO', name, path);
  });
  const machine = machineWith({ clock, files });
  const room: WorkerRoom = await enterRoom(machine, location, LEASE_MS);
  const life = new Life(machine, room);
  life.begin();
  return { machine, life, room, alarms, advance: shifted.advance, touches: () => touches };
}

describe('a life', () => {
  it('goes on beating, until it ends', async () => {
    const { life, room, alarms, touches } = await lifeWith();
    for (const beat of [1, 2, 3]) {
      await eventually(() => expect(alarms.ring(BEAT_MS)).toBe(1));
      await eventually(() => expect(touches()).toBe(beat));
    }
    await eventually(() => expect(alarms.isSet(BEAT_MS)).toBe(true));
    life.end();
    expect(alarms.ring(BEAT_MS)).toBe(0);
    expect(life.fenced.aborted).toBe(false);
    life.requireAlive();
    await room.leave();
  });

  it('is over when its room is gone', async () => {
    const { life, room, alarms } = await lifeWith();
    rmSync(room.path, { recursive: true });
    alarms.ring(BEAT_MS);
    await eventually(() => expect(life.fenced.aborted).toBe(true));
    expect(alarms.ring(BEAT_MS)).toBe(0);
    expect(() => life.requireAlive()).toThrow(expect.objectContaining({ code: 'fenced' }));
    await room.leave();
  });

  it('is over when whoever looks for its room does not find it', async () => {
    const { life, room } = await lifeWith();
    await life.requireSign();
    rmSync(room.path, { recursive: true });
    await expect(life.requireSign()).rejects.toMatchObject({ code: 'fenced' });
    expect(life.fenced.aborted).toBe(true);
    life.end();
    await room.leave();
  });

  it('goes on when nobody answers for a moment, and is over when that lasts as long as the lease', async () => {
    const { life, room, alarms, advance, touches } = await lifeWith(() => true);
    alarms.ring(BEAT_MS);
    await eventually(() => expect(alarms.isSet(BEAT_MS)).toBe(true));
    expect([touches(), life.fenced.aborted]).toEqual([1, false]);
    advance(LEASE_MS);
    alarms.ring(BEAT_MS);
    await eventually(() => expect(life.fenced.aborted).toBe(true));
    await room.leave();
  });

  it('looks for the dead once a second', async () => {
    const { machine, life, room, advance } = await lifeWith();
    let looked = 0;
    const recoverer = { own: room, keepSucceeded: false, whatIs: async () => undefined };
    const other = await enterRoom(realMachine, location, LEASE_MS);
    const look = async () => {
      futimesSync(room.lock, 1, 1);
      await life.recoverNowAndThen(() => bringBackTheDead(machine, location, recoverer));
      // Whoever looks for the dead says first that it lives.
      if ((await realMachine.files.fstat(room.lock)).modifiedMs > 1000) looked += 1;
      return looked;
    };
    expect([await look(), await look()]).toEqual([1, 1]);
    advance(1000);
    await eventually(async () => expect(await look()).toBe(2));
    life.end();
    await other.leave();
    await room.leave();
  });
});
