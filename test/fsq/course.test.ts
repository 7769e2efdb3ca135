import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../src/fsq/constants.ts';
import { Course } from '../../src/fsq/course.ts';
import { bytesWriter, enqueueAll } from '../../src/fsq/enqueue.ts';
import { listWaiting } from '../../src/fsq/listing.ts';
import { join, type Place } from '../../src/fsq/place.ts';
import { letGo, type Taken } from '../../src/fsq/take.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { useTemporary } from '../support/temporary.ts';
import { newQueue } from './support.ts';

const temporary = useTemporary();
const ITEMS = 200;

async function filled(): Promise<Place> {
  const place = await newQueue(temporary.path('queue'));
  const items = Array.from({ length: ITEMS }, (_, n) => ({
    args: [String(n)],
    write: bytesWriter(realMachine, ''),
  }));
  await enqueueAll(realMachine, place, DEFAULTS, items, 'crash-safe');
  return place;
}

/** A course whose items each take so long, and what it has met. */
async function courseOf(place: Place, msAnItem: number) {
  let nowMs = 0;
  const clock = { ...realMachine.clock, monotonicMs: () => nowMs };
  const machine = { ...realMachine, clock };
  const { items } = await listWaiting(machine, place, DEFAULTS);
  const course = new Course(machine, place.waiting, items, { areNamesOurs: true });
  const met = { taken: [] as number[], busy: 0, gone: 0, unreadable: 0 };
  /** The next that it gets; it has it until it calls for another. */
  const take = async (): Promise<Taken | undefined> => {
    for (let listed = await course.next(); listed !== undefined; listed = await course.next()) {
      const taken = await course.take(listed);
      if (taken.kind !== 'taken') {
        met[taken.kind] += 1;
        continue;
      }
      met.taken.push(Number(listed.item.args[0]));
      nowMs += msAnItem;
      return taken;
    }
    return undefined;
  };
  return { course, met, take };
}

async function finish(taken: Taken): Promise<void> {
  rmSync(join(taken.directory, taken.name));
  await letGo(realMachine, taken);
}

const inOrder = (numbers: readonly number[]) =>
  numbers.every((n, at) => at === 0 || n > (numbers[at - 1] ?? 0));

describe('going through a list', () => {
  it('is from the oldest to the newest, alone', async () => {
    const { take, met } = await courseOf(await filled(), 0);
    for (let taken = await take(); taken !== undefined; taken = await take()) await finish(taken);
    expect(met).toEqual({
      taken: Array.from({ length: ITEMS }, (_, n) => n),
      busy: 0,
      gone: 0,
      unreadable: 0,
    });
  });

  it.each([2, 4])('by %i at once leaves nothing, takes nothing twice, and seldom meets', async (count) => {
    const place = await filled();
    const scanners = await Promise.all(Array.from({ length: count }, () => courseOf(place, 0)));
    for (let left = scanners; left.length > 0; ) {
      const taken = await Promise.all(left.map(({ take }) => take()));
      for (const one of taken) if (one !== undefined) await finish(one);
      left = left.filter((_, at) => taken[at] !== undefined);
    }
    const all = scanners.flatMap(({ met }) => met.taken);
    expect(all.toSorted((a, b) => a - b)).toEqual(Array.from({ length: ITEMS }, (_, n) => n));
    // Without leaps they meet at nearly each item.
    const meetings = scanners.reduce((sum, { met }) => sum + met.busy + met.gone, 0);
    expect(meetings).toBeLessThan(ITEMS / 2);
  });

  it('keeps the order of items that take their time', async () => {
    const place = await filled();
    const [first, second] = [await courseOf(place, 1000), await courseOf(place, 1000)];
    for (let n = 0; n < 20; n++) {
      const taken = [await first.take(), await second.take()];
      for (const one of taken) if (one !== undefined) await finish(one);
    }
    expect(first.met.taken).toEqual(Array.from({ length: 20 }, (_, n) => 2 * n));
    expect(second.met.taken).toEqual(Array.from({ length: 20 }, (_, n) => 2 * n + 1));
  });

  it('goes back to what it has leapt over and nobody has taken', async () => {
    const place = await filled();
    const other = await courseOf(place, 0);
    const ours = await courseOf(place, 0);
    const first = await ours.take();
    const held = [await other.take(), await other.take()];
    for (const one of [first, await ours.take()]) if (one !== undefined) await finish(one);
    for (const one of held) if (one !== undefined) await letGo(realMachine, one);
    for (let taken = await ours.take(); taken !== undefined; taken = await ours.take()) await finish(taken);
    const missed = ITEMS - ours.met.taken.length;
    expect(missed).toBe(ours.met.busy);
    expect(inOrder(ours.met.taken)).toBe(false);
  });

  it('returns to an item that waits again', async () => {
    const { course, take, met } = await courseOf(await filled(), 0);
    const taken = await take();
    for (let n = 0; n < 3; n++) {
      const more = await take();
      if (more !== undefined) await finish(more);
    }
    if (taken === undefined) throw new Error('nothing was taken');
    await letGo(realMachine, taken);
    course.returnTo(taken.name);
    const again = await take();
    if (again !== undefined) await finish(again);
    expect(met.taken).toEqual([0, 1, 2, 3, 0]);
  });
});
