import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { realMachine } from '../../src/os/real/index.ts';
import { isJobName, newJobName, temporaryName } from '../../src/spool/layout.ts';
import { createSpool, openSpool } from '../../src/spool/spool.ts';
import { faultyFiles } from '../support/faulty-files.ts';
import { machineWithFiles } from '../support/machines.ts';
import { putJob } from '../support/packets.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();

describe('layout', () => {
  it.each([
    ['fspl-a.fspl', true],
    ['fspl-.fspl', true],
    ['.fspl-a.fspl', false],
    ['fspl.fspl', false],
    ['FSPL-a.FSPL', false],
    ['fspl-a.fspl.out', false],
    ['tmp-fspl-a.fspl.tmp', false],
  ])('takes %s for a job: %s', (name, expected) => {
    expect(isJobName(name)).toBe(expected);
  });

  it('names jobs as the original does, and what is not yet one so that it is not taken for one', () => {
    expect(isJobName(newJobName(realMachine.random))).toBe(true);
    expect(newJobName(realMachine.random)).not.toBe(newJobName(realMachine.random));
    expect(isJobName(temporaryName(realMachine.random))).toBe(false);
    expect(temporaryName(realMachine.random)).toMatch(/^tmp-fspl-[0-9a-f-]{36}\.fspl\.tmp$/);
  });
});

describe('opening a queue', () => {
  it('says what is no queue', async () => {
    mkdirSync(temporary.path('plain'));
    writeFileSync(temporary.path('file'), '');
    mkdirSync(temporary.path('odd'));
    writeFileSync(temporary.path('odd', 'jobs'), '');
    const why = {
      nothing: 'there is no such directory',
      plain: 'it has no jobs directory, so it is not a queue',
      file: 'it has no jobs directory, so it is not a queue',
    };
    for (const [name, words] of Object.entries(why)) {
      await expect(openSpool(realMachine, temporary.path(name))).rejects.toMatchObject({
        code: 'not-a-queue',
        message: `${temporary.path(name)}: ${words}`,
        cause: { code: name === 'file' ? 'ENOTDIR' : 'ENOENT' },
      });
    }
    await expect(openSpool(realMachine, temporary.path('odd'))).rejects.toMatchObject({
      code: 'not-a-queue',
      message: `${temporary.path('odd')}/jobs: it is not a directory`,
    });
  });

  it('passes on what else the system says', async () => {
    const files = faultyFiles(realMachine.files, ({ name }) => (name === 'stat' ? 'EACCES' : undefined));
    await expect(openSpool(machineWithFiles(files), temporary.path())).rejects.toMatchObject({
      code: 'EACCES',
    });
  });

  it('takes an append-only one, which can be added to and listed', async () => {
    const path = temporary.path('append-only');
    await createSpool(realMachine, path, { appendOnly: true });
    const queue = await openSpool(realMachine, path);
    await queue.add({ params: ['x'] });
    expect((await queue.jobs()).jobs).toHaveLength(1);
    await expect(queue.session()).rejects.toMatchObject({ code: 'append-only' });
  });

  it('reads a queue that the original made and filled', async () => {
    const path = temporary.path('theirs');
    await cp(fileURLToPath(new URL('../fixtures/fspl-queue', import.meta.url)), path, { recursive: true });
    const queue = await openSpool(realMachine, path);
    const { jobs, unreadable } = await queue.jobs();
    expect(jobs.map(({ seq }) => seq)).toEqual([1n, 2n, 3n, 5n]);
    expect(unreadable).toMatchObject([{ path: `${path}/jobs/fspl-junk.fspl` }]);
  });

  it('lists by number, through a decoder if it is told to', async () => {
    const path = temporary.path('queue');
    const queue = await createSpool(realMachine, path);
    for (const seq of [10, 9, 2]) putJob(path, `${seq}`, { seq });
    const seqs = async (decoder?: string) =>
      (await queue.jobs(decoder === undefined ? {} : { decoder })).jobs.map(({ seq }) => seq);
    expect(await seqs()).toEqual([2n, 9n, 10n]);
    expect(await seqs('cat')).toEqual([2n, 9n, 10n]);
    expect(await seqs('exit 1')).toEqual([]);
  });

  it('lists with two jobs of one number', async () => {
    const path = temporary.path('queue');
    const queue = await createSpool(realMachine, path);
    putJob(path, 'a', { seq: 1 });
    putJob(path, 'b', { seq: 1 });
    expect((await queue.jobs()).jobs).toHaveLength(2);
  });

  it('fails when the directory goes', async () => {
    const path = temporary.path('queue');
    const queue = await createSpool(realMachine, path);
    rmSync(path, { recursive: true });
    await expect(queue.jobs()).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(queue.add({})).rejects.toMatchObject({ code: 'not-a-queue' });
    expect(readdirSync(temporary.path())).toEqual([]);
  });

  it('makes one as bare as the original does, or with all that workers need', async () => {
    await createSpool(realMachine, temporary.path('bare'));
    await createSpool(realMachine, temporary.path('free'), { order: 'free' });
    const here = (name: string) => readdirSync(temporary.path(name)).sort();
    expect(here('bare')).toEqual(['jobs', 'nextseq', 'nextseq.lock']);
    expect(here('free')).toEqual(expect.arrayContaining(['jobs', 'lanes', 'settings.json', 'work']));
  });

  it('makes none that is only added to and yet has an order', async () => {
    const options = { appendOnly: true, order: 'free' } as const;
    await expect(createSpool(realMachine, temporary.path('odd'), options)).rejects.toThrow(
      'Expected `order` only for queues that are not `appendOnly`',
    );
    expect(readdirSync(temporary.path())).toEqual([]);
  });

  it('knows whether something stirs in it, and tells when something comes', async () => {
    const queue = await createSpool(realMachine, temporary.path('queue'));
    expect(await queue.stirs()).toBe(false);
    let heard = () => {};
    const told = new Promise<void>((resolve) => {
      heard = resolve;
    });
    const end = await queue.watch(heard);
    await queue.add({});
    await told;
    end();
    expect(await queue.stirs()).toBe(true);
  });
});
