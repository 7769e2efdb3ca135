/** What others may have put into a queue: nothing of it is believed, nothing hangs, and no lock is left behind. */

import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDirQueue, type DirQueue, openDirQueue } from '../../src/dirqueue/dirqueue.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { filesIn, textOf } from '../support/dirqueues.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const ID = '10.20261121014123341100.FORGE';

async function forged(control: string): Promise<DirQueue> {
  const path = temporary.path('queue');
  const queue = await createDirQueue(realMachine, path);
  writeFileSync(`${path}/queue/${ID}`, control);
  await queue.add({ payload: 'good' });
  return queue;
}

/** Works it to its end: what ran, and what could not be read. */
async function drained(queue: DirQueue): Promise<{ ran: string[]; unreadable: string[] }> {
  const session = await queue.join();
  const ran: string[] = [];
  for (let claim = await session.claim(); claim.kind === 'claim'; claim = await session.claim()) {
    ran.push(await textOf(claim));
    await claim.succeed();
  }
  const unreadable = session.unreadable.map(({ message }) => message);
  await session.close();
  expect(readdirSync(`${queue.location}/active`)).toEqual([]);
  return { ran, unreadable };
}

describe('QDFN never reaches outside of the queue', () => {
  const secret = () => temporary.path('secret');

  it.each([
    ['an absolute path', () => secret()],
    ['a way up', () => `${temporary.path('queue')}/data/../../secret`],
    ['another directory of the queue', () => `${temporary.path('queue')}/queue/${ID}`],
  ])('by %s', async (_, qdfn) => {
    writeFileSync(secret(), 'secret');
    const queue = await forged(`QDFN: ${qdfn()}\nQDSB: 6\n`);
    const message = 'it names a data file that is not in data/ of the queue';
    expect(await drained(queue)).toEqual({ ran: ['good'], unreadable: [message] });
    expect(readFileSync(secret(), 'utf8')).toBe('secret');
  });

  it('by a symbolic link in data/', async () => {
    writeFileSync(secret(), 'secret');
    const queue = await forged('QDFN: data/~/b/50.x\nQDSB: 6\n');
    mkdirSync(`${queue.location}/data/~/b`, { recursive: true });
    symlinkSync(secret(), `${queue.location}/data/~/b/50.x`);
    expect(await drained(queue)).toEqual({ ran: ['good'], unreadable: ['its data file is a symbolic link'] });
    expect(readFileSync(secret(), 'utf8')).toBe('secret');
  });

  it('by a directory of data/ that is a symbolic link', async () => {
    const outside = temporary.path('outside');
    mkdirSync(`${outside}/b`, { recursive: true });
    writeFileSync(`${outside}/b/50.x`, 'secret');
    const queue = await forged('QDFN: data/~/b/50.x\nQDSB: 6\n');
    symlinkSync(outside, `${queue.location}/data/~`);
    const message = 'the directory of its data file leads out of the queue';
    expect(await drained(queue)).toEqual({ ran: ['good'], unreadable: [message] });
    expect(readFileSync(`${outside}/b/50.x`, 'utf8')).toBe('secret');
  });
});

describe('a job that is damaged is told and stepped over', () => {
  it.each([
    ['no control file', 'what is this', 'it ends in the middle of a line'],
    ['one without data', 'QDFN: data/~/b/50.x\nQDSB: 6\n', 'its data file is missing'],
    ['an empty one', '', 'it is empty'],
    ['a huge one', 'x: y\n'.repeat(400_000), 'it is longer than 1048576 bytes'],
  ])('%s', async (_, control, message) => {
    const queue = await forged(control);
    expect((await queue.jobs()).unreadable).toEqual([{ path: `${queue.location}/queue/${ID}`, message }]);
    expect(await drained(queue)).toEqual({ ran: ['good'], unreadable: [message] });
    expect(existsSync(`${queue.location}/queue/${ID}`)).toBe(true);
  });

  it('a FIFO, a directory and a symbolic link that are named like jobs', async () => {
    const queue = await forged('QDFN: x\n');
    const at = (name: string) => `${queue.location}/queue/${name}`;
    rmSync(at(ID));
    execFileSync('mkfifo', [at('00.fifo')]);
    mkdirSync(at('00.directory'));
    symlinkSync('/etc/passwd', at('00.link'));
    const { ran, unreadable } = await drained(queue);
    expect(ran).toEqual(['good']);
    expect(unreadable.sort()).toEqual(['it is a directory', 'it is a fifo', 'it is a symbolic link']);
  });

  it('one whose data a power cut has shortened', async () => {
    const path = temporary.path('queue');
    const queue = await createDirQueue(realMachine, path);
    await queue.add({ payload: 'long enough' });
    truncateSync(`${path}/${filesIn(path).find((name) => name.startsWith('data/'))}`, 3);
    const message = 'its data file has 3 bytes, and was made with 11';
    expect(await drained(queue)).toEqual({ ran: [], unreadable: [message] });
  });

  it('and one that was put right runs', async () => {
    const path = temporary.path('queue');
    const queue = await createDirQueue(realMachine, path);
    await queue.add({ payload: 'x' });
    const data = `${path}/${filesIn(path).find((name) => name.startsWith('data/'))}`;
    renameSync(data, temporary.path('elsewhere'));
    expect((await drained(queue)).unreadable).toHaveLength(1);
    renameSync(temporary.path('elsewhere'), data);
    expect(await drained(queue)).toEqual({ ran: ['x'], unreadable: [] });
  });
});

it('names with newlines and bytes that are not UTF-8 are jobs, or told', async () => {
  const queue = await forged('QDFN: data/~/b/50.x\nQDSB: 2\n');
  rmSync(`${queue.location}/queue/${ID}`);
  mkdirSync(`${queue.location}/data/~/b`, { recursive: true });
  writeFileSync(`${queue.location}/data/~/b/50.x`, 'ok');
  const odd = Buffer.concat([Buffer.from(`${queue.location}/queue/1\n`), Buffer.from([0xff])]);
  writeFileSync(odd, 'QDFN: data/~/b/50.x\nQDSB: 2\n');
  expect(await drained(queue)).toEqual({ ran: ['ok', 'good'], unreadable: [] });
});

it('a queue that was named by a relative path, and one that has moved, are worked from elsewhere', async () => {
  const here = relative(process.cwd(), temporary.path('queue'));
  const queue = await createDirQueue(realMachine, here);
  await queue.add({ payload: '1' });
  expect(readFileSync(`${here}/queue/${(await queue.jobs()).jobs[0]?.id}`, 'utf8')).toContain(
    `QDFN: ${here}`,
  );
  renameSync(here, temporary.path('moved'));
  expect(await drained(await openDirQueue(realMachine, temporary.path('moved')))).toMatchObject({
    ran: ['1'],
  });
});

it('an add that is refused leaves nothing', async () => {
  const path = temporary.path('queue');
  const queue = await createDirQueue(realMachine, path);
  for (const job of [
    { env: { QABC: 'x' } },
    { env: { a: '1\n2' } },
    { env: { 'a:b': '' } },
    { params: ['\0'] },
  ]) {
    await expect(queue.add({ payload: 'x', ...job })).rejects.toMatchObject({ code: 'not-written' });
  }
  await expect(queue.add({ name: '' })).rejects.toMatchObject({ code: 'not-written' });
  await expect(queue.add({ lane: 'a' })).rejects.toMatchObject({ code: 'not-possible' });
  await expect(queue.addAll([{ payload: 'good' }, { env: { QABC: '' } }])).rejects.toThrow(
    'the format uses itself',
  );
  expect(filesIn(path)).toEqual([]);
});
