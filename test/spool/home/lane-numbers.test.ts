import { readFileSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { realMachine } from '../../../src/os/real/index.ts';
import { sequence } from '../../../src/packet/header.ts';
import { QUEUE_LANE } from '../../../src/queue/words.ts';
import { addedPath, lockLane, nextNumber } from '../../../src/spool/home/lane-numbers.ts';
import { laneFileName, makeRooms } from '../../../src/spool/home/rooms.ts';
import { shareQueue } from '../../../src/spool/home/share.ts';
import { createSpool } from '../../../src/spool/spool.ts';
import { machineWith, manualClock } from '../../support/machines.ts';
import { useTemporary } from '../../support/temporary.ts';

const temporary = useTemporary();
let queue: string;

beforeEach(async () => {
  queue = temporary.path('queue');
  await createSpool(realMachine, queue);
  await makeRooms(realMachine, queue);
});

async function setNext(lane: string, next: number): Promise<void> {
  const numbers = await lockLane(realMachine, queue, lane);
  await numbers.write(sequence(next));
  await numbers.close();
}

describe("a lane's number", () => {
  it('is 1 at first', async () => {
    expect(await nextNumber(realMachine, queue, 'a')).toBe(1n);
  });

  it('is each lane its own', async () => {
    await setNext('a', 7);
    await setNext('b', 9);
    expect(await nextNumber(realMachine, queue, 'a')).toBe(7n);
    expect(await nextNumber(realMachine, queue, 'b')).toBe(9n);
    expect(await nextNumber(realMachine, queue, QUEUE_LANE)).toBe(1n);
    expect(readFileSync(`${queue}/lanes/a`, 'utf8')).toBe('7\n');
  });

  it('of jobs without a lane is the nextseq of the original', async () => {
    await setNext(QUEUE_LANE, 4);
    expect(readFileSync(`${queue}/nextseq`, 'utf8')).toBe('4\n');
    writeFileSync(`${queue}/nextseq`, '12\n');
    expect(await nextNumber(realMachine, queue, QUEUE_LANE)).toBe(12n);
  });

  it('changes under a lock that is not the one which keeps the original out', async () => {
    const shared = await shareQueue(realMachine, queue);
    await setNext(QUEUE_LANE, 2);
    await realMachine.files.close(shared);
  });

  it.each([QUEUE_LANE, 'a'])('of lane "%s" is changed by one at a time, who is waited for', async (lane) => {
    const first = await lockLane(realMachine, queue, lane);
    const clock = manualClock();
    await expect(lockLane(machineWith({ clock }), queue, lane)).rejects.toMatchObject({ code: 'locked' });
    expect(clock.waitedMs).toBeGreaterThanOrEqual(10_000);
    await (await lockLane(realMachine, queue, 'other')).close();
    await first.close();
    await (await lockLane(realMachine, queue, lane)).close();
  });

  it('is not lost among lanes with odd names', async () => {
    const lanes = [
      '.',
      '..',
      'a/b',
      'a.lock',
      'a.added',
      'a\nb',
      '%',
      'é',
      '\udcff',
      'x'.repeat(300),
      'x'.repeat(301),
    ];
    for (const [at, lane] of lanes.entries()) await setNext(lane, at + 10);
    for (const [at, lane] of lanes.entries()) {
      expect([lane, await nextNumber(realMachine, queue, lane)]).toEqual([lane, BigInt(at + 10)]);
    }
    expect(new Set(lanes.map(laneFileName)).size).toBe(lanes.length);
    for (const lane of lanes) expect(`${laneFileName(lane)}.added.lock`.length).toBeLessThanOrEqual(255);
  });

  it('that is to be given out next stands beside it', () => {
    expect(addedPath(queue, 'a')).toBe(`${queue}/lanes/a.added`);
  });

  it('that is damaged says so, with its file', async () => {
    writeFileSync(`${queue}/lanes/a`, 'seven\n');
    await expect(nextNumber(realMachine, queue, 'a')).rejects.toMatchObject({
      code: 'sequence-damaged',
      message: expect.stringContaining(`${queue}/lanes/a: `),
    });
  });
});
