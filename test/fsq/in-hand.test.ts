import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../src/fsq/constants.ts';
import { openFsq } from '../../src/fsq/fsq.ts';
import { countTheDead, InHand } from '../../src/fsq/in-hand.ts';
import { deathsOf } from '../../src/fsq/notes.ts';
import type { Place } from '../../src/fsq/place.ts';
import { readRuns } from '../../src/fsq/run-notes.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { useTemporary } from '../support/temporary.ts';
import { newQueue, put, rooms, scanned } from './support.ts';

const temporary = useTemporary();

/** What a scanner leaves that is killed while it runs these. */
function killedWith({ own }: Place, ...names: string[]): void {
  mkdirSync(`${own}/running`, { recursive: true });
  const bytes = Buffer.alloc(256 * names.length);
  for (const [at, name] of names.entries()) bytes.write(name, at * 256);
  writeFileSync(`${own}/running/host.1.${Math.random()}`, bytes);
}

const running = ({ own }: Place) => readdirSync(`${own}/running`);

describe('a scanner', () => {
  it('says what it has in hand as long as it has it, and leaves nothing', async () => {
    const place = await newQueue(temporary.path('queue'));
    const name = await put(place, '', 'a');
    await scanned(place, async (work) => {
      const [own = ''] = running(place);
      const text = () => readFileSync(`${place.own}/running/${own}`, 'latin1');
      expect(text().replace(/\0+$/, '')).toBe(name);
      await work.done();
      expect(text()[0]).toBe('\0');
    });
    expect(running(place)).toEqual([]);
  });

  it('goes without where it may not write, or not there', async () => {
    const place = await newQueue(temporary.path('queue'));
    await put(place, '', 'a');
    writeFileSync(place.own, 'a file');
    const mkdir = () => {
      throw Object.assign(new Error('EACCES'), { code: 'EACCES', syscall: 'mkdir' });
    };
    const machine = { ...realMachine, files: { ...realMachine.files, mkdir } };
    expect(await scanned(place, undefined, {}, {}, machine)).toEqual(['a']);
  });

  it('is not taken for dead while it lives', async () => {
    const place = await newQueue(temporary.path('queue'));
    const name = await put(place, '', 'a');
    const inHand = new InHand(realMachine, place);
    await inHand.take(name);
    await countTheDead(realMachine, place, DEFAULTS);
    expect(await deathsOf(realMachine, place, name)).toBe(0);
    await inHand.end();
    expect(running(place)).toEqual([]);
  });
});

describe('an item whose scanner died', () => {
  it('is run again, and after so many deaths in a row put away', async () => {
    const place = await newQueue(temporary.path('queue'));
    const name = await put(place, '', 'a');
    for (let deaths = 1; deaths < 5; deaths++) {
      killedWith(place, name);
      expect(await scanned(place, () => {})).toEqual(['a']); // and is given back
      expect(await deathsOf(realMachine, place, name)).toBe(deaths);
    }
    killedWith(place, 'gone', name);
    const reasons: string[] = [];
    const onRefused = (_path: string, reason: string) => void reasons.push(reason);
    expect(await scanned(place, undefined, {}, { onRefused })).toEqual([]);
    expect(reasons).toEqual(['it was started 5 times in a row, and each time its scanner died']);
    expect(rooms(place)).toMatchObject({ waiting: [], fail: [name] });
    const runs = await readRuns(realMachine, place, name);
    expect(runs.map(({ outcome }) => outcome)).toEqual([...Array(5).fill('died'), 'failed']);
  });

  it('begins again when a start of it has come to an end', async () => {
    const place = await newQueue(temporary.path('queue'));
    const name = await put(place, '', 'a');
    killedWith(place, name);
    await scanned(place, (work) => work.failTmp().then(() => {}), { maxTries: 9 });
    const [again = ''] = rooms(place).waiting;
    expect(again).not.toBe(name);
    expect(existsSync(`${place.own}/died/${name}`)).toBe(false);
    expect(await deathsOf(realMachine, place, again)).toBe(0);
  });

  it('is put away by workers too', async () => {
    const place = await newQueue(temporary.path('queue'));
    const name = await put(place, '', 'a');
    const queue = await openFsq(realMachine, place.directory);
    killedWith(place, name);
    killedWith(place, name);
    const session = await queue.join({ maxDeaths: 2 });
    expect(await session.claim()).toMatchObject({ kind: 'idle', reason: 'empty' });
    await session.close();
    expect(rooms(place)).toMatchObject({ waiting: [], fail: [name] });
  });
});

it('an item without room for one try more in its name fails, and that is told', async () => {
  const place = await newQueue(temporary.path('queue'));
  const short = await put(place, '', 'a');
  await scanned(place);
  const name = await put(place, '', 'a'.repeat(255 - short.length + 1));
  renameSync(`${place.waiting}/${name}`, `${place.waiting}/${name.replace(/_0_(a+)$/, '_9_$1')}`);
  const told: string[] = [];
  const onRefused = (_path: string, reason: string) => void told.push(reason);
  await scanned(place, (work) => work.failTmp('as it says').then(() => {}), { maxTries: 0 }, { onRefused });
  expect(told).toEqual(['its name has no room for one try more']);
  expect(rooms(place)).toMatchObject({ waiting: [] });
  const runs = await readRuns(realMachine, place, name);
  expect(runs).toMatchObject([
    { outcome: 'failed', reason: 'as it says; its name has no room for one try more' },
  ]);
});
