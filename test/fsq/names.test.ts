/** Items that their adders have named, and what was pushed. */

import { readdirSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../src/fsq/constants.ts';
import { createFsq, openFsq } from '../../src/fsq/fsq.ts';
import { findGarbage, removeGarbage } from '../../src/fsq/garbage.ts';
import { placeAt } from '../../src/fsq/place.ts';
import { receive } from '../../src/fsq/rpc/receive.ts';
import { decodeBytes, encodeBytes } from '../../src/os/bytes.ts';
import type { Machine } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import type { Queue } from '../../src/queue/contract.ts';
import { drained } from '../relay/support.ts';
import { interceptFiles } from '../support/intercepted-files.ts';
import { machineWithFiles } from '../support/machines.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const HOUR_MS = 3_600_000;
let queue: Queue;

beforeEach(async () => {
  queue = await createFsq(realMachine, temporary.path('queue'));
});

const list = (...names: string[]) => readdirSync(join(queue.location, ...names)).sort();
const place = () => placeAt(queue.location, DEFAULTS);
const payloads = async () => (await drained(queue)).map(({ payload }) => payload);

/** One whose process dies when it is about to put an item into the queue. */
function dying(): Machine {
  const files = interceptFiles(realMachine.files, ({ name, path }) => {
    if (name === 'rename' && path.includes('/adding/')) throw new Error('we are dead');
  });
  return machineWithFiles(files);
}

describe('an item with a name', () => {
  it('is added once by many at once, and runs once', async () => {
    const added = await Promise.all(
      Array.from({ length: 20 }, async (_, number) => {
        const own = await openFsq(realMachine, queue.location);
        return own.add({ name: 'the one', payload: `${number}` });
      }),
    );
    expect(added.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(new Set(added.map(({ id }) => id)).size).toBe(1);
    expect(await payloads()).toHaveLength(1);
    expect([list('tmp'), list('intray/adding')]).toEqual([[], []]);
  });

  it('is added once among many that are added together, in their order', async () => {
    const added = await queue.addAll([
      { name: 'a', payload: '1' },
      { payload: '2' },
      { payload: '3' },
      { name: 'a', payload: '4' },
      { name: 'b', payload: '5' },
    ]);
    expect(added.map(({ duplicate }) => duplicate)).toEqual([false, false, false, true, false]);
    expect(added[3]?.id).toBe(added[0]?.id);
    expect(await payloads()).toEqual(['1', '2', '3', '5']);
  });

  it('that an adder left on its way is put into the queue by the next one, with what it had', async () => {
    const dead = await openFsq(dying(), queue.location);
    await expect(dead.add({ name: 'a', payload: 'first' })).rejects.toThrow('we are dead');
    expect(await payloads()).toEqual([]);
    expect(await queue.add({ name: 'a', payload: 'second' })).toMatchObject({ duplicate: true });
    expect(await payloads()).toEqual(['first']);
    expect(await queue.add({ name: 'a' })).toMatchObject({ duplicate: true });
    expect(await payloads()).toEqual([]);
  });

  it('is not added again when what has run it, and all that is left of it, is gone', async () => {
    const { id } = await queue.add({ name: 'a' });
    unlinkSync(join(queue.location, 'queue', id));
    expect(await queue.add({ name: 'a' })).toMatchObject({ id, duplicate: true });
    expect(await payloads()).toEqual([]);
  });

  it('may have any name', async () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 400 }).map((all) => decodeBytes(all));
    const odd = fc.oneof(bytes, fc.string({ minLength: 1, unit: 'binary' }), fc.constant('a/../b\n'));
    await fc.assert(
      fc.asyncProperty(odd, async (name) => {
        await queue.add({ name });
        expect(await queue.add({ name })).toMatchObject({ duplicate: true });
      }),
      { numRuns: 40 },
    );
  });

  it('is refused under a name that cannot be read', async () => {
    await queue.add({ name: 'a' });
    const path = join(queue.location, 'intray/names/a');
    writeFileSync(path, '');
    await expect(queue.add({ name: 'a' })).rejects.toMatchObject({ message: expect.stringContaining(path) });
  });

  it('is known as long as its name is, which goes when it is nowhere any more', async () => {
    const options = { keepDone: 0, olderThanMs: 0 };
    await queue.add({ name: 'over' });
    await payloads();
    await queue.add({ name: 'waits' });
    const dead = await openFsq(dying(), queue.location);
    await expect(dead.add({ name: 'pending' })).rejects.toThrow('we are dead');
    const garbage = await findGarbage(realMachine, place(), DEFAULTS, options);
    expect(garbage.map(({ kind }) => kind).sort()).toEqual(['done', 'receipt']);
    expect(await removeGarbage(realMachine, garbage)).toHaveLength(2);
    expect(list('intray/names')).toEqual(['pending', 'waits']);
    expect(await queue.add({ name: 'over' })).toMatchObject({ duplicate: false });
    // What another gc has found meanwhile is another item's.
    expect(await removeGarbage(realMachine, garbage)).toEqual([]);
    expect(list('intray/names')).toEqual(['over', 'pending', 'waits']);
  });

  it('that did not get its name leaves litter, which goes when it is old, and nothing else', async () => {
    const files = interceptFiles(realMachine.files, ({ name, path, to }) => {
      if (name === 'link' && to?.includes('/names/')) throw new Error('we are dead');
      if (name === 'unlink' && path.includes('/adding/')) throw new Error('we are dead');
    });
    const dead = await openFsq(machineWithFiles(files), queue.location);
    await expect(dead.add({ name: 'a' })).rejects.toThrow('we are dead');
    await expect((await openFsq(dying(), queue.location)).add({ name: 'b' })).rejects.toThrow('we are dead');
    const clock = {
      ...realMachine.clock,
      now: () => ({ seconds: BigInt(Date.now() + 48 * HOUR_MS) / 1000n, nanos: 0 }),
    };
    const later = { ...realMachine, clock };
    const garbage = await findGarbage(later, place(), DEFAULTS, { keepDone: 0, olderThanMs: 0 });
    expect(garbage.map(({ kind }) => kind)).toEqual(['temporary']);
    await removeGarbage(later, garbage);
    expect(await queue.add({ name: 'b' })).toMatchObject({ duplicate: true });
    expect(await queue.add({ name: 'a' })).toMatchObject({ duplicate: false });
    expect(await drained(queue)).toHaveLength(2);
  });
});

