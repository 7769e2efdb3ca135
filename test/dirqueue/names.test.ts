/** Jobs that their adders have named, in a queue of IPC::DirQueue. */

import { readdirSync, unlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { createDirQueue, type DirQueue, openDirQueue } from '../../src/dirqueue/dirqueue.ts';
import { openDirQueueKeeper } from '../../src/dirqueue/keeper.ts';
import { decodeBytes } from '../../src/os/bytes.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { interceptFiles } from '../support/intercepted-files.ts';
import { machineWithFiles } from '../support/machines.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const HOUR_MS = 3_600_000;
let queue: DirQueue;

beforeEach(async () => {
  queue = await createDirQueue(realMachine, temporary.path('queue'));
});

const list = (...names: string[]) => readdirSync(join(queue.location, ...names)).sort();
const keeper = () => openDirQueueKeeper(realMachine, queue.location);

/** A queue whose adder dies when it is about to rename. */
async function dyingAdder(): Promise<DirQueue> {
  const files = interceptFiles(realMachine.files, ({ name, path }) => {
    if (name === 'rename' && path.includes('/adding/')) throw new Error('we are dead');
  });
  return openDirQueue(machineWithFiles(files), queue.location);
}

async function runAll(): Promise<string[]> {
  const ran: string[] = [];
  for await (const job of queue.take({ wait: false })) {
    ran.push(await job.text());
    await job.finish();
  }
  return ran;
}

describe('a job with a name', () => {
  it('is added once by many at once, and runs once', async () => {
    const added = await Promise.all(
      Array.from({ length: 20 }, async (_, number) => {
        const own = await openDirQueue(realMachine, queue.location);
        return own.add({ name: 'the one', payload: `${number}` });
      }),
    );
    expect(added.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(new Set(added.map(({ id }) => id)).size).toBe(1);
    expect(await runAll()).toHaveLength(1);
    expect(list('intray', 'adding')).toEqual([]);
    expect(list('tmp')).toEqual([]);
    expect(list('data').flatMap((x) => list('data', x).flatMap((y) => list('data', x, y)))).toEqual([]);
  });

  it('is added once among many that are added together', async () => {
    const added = await queue.addAll([
      { name: 'a', payload: '1' },
      { payload: '2' },
      { name: 'a', payload: '3' },
      { name: 'b', payload: '4' },
    ]);
    expect(added.map(({ duplicate }) => duplicate)).toEqual([false, false, true, false]);
    expect(added[2]?.id).toBe(added[0]?.id);
    expect((await runAll()).sort()).toEqual(['1', '2', '4']);
  });

  it('that an adder left on its way is put into the queue by the next one, with what it had', async () => {
    await expect((await dyingAdder()).add({ name: 'a', payload: 'first' })).rejects.toThrow('we are dead');
    expect(await runAll()).toEqual([]);
    expect(await (await keeper()).findDisorder()).toEqual([]);
    expect(await queue.add({ name: 'a', payload: 'second' })).toMatchObject({ duplicate: true });
    expect(await runAll()).toEqual(['first']);
    expect(await queue.add({ name: 'a' })).toMatchObject({ duplicate: true });
    expect(await runAll()).toEqual([]);
  });

  it('is not added again when one that knows nothing of names has run it', async () => {
    const { id } = await queue.add({ name: 'a' });
    unlinkSync(join(queue.location, 'queue', id));
    expect(await queue.add({ name: 'a' })).toMatchObject({ id, duplicate: true });
    expect(await runAll()).toEqual([]);
  });

  it('may wait for its time, and keeps its name', async () => {
    const later = { name: 'a', notBefore: new Date(Date.now() + HOUR_MS) };
    await queue.add(later);
    expect(await queue.add(later)).toMatchObject({ duplicate: true });
    expect(list('intray', 'later')).toHaveLength(1);
  });

  it('may have any name', async () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 400 }).map((all) => decodeBytes(all));
    const odd = fc.oneof(bytes, fc.string({ minLength: 1, unit: 'binary' }), fc.constant('a/../b\n'));
    await fc.assert(
      fc.asyncProperty(odd, async (name) => {
        const { id, duplicate } = await queue.add({ name });
        const known = await queue.add({ name });
        expect(known).toMatchObject({ id: duplicate ? known.id : id, duplicate: true });
      }),
      { numRuns: 40 },
    );
  });

  it('says its name to people, and to whoever moves it on', async () => {
    const { id } = await queue.add({ name: 'line\nbreak', params: ['p'], env: { A: 'b' } });
    const own = await keeper();
    const [job] = (await own.look()).waiting;
    expect(job && (await own.details(job)).name).toBe('line\nbreak');
    expect((await queue.jobs()).jobs).toMatchObject([
      { id, terms: { id: 'line\nbreak' }, work: { params: ['p'], env: [['A', 'b']] } },
    ]);
  });

  it('is moved under its name, and not to where there was one of that name', async () => {
    const other = await createDirQueue(realMachine, temporary.path('other'));
    await other.add({ name: 'a' });
    for (const name of ['a', 'b']) await queue.add({ name, params: [name] });
    const own = await keeper();
    const operation = await own.operate();
    for (const job of (await own.look()).waiting) {
      const moving = operation.move?.(job, other.location);
      const { work } = (await own.contents(job)) ?? {};
      if (work?.kind === 'command' && work.params[0] === 'a') {
        await expect(moving).rejects.toMatchObject({ code: 'not-possible' });
      } else expect(await moving).toMatchObject({ kind: 'done' });
    }
    await operation.close();
    expect((await queue.jobs()).jobs).toHaveLength(1);
    expect(await other.add({ name: 'b' })).toMatchObject({ duplicate: true });
  });
});

