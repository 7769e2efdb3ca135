import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEFAULTS, setConstant } from '../../src/fsq/constants.ts';
import { openFsq } from '../../src/fsq/fsq.ts';
import { install, installHost, uninstall } from '../../src/fsq/install.ts';
import { placeAt } from '../../src/fsq/place.ts';
import { hosts, queues } from '../../src/fsq/queues.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { useTemporary } from '../support/temporary.ts';
import { goldenQueues, put, rooms } from './support.ts';

const temporary = useTemporary();

/** Paths, kinds and modes, as `ls -lR` shows them. */
function tree(directory: string): string[] {
  const listing = execFileSync('find', [directory, '-printf', '%P %y %m\n']).toString();
  return listing
    .split('\n')
    .filter((line) => !/ f |^ /.test(line))
    .sort();
}

describe('making a queue', () => {
  it.each([
    ['basic', {}],
    ['triggered', { hasTrigger: true }],
  ])('makes what fsq 0.2.5 makes: %s', async (name, options) => {
    const golden = goldenQueues(temporary.path());
    await install(realMachine, temporary.path('ours'), DEFAULTS, options);
    expect(tree(temporary.path('ours'))).toEqual(tree(`${golden}/${name}`));
  });

  it('makes parts for hosts, as fsq 0.2.5 makes them', async () => {
    const golden = goldenQueues(temporary.path());
    await install(realMachine, temporary.path('ours'), DEFAULTS, { hosts: ['east', 'west'] });
    expect(tree(temporary.path('ours'))).toEqual(tree(`${golden}/hosted`));
    expect(await hosts(realMachine, temporary.path('ours'), DEFAULTS)).toEqual(['east', 'west']);
  });

  it('uses the names and modes that it is told', async () => {
    const named = { ...DEFAULTS, queue: 'in', done: 'out', tmp: 't', fail: 'bad', queueMode: 0o2700 };
    await install(realMachine, temporary.path('queue'), named, { isDown: true });
    expect(readdirSync(temporary.path('queue')).sort()).toEqual(['bad', 'down', 'in', 'out', 't']);
    expect(statSync(temporary.path('queue')).mode & 0o7777).toBe(0o2700);
    expect(statSync(temporary.path('queue', 'down')).mode & 0o7777).toBe(0o640);
  });

  it('refuses where something is, keeps it, or replaces it', async () => {
    const path = temporary.path('queue');
    await install(realMachine, path, DEFAULTS);
    await put(placeAt(path, DEFAULTS), 'x', 'a');
    await expect(install(realMachine, path, DEFAULTS)).rejects.toMatchObject({ code: 'exists' });
    expect(await install(realMachine, path, DEFAULTS, { existing: 'keep' })).toBe(false);
    expect(rooms(placeAt(path, DEFAULTS)).waiting).toHaveLength(1);
    expect(await install(realMachine, path, DEFAULTS, { existing: 'replace' })).toBe(true);
    expect(rooms(placeAt(path, DEFAULTS)).waiting).toEqual([]);
    mkdirSync(temporary.path('other'));
    writeFileSync(temporary.path('other', 'file'), '');
    await expect(install(realMachine, temporary.path('other'), DEFAULTS)).rejects.toMatchObject({
      code: 'exists',
    });
    writeFileSync(temporary.path('file'), '');
    await expect(install(realMachine, temporary.path('file'), DEFAULTS)).rejects.toMatchObject({
      code: 'exists',
    });
    expect(readdirSync(temporary.path()).sort()).toEqual(['file', 'other', 'queue']);
  });

  it('leaves nothing when it fails', async () => {
    const constants = { ...DEFAULTS, queueUser: 'no such user' };
    await expect(install(realMachine, temporary.path('queue'), constants)).rejects.toMatchObject({
      code: 'bad-setting',
    });
    await expect(
      install(realMachine, temporary.path('queue'), DEFAULTS, { hosts: ['../up'] }),
    ).rejects.toMatchObject({ code: 'bad-setting' });
    expect(readdirSync(temporary.path())).toEqual([]);
  });

  it('adds and removes hosts, and queues', async () => {
    const path = temporary.path('queue');
    await install(realMachine, path, DEFAULTS);
    expect(await installHost(realMachine, path, 'east', DEFAULTS)).toBe(true);
    await expect(installHost(realMachine, path, 'east', DEFAULTS)).rejects.toMatchObject({ code: 'exists' });
    expect(await hosts(realMachine, path, DEFAULTS)).toEqual(['east']);
    await uninstall(realMachine, `${path}/hosts/east`, DEFAULTS);
    expect(await hosts(realMachine, path, DEFAULTS)).toEqual([]);
    const root = setConstant(DEFAULTS, 'FSQ_ROOT', temporary.path());
    expect(await queues(realMachine, root)).toEqual(['queue']);
    await uninstall(realMachine, path, DEFAULTS);
    expect(await queues(realMachine, root)).toEqual([]);
    expect(readdirSync(temporary.path())).toEqual([]);
    await expect(uninstall(realMachine, path, DEFAULTS)).rejects.toMatchObject({ code: 'not-a-queue' });
    await expect(openFsq(realMachine, path)).rejects.toMatchObject({ code: 'not-a-queue' });
  });
});
