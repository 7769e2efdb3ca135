/** A directory is recognised for what it is, and opened as that. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { namedQueues, queuesAt } from '../../src/open/find.ts';
import { LAYOUTS, layoutNamed } from '../../src/open/layouts.ts';
import { layoutAt, openKeeper, openQueue } from '../../src/open/open.ts';
import { recognise, recogniseRemains } from '../../src/open/recognise.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { createQueueDirectory } from '../../src/spool/queue-files.ts';
import { faultyFiles } from '../support/faulty-files.ts';
import { homeQueue } from '../support/home.ts';
import { machineWithFiles } from '../support/machines.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const q = (...names: string[]) => temporary.path('q', ...names);

async function nameAt(path: string): Promise<string | undefined> {
  return (await recognise(realMachine, path))?.name;
}

describe('recognising', () => {
  it.each(LAYOUTS.flatMap(({ name, marks }) => marks.map((mark) => [name, mark] as const)))(
    'a queue of %s by %j',
    async (name, mark) => {
      for (const directory of mark) {
        expect(await nameAt(q())).toBeUndefined();
        mkdirSync(q(directory), { recursive: true });
      }
      expect(await nameAt(q())).toBe(name);
    },
  );

  it.each(LAYOUTS.flatMap(({ name, marks }) => marks.map((mark) => [name, mark] as const)))(
    'no queue of %s where one of %j is a file',
    async (_, [first = '', ...others]) => {
      mkdirSync(q(), { recursive: true });
      writeFileSync(q(first), '');
      for (const directory of others) mkdirSync(q(directory));
      expect(await nameAt(q())).toBeUndefined();
    },
  );

  it('a queue on servers by what its location begins with, without asking them', async () => {
    expect((await recognise(realMachine, 'nats://127.0.0.1:1/queue'))?.name).toBe('jetstream');
    expect(await nameAt('nats:')).toBeUndefined();
  });

  it('nothing in what is not there, or no directory', async () => {
    expect(await nameAt(q())).toBeUndefined();
    writeFileSync(q(), '');
    expect(await nameAt(q())).toBeUndefined();
  });

  it('what is left of a queue, when it is asked for that', async () => {
    mkdirSync(q());
    writeFileSync(q('nextseq'), '1\n');
    expect(await nameAt(q())).toBeUndefined();
    expect((await recogniseRemains(realMachine, q()))?.name).toBe('filespooler');
    await expect(openKeeper(realMachine, q())).rejects.toMatchObject({ code: 'not-a-queue' });
    const keeper = await openKeeper(realMachine, q(), { evenDamaged: true });
    await expect(keeper.look()).rejects.toMatchObject({ code: 'not-a-queue' });
    expect(await keeper.findDisorder()).toMatchObject([{ kind: 'jobs-missing' }]);
  });

  it('every layout by its name', () => {
    for (const layout of LAYOUTS) expect(layoutNamed(layout.name)).toBe(layout);
    expect(() => layoutNamed('no such' as 'fsq')).toThrow('there is no layout no such');
  });
});

describe('opening', () => {
  it('what is no queue is refused', async () => {
    mkdirSync(q());
    for (const path of [q(), q('missing')]) {
      await expect(openQueue(realMachine, path)).rejects.toMatchObject({ code: 'not-a-queue' });
      await expect(openKeeper(realMachine, path)).rejects.toMatchObject({ code: 'not-a-queue' });
    }
  });

  it('what the system keeps from us says so', async () => {
    await homeQueue(q());
    const files = faultyFiles(realMachine.files, ({ name, path }) =>
      name === 'stat' && path === q('jobs') ? 'EACCES' : undefined,
    );
    const machine = machineWithFiles(files);
    expect((await layoutAt(machine, q())).name).toBe('filespooler');
    await expect(openQueue(machine, q())).rejects.toMatchObject({ code: 'EACCES' });
  });
});

describe('queues in a directory', () => {
  it('are found, those that are only added to here by status alone', async () => {
    mkdirSync(temporary.path('all'));
    for (const name of ['b', 'a']) await homeQueue(temporary.path('all', name));
    await createQueueDirectory(realMachine, temporary.path('all', 'only-added'), { appendOnly: true });
    mkdirSync(temporary.path('all', 'no-queue'));
    writeFileSync(temporary.path('all', 'file'), '');
    const all = temporary.path('all');
    expect(await queuesAt(realMachine, [all])).toEqual([`${all}/a`, `${all}/b`, `${all}/only-added`]);
    const named = await namedQueues(realMachine, [`${all}//`], { mayCome: false });
    expect(named.changing).toBe(true);
    expect((await named.find()).map(({ location }) => location)).toEqual([`${all}/a`, `${all}/b`]);
  });

  it('come and go', async () => {
    const all = temporary.path('all');
    mkdirSync(all);
    await expect(namedQueues(realMachine, [all], { mayCome: false })).rejects.toMatchObject({
      code: 'not-a-queue',
    });
    const named = await namedQueues(realMachine, [all], { mayCome: true });
    expect(await named.find()).toEqual([]);
    await homeQueue(`${all}/new`);
    const [queue] = await named.find();
    expect(queue?.location).toBe(`${all}/new`);
    expect((await named.find())[0], 'the same object as before').toBe(queue);
  });

  it('that have none are refused', async () => {
    mkdirSync(q());
    await expect(queuesAt(realMachine, [q()])).rejects.toThrow('there is no queue in it');
    await expect(queuesAt(realMachine, [q('missing')])).rejects.toThrow('not a directory of queues');
  });

  it('are stepped over where we have no right to look', async () => {
    const all = temporary.path('all');
    mkdirSync(all);
    await homeQueue(`${all}/a`);
    await homeQueue(`${all}/closed`);
    const files = faultyFiles(realMachine.files, ({ name, path }) =>
      name === 'stat' && path.startsWith(`${all}/closed/`) ? 'EACCES' : undefined,
    );
    const machine = machineWithFiles(files);
    expect(await queuesAt(machine, [all])).toEqual([`${all}/a`]);
    const named = await namedQueues(machine, [all], { mayCome: false });
    expect((await named.find()).map(({ location }) => location)).toEqual([`${all}/a`]);
  });
});