describe('a name', () => {
  const old = new Date(Date.now() - 48 * HOUR_MS);
  const garbage = async () => (await keeper()).findGarbage({ keepDone: 0, olderThanMs: 0 });

  it('is forgotten by gc when its job is nowhere any more', async () => {
    await queue.add({ name: 'waits' });
    await queue.add({ name: 'over' });
    const [first] = (await queue.jobs()).jobs;
    await runAll();
    expect(first).toBeDefined();
    await queue.add({ name: 'waits too' });
    await expect.poll(async () => (await garbage()).length).toBe(2);
    const found = await garbage();
    expect(found.map(({ kind }) => kind)).toEqual(['receipt', 'receipt']);
    expect(await (await keeper()).removeGarbage(found)).toHaveLength(2);
    expect(list('intray', 'names')).toEqual(['waits%20too']);
    expect(await queue.add({ name: 'over' })).toMatchObject({ duplicate: false });
    // What another gc has found meanwhile is another job's.
    expect(await (await keeper()).removeGarbage(found)).toEqual([]);
  });

  it('that cannot be read is said, and no job is added under it', async () => {
    await queue.add({ name: 'a' });
    const path = join(queue.location, 'intray/names/a');
    unlinkSync(path);
    await realMachine.files.close(await realMachine.files.open(path, 'create'));
    await expect(queue.add({ name: 'a' })).rejects.toMatchObject({
      code: 'not-written',
      message: expect.stringContaining(path),
    });
  });

  it('that another one got leaves litter where its adder died, which repair removes', async () => {
    const files = interceptFiles(realMachine.files, ({ name, path }) => {
      if (path.includes('/adding/') && (name === 'link' || name === 'unlink')) throw new Error('we are dead');
    });
    const dying = await openDirQueue(machineWithFiles(files), queue.location);
    await expect(dying.add({ name: 'a' })).rejects.toThrow('we are dead');
    const [left = ''] = list('intray', 'adding');
    utimesSync(join(queue.location, 'intray/adding', left), old, old);
    const own = await keeper();
    const clock = { ...realMachine.clock, now: () => ({ seconds: 10n ** 10n, nanos: 0 }) };
    const later = await openDirQueueKeeper({ ...realMachine, clock }, queue.location);
    const findings = await later.findDisorder();
    expect(findings).toMatchObject([{ kind: 'temporary', remedy: 'remove' }]);
    const operation = await own.operate();
    await operation.repair(findings);
    await operation.close();
    expect(list('intray', 'adding')).toEqual([]);
    expect(await queue.add({ name: 'a' })).toMatchObject({ duplicate: false });
  });
});
