import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../src/fsq/constants.ts';
import { hold, waitUntil } from '../../src/fsq/notes.ts';
import { placeAt } from '../../src/fsq/place.ts';
import { readRuns } from '../../src/fsq/run-notes.ts';
import { take } from '../../src/fsq/take.ts';
import type { Descriptor } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { readSmallFile } from '../../src/os/transfer.ts';
import { useTemporary } from '../support/temporary.ts';
import { goldenQueues, newQueue, put, rooms, scanned } from './support.ts';

const temporary = useTemporary();

describe('queues that fsq 0.2.5 made', () => {
  it('are gone through, oldest first, whatever their delimiters', async () => {
    const place = placeAt(`${goldenQueues(temporary.path())}/basic`, DEFAULTS);
    const refused: string[] = [];
    const onRefused = (path: string) => void refused.push(path.slice(path.lastIndexOf('/') + 1));
    const seen = await scanned(place, undefined, { maxTries: 0 }, { onRefused });
    expect(seen.slice(0, 2)).toEqual(['args to enqueue', 'under_score per%cent sla/sh spa ce  ünï']);
    expect(seen).toContain('a,b c_d');
    expect(refused).toEqual(['_malformed', 'plainname']);
    expect(rooms(place)).toMatchObject({ tmp: [], waiting: [], fail: ['_malformed', 'plainname'] });
    expect(rooms(place).done).toHaveLength(seen.length);
  });

  it('are left alone when they are down', async () => {
    const place = placeAt(`${goldenQueues(temporary.path())}/downed`, DEFAULTS);
    expect(await scanned(place)).toEqual([]);
    expect(await scanned(place, undefined, {}, { ignoreDown: true })).toEqual(['later']);
  });
});

