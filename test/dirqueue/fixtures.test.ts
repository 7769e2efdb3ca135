/** Directories that the real module made. */

import { readFileSync, utimesSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createDirQueue, openDirQueue } from '../../src/dirqueue/dirqueue.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { filesIn, fixture, textOf } from '../support/dirqueues.ts';
import { machineWith } from '../support/machines.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const LOCKED = '05.20261121014123341100.DNDk0';
/** The host on which the fixtures were made, where the worker that holds a lock is dead. */
const thatHost = machineWith({
  host: { ...realMachine.host, name: 'vm' },
  processes: { ...realMachine.processes, exists: () => false },
});

describe.each(['basic', 'fanout'] as const)('the fixture %s', (name) => {
  it('is read: every job but the one that runs, in the order of the names', async () => {
    const queue = await openDirQueue(realMachine, fixture(name, temporary.path('queue')));
    const { jobs, unreadable } = await queue.jobs();
    expect(unreadable).toEqual([]);
    expect(jobs.map(({ id }) => id)).toEqual(jobs.map(({ id }) => id).sort());
    expect(jobs).toHaveLength(name === 'basic' ? 25 : 10);
    const all: string[] = [];
    await queue.visit(({ id }) => void all.push(id));
    expect(all).toHaveLength(name === 'basic' ? 26 : 10);
  });

  it('is worked: every job is run with its data, and nothing of it is left', async () => {
    const path = fixture(name, temporary.path('queue'));
    if (name === 'basic') utimesSync(`${path}/active/${LOCKED}`, 0, 0);
    const sizes = new Map(
      filesIn(path)
        .filter((file) => file.startsWith('queue/'))
        .map((file) => [file.slice(file.lastIndexOf('/') + 1), sizeIn(`${path}/${file}`)]),
    );
    const session = await (await openDirQueue(thatHost, path)).join();
    const ran: string[] = [];
    for (let claim = await session.claim(); claim.kind === 'claim'; claim = await session.claim()) {
      ran.push(claim.job.id);
      expect((await textOf(claim)).length).toBeLessThanOrEqual(sizes.get(claim.job.id) ?? -1);
      await claim.succeed();
    }
    await session.close();
    expect(ran).toEqual([...sizes.keys()].sort());
    // The start of the dead worker is worth a line.
    const log = name === 'basic' ? [`intray/log/${LOCKED}.jsonl`] : [];
    expect(filesIn(path)).toEqual(log);
  });
});

it('reads metadata, times and hosts', async () => {
  const queue = await openDirQueue(realMachine, fixture('basic', temporary.path('queue')));
  const job = await queue.pickUp('50.20261121014123339608.DNDk0');
  expect([...(job?.metadata ?? [])]).toEqual([
    ['who', 'alice'],
    ['empty', ''],
    ['x y', 'a: b: c'],
  ]);
  expect(job).toMatchObject({ submittedOn: 'vm', size: 10, attempt: 1 });
  expect(job?.submittedAt.toISOString()).toBe('2026-11-21T01:41:23.339Z');
  expect((await job?.bytes())?.length).toBe(10);
  expect(await job?.returnToQueue()).toBe('settled');
});

it('leaves a job alone whose worker may be alive', async () => {
  const path = fixture('basic', temporary.path('queue'));
  utimesSync(`${path}/active/${LOCKED}`, 0, 0);
  const other = machineWith({ host: { ...realMachine.host, name: 'not-vm' }, processes: thatHost.processes });
  const elsewhere = await openDirQueue(other, path);
  expect(await elsewhere.pickUp(LOCKED)).toBeUndefined();
  const alive = { ...thatHost, processes: { ...realMachine.processes, exists: () => true } };
  expect(await (await openDirQueue(alive, path)).pickUp(LOCKED)).toBeUndefined();
  const fresh = fixture('basic', temporary.path('fresh'));
  utimesSync(`${fresh}/active/${LOCKED}`, new Date(), new Date());
  expect(await (await openDirQueue(thatHost, fresh)).pickUp(LOCKED)).toBeUndefined();
});

describe('what we write', () => {
  it('is what the format says, to the byte', async () => {
    const path = temporary.path('queue');
    const at = { seconds: 1_795_225_283n, nanos: 339_608_000 };
    const machine = machineWith({
      clock: { ...realMachine.clock, now: () => at },
      host: { ...realMachine.host, name: 'vm' },
    });
    const queue = await createDirQueue(machine, path);
    const { id } = await queue.add({
      payload: 'ten bytes!',
      priority: 7,
      env: { who: 'alice', empty: '', 'x y': 'a: b: c' },
    });
    expect(id).toMatch(/^07\.20261121014123339608\.[A-Za-z0-9+_]{5}$/);
    const data = `data/${id.at(-2)}/${id.at(-1)}/${id.slice(0, -2)}`;
    expect(filesIn(path)).toEqual([data, `queue/${id}`]);
    expect(readFileSync(`${path}/${data}`, 'utf8')).toBe('ten bytes!');
    expect(readFileSync(`${path}/queue/${id}`, 'utf8')).toBe(
      `QDFN: ${path}/${data}\nQDSB: 10\nQSTT: 1795225283\nQSTM: 339608\nQSHN: vm\nwho: alice\nempty: \nx y: a: b: c\n`,
    );
    const session = await queue.join();
    const claim = await session.claim();
    expect(readFileSync(`${path}/active/${id}`, 'utf8')).toBe(`vm\n${process.pid}\n`);
    if (claim.kind === 'claim') await claim.release();
    await session.close();
  });

  it('has the modes asked for', async () => {
    const path = temporary.path('queue');
    await createDirQueue(realMachine, path);
    const queue = await openDirQueue(realMachine, path, { dataFileMode: 0o600, controlFileMode: 0o640 });
    await queue.add({ payload: 'x' });
    const mode = async (prefix: string) => {
      const file = filesIn(path).find((name) => name.startsWith(prefix));
      return (await realMachine.files.stat(`${path}/${file}`)).mode;
    };
    expect([await mode('data/'), await mode('queue/')]).toEqual([0o600, 0o640]);
  });
});

function sizeIn(control: string): number {
  return Number(/^QDSB: (\d+)$/m.exec(readFileSync(control, 'latin1'))?.[1]);
}