describe('an item that is pushed', () => {
  const ID = '_20260101000000_0_1_host_0_arg';

  async function pushed(machine: Machine, text: string): Promise<boolean> {
    const incoming = await receive(machine, place(), DEFAULTS, 1000);
    await incoming.write(encodeBytes(text));
    return incoming.accept(ID);
  }

  it('is taken once by many at once', async () => {
    const taken = await Promise.all(Array.from({ length: 8 }, () => pushed(realMachine, 'x')));
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect(await payloads()).toEqual(['x']);
    expect(await pushed(realMachine, 'x')).toBe(false);
    expect([list('tmp'), list('intray/adding')]).toEqual([[], []]);
  });

  it('whose receiver died on its way is there when it is sent again', async () => {
    await expect(pushed(dying(), 'x')).rejects.toThrow('we are dead');
    expect(await payloads()).toEqual([]);
    expect(await pushed(realMachine, 'x')).toBe(false);
    expect(await payloads()).toEqual(['x']);
  });

  it('is known by receipts as they once were', async () => {
    await expect(pushed(dying(), 'x')).rejects.toThrow('we are dead');
    writeFileSync(join(queue.location, 'intray/pushed', ID), '');
    utimesSync(join(queue.location, 'intray/pushed', ID), 1, 1);
    expect(await pushed(realMachine, 'x')).toBe(false);
    expect(await payloads()).toEqual([]);
  });
});