describe('going through a queue', () => {
  it.each([
    ['power-safe', true],
    ['crash-safe', false],
  ] as const)('%s: what becomes of items is synced: %s', async (durability, expected) => {
    const place = await newQueue(temporary.path('queue'));
    await put(place, '', 'a');
    let syncs = 0;
    const fsyncAll = async (all: readonly Descriptor[]) => {
      syncs += 1;
      await realMachine.files.fsyncAll(all);
    };
    const machine = { ...realMachine, files: { ...realMachine.files, fsyncAll } };
    expect(await scanned(place, undefined, {}, { durability }, machine)).toEqual(['a']);
    expect(syncs > 0).toBe(expected);
  });

  it('stops after the item during which it was taken down', async () => {
    const place = await newQueue(temporary.path('queue'));
    for (const name of ['1', '2', '3']) await put(place, '', name);
    const seen = await scanned(place, async (work) => {
      writeFileSync(place.down[0] ?? '', '');
      await work.done();
    });
    expect(seen).toEqual(['1']);
    expect(rooms(place).waiting).toHaveLength(2);
  });

  it('says so when the queue was moved meanwhile, and leaves the item', async () => {
    const place = await newQueue(temporary.path('queue'));
    const name = await put(place, '', 'a');
    const moved = temporary.path('moved');
    const going = scanned(place, (work) => {
      renameSync(place.directory, moved);
      return work.done();
    });
    await expect(going).rejects.toThrow('it is not there any more');
    expect(readdirSync(`${moved}/queue`)).toEqual([name]);
    expect(await scanned(placeAt(moved, DEFAULTS))).toEqual(['a']);
  });

  it('leaves an item that nobody has settled as it was', async () => {
    const place = await newQueue(temporary.path('queue'));
    const name = await put(place, 'x', 'a');
    await scanned(place, () => {});
    expect(rooms(place)).toEqual({ tmp: [], waiting: [name], done: [], fail: [] });
    expect(await scanned(place)).toEqual(['a']);
  });

  it('does not give out what another has', async () => {
    const place = await newQueue(temporary.path('queue'));
    await put(place, 'x', 'a');
    await put(place, 'y', 'b');
    const beside: string[] = [];
    await scanned(place, async (work) => {
      if (beside.length === 0) beside.push(...(await scanned(place)));
      await work.done();
    });
    expect(beside).toEqual(['b']);
    expect(rooms(place).done).toHaveLength(2);
  });

  it('gives it out all the same where nothing is locked', async () => {
    const place = await newQueue(temporary.path('queue'));
    await put(place, 'x', 'a');
    const beside: string[] = [];
    await scanned(place, async () => void beside.push(...(await scanned(place, undefined, { lock: false }))));
    expect(beside).toEqual(['a']);
  });

  it('counts tries until they are too many', async () => {
    const place = await newQueue(temporary.path('queue'));
    const name = await put(place, 'x', 'a');
    const again = name.replace('_0_a', '_1_a');
    await scanned(place, (work) => work.failTmp('not now'), { maxTries: 2 });
    expect(rooms(place).waiting).toEqual([again]);
    await scanned(place, (work) => work.failTmp('not now'), { maxTries: 2 });
    expect(rooms(place)).toEqual({ tmp: [], waiting: [], done: [], fail: [again] });
    expect((await readRuns(realMachine, place, name)).map(({ outcome }) => outcome)).toEqual([
      'retry',
      'failed',
    ]);
  });

  it('tries for ever where there is no limit', async () => {
    const place = await newQueue(temporary.path('queue'));
    const name = await put(place, 'x', 'a');
    for (let turn = 0; turn < 12; turn++) await scanned(place, (work) => work.failTmp(), { maxTries: 0 });
    expect(rooms(place).waiting).toEqual([name.replace('_0_a', '_12_a')]);
  });

  it('fails an item that was tried too often already', async () => {
    const place = await newQueue(temporary.path('queue'));
    const name = await put(place, 'x', 'a');
    const tried = name.replace('_0_a', '_3_a');
    renameSync(`${place.waiting}/${name}`, `${place.waiting}/${tried}`);
    expect(await scanned(place, undefined, { maxTries: 3 })).toEqual([]);
    expect(rooms(place).fail).toEqual([tried]);
  });

  it.each([
    ['one second younger than its time to live', 59, ['a']],
    ['as old as that', 60, ['a']],
    ['older', 61, []],
  ])('an item %s', async (_, ageSeconds, expected) => {
    const place = await newQueue(temporary.path('queue'));
    const enqueued = Date.UTC(2020, 0, 1);
    writeFileSync(`${place.waiting}/_20200101000000_0_1_h_0_a`, '');
    const at = { seconds: BigInt(enqueued / 1000 + ageSeconds), nanos: 0 };
    const clock = { ...realMachine.clock, now: () => at, utcOffsetSeconds: () => 0 };
    const seen = await scanned(place, undefined, { ttl: 60 }, {}, { ...realMachine, clock });
    expect(seen).toEqual(expected);
    expect(rooms(place)[expected.length > 0 ? 'done' : 'fail']).toHaveLength(1);
  });

  it('fails what is no item for good, and keeps the reason', async () => {
    const place = await newQueue(temporary.path('queue'));
    const odd = Buffer.concat([Buffer.from(`${place.waiting}/`), Buffer.from([0xff, 0x0a, 0x80])]);
    writeFileSync(odd, 'keep me');
    mkdirSync(`${place.waiting}/_20200101000000_0_1_h_0_directory`);
    const told: string[] = [];
    await scanned(place, undefined, {}, { onRefused: (_, reason) => void told.push(reason) });
    expect(told.sort()).toEqual([
      'it is a directory, not a file',
      'its name has 1 field, fewer than the 5 of an item',
    ]);
    const name = '\udcff\n\udc80';
    const kept = await readSmallFile(realMachine.files, `${place.fail}/${name}`, 100);
    expect(Buffer.from(kept).toString()).toBe('keep me');
    expect(await readRuns(realMachine, place, name)).toMatchObject([{ outcome: 'failed', reason: told[1] }]);
  });

  it('loses nothing when two that are no items have one name, one after the other', async () => {
    const place = await newQueue(temporary.path('queue'));
    for (const content of ['first', 'second', 'third']) {
      writeFileSync(`${place.waiting}/plain`, content);
      await scanned(place);
    }
    const kept = rooms(place).fail.map((name) => readFileSync(`${place.fail}/${name}`, 'utf8'));
    expect(kept.sort()).toEqual(['first', 'second', 'third']);
  });

  it('ends with an item that is done already under its name, whichever file has it', async () => {
    const place = await newQueue(temporary.path('queue'));
    const name = await put(place, 'x', 'a');
    linkSync(`${place.waiting}/${name}`, `${place.done}/${name}`);
    expect(await scanned(place)).toEqual(['a']);
    expect(rooms(place)).toEqual({ tmp: [], waiting: [], done: [name], fail: [] });
    writeFileSync(`${place.waiting}/${name}`, 'another');
    expect(await scanned(place)).toEqual(['a']);
    expect(rooms(place).waiting).toEqual([]);
    expect(rooms(place).done).toHaveLength(2);
  });

  it('fails an item whose name has no room for another try', async () => {
    const place = await newQueue(temporary.path('queue'));
    const name = `_20200101000000_0_1_h_9_${'x'.repeat(231)}`;
    expect(name).toHaveLength(255);
    writeFileSync(`${place.waiting}/${name}`, '');
    await scanned(place, (work) => work.failTmp(), { maxTries: 0 });
    expect(rooms(place)).toMatchObject({ waiting: [], fail: [name] });
  });

  it('passes over what is held or not due yet, and forgets that it was', async () => {
    const place = await newQueue(temporary.path('queue'));
    const held = await put(place, '', 'held');
    const later = await put(place, '', 'later');
    const due = await put(place, '', 'due');
    await hold(realMachine, place, held);
    await waitUntil(realMachine, place, later, 4e12);
    await waitUntil(realMachine, place, due, 1);
    expect(await scanned(place)).toEqual(['due']);
    expect(rooms(place).waiting).toEqual([held, later].sort());
    expect(readdirSync(`${place.own}/until`)).toEqual([later]);
  });

  it('tells of a link to nothing, and leaves it', async () => {
    const place = await newQueue(temporary.path('queue'));
    symlinkSync('nowhere', `${place.waiting}/_20200101000000_0_1_h_0_link`);
    const told: string[] = [];
    expect(await scanned(place, undefined, {}, { onRefused: (_, reason) => void told.push(reason) })).toEqual(
      [],
    );
    expect(told).toEqual(['it is a link to nothing']);
    expect(rooms(place).waiting).toHaveLength(1);
  });

  it('has what it was given last under a lock that ends with it', async () => {
    const place = await newQueue(temporary.path('queue'));
    const name = await put(place, 'x', 'a');
    await scanned(place, async () => {
      expect((await take(realMachine, place.waiting, { name, kind: 'file' })).kind).toBe('busy');
    });
    const taken = await take(realMachine, place.waiting, { name, kind: 'file' });
    expect(taken.kind).toBe('taken');
    if (taken.kind === 'taken') await realMachine.files.close(taken.descriptor);
  });

  it('takes no item whose name leads to another file by the time it has the lock', async () => {
    const place = await newQueue(temporary.path('queue'));
    const name = await put(place, 'x', 'a');
    const path = `${place.waiting}/${name}`;
    const locks = {
      ...realMachine.locks,
      tryLock: (...args: Parameters<typeof realMachine.locks.tryLock>) => {
        rmSync(path);
        writeFileSync(path, 'another');
        return realMachine.locks.tryLock(...args);
      },
    };
    const taken = await take({ ...realMachine, locks }, place.waiting, { name, kind: 'file' });
    expect(taken.kind).toBe('gone');
  });
});
