/** The simulated machine itself: what a power cut leaves, who has a lock, and whose turn it is. */

import { describe, expect, it } from 'vitest';
import { crashImages, describeImage } from '../../sim/machine/crash.ts';
import { Disk, type Profile } from '../../sim/machine/disk.ts';
import { machineFor } from '../../sim/machine/machine.ts';
import { Mount } from '../../sim/machine/mount.ts';
import { start } from '../../sim/machine/processes.ts';
import { type Fault, World } from '../../sim/machine/world.ts';
import type { Machine } from '../../src/os/ports.ts';

function direct(profile: Profile = 'weak') {
  const disk = new Disk(profile);
  const world = new World({ mode: 'direct' });
  const host = { name: 'host', disk };
  const newMachine = () => machineFor(world, world.newProcess(host, 'test'));
  return { disk, newMachine };
}

async function publish({ files }: Machine, upTo: 'write' | 'fsync' | 'rename' | 'directory'): Promise<void> {
  const file = await files.open('/new', 'create');
  await files.write(file, new Uint8Array([65, 66]));
  if (upTo === 'write') return;
  await files.fsync(file);
  if (upTo === 'fsync') return;
  await files.rename('/new', '/name');
  if (upTo === 'rename') return;
  await files.fsync(await files.open('/', 'directory'));
}

const AB = '2 bytes "AB"';
const EMPTY = '0 bytes ""';

describe('a power cut leaves', () => {
  it.each([
    [
      'weak',
      'write',
      ['', `/new: ${EMPTY}`, `/new: ${AB}`, '/new: 1 bytes "A"', '/new: 2 bytes "\\u0000\\u0000"'],
    ],
    ['weak', 'fsync', ['', `/new: ${AB}`]],
    ['weak', 'rename', ['', `/new: ${AB}`, `/name: ${AB}`]],
    ['weak', 'directory', [`/name: ${AB}`]],
    ['ordered', 'fsync', [`/new: ${AB}`]],
    ['ordered', 'rename', [`/new: ${AB}`, `/name: ${AB}`]],
  ] as const)('on a disk that is %s, after %s', async (profile, upTo, expected) => {
    const { disk, newMachine } = direct(profile);
    await publish(newMachine(), upTo);
    const { images, cut } = crashImages(disk);
    expect(cut).toBe(false);
    expect(images.map((image) => describeImage(image).join('\n')).sort()).toEqual([...expected].sort());
  });

  it.each([
    ['weak', '/to', [['/to/x']]],
    ['weak', '/from', [['/to/x']]],
    ['torn', '/to', [['/to/x'], ['/from/x', '/to/x']]],
    ['torn', '/from', [['/to/x']]],
    ['torn', 'nothing', [['/from/x'], ['/to/x'], ['/from/x', '/to/x']]],
  ] as const)(
    'of a rename between directories, on a disk that is %s, after an fsync of %s',
    async (profile, synced, expected) => {
      const { disk, newMachine } = direct(profile);
      const { files } = newMachine();
      for (const directory of ['/from', '/to']) await files.mkdir(directory);
      await files.close(await files.open('/from/x', 'create'));
      for (const directory of ['/', '/from', '/to'])
        await files.fsync(await files.open(directory, 'directory'));
      await files.rename('/from/x', '/to/x');
      if (synced !== 'nothing') await files.fsync(await files.open(synced, 'directory'));
      const left = crashImages(disk).images.map((image) =>
        describeImage(image)
          .flatMap((line) => /^(\S+\/x):/.exec(line)?.[1] ?? [])
          .sort(),
      );
      expect(new Set(left)).toEqual(new Set(expected));
    },
  );

  it('after an fsync that failed, nothing more than before, whatever later ones say', async () => {
    const disk = new Disk('weak');
    let fail = true;
    const world = new World({
      mode: 'direct',
      fault: (_process, { name }) => (fail && name === 'fsync' ? { code: 'EIO' } : undefined),
    });
    const { files } = machineFor(world, world.newProcess({ name: 'host', disk }, 'test'));
    const file = await files.open('/new', 'create');
    await files.write(file, new Uint8Array([65]));
    expect(() => files.fsync(file)).toThrow('EIO');
    fail = false;
    await files.fsync(file);
    await files.fsync(await files.open('/', 'directory'));
    const left = crashImages(disk).images.map((image) => describeImage(image).join());
    expect(left).toContain(`/new: ${EMPTY}`);
  });
});

/** Two hosts that share a disk over the network, and whose beliefs last for a second. */
function overNetwork(fault?: (call: string) => Fault | undefined) {
  const disk = new Disk('weak');
  const world: World = new World({ mode: 'direct', fault: (_process, { name }) => fault?.(name) });
  const machineOn = (name: string) => {
    const mount = new Mount({ now: () => world.nowMs, staleMs: 1000 });
    return machineFor(world, world.newProcess({ name, disk, mount }, 'test'));
  };
  return { world, here: machineOn('here'), there: machineOn('there') };
}

const make = async ({ files }: Machine, path: string) => files.close(await files.open(path, 'create'));

describe('over the network a host', () => {
  it('believes that a name is missing until its time is over', async () => {
    const { world, here, there } = overNetwork();
    expect(() => here.files.stat('/name')).toThrow('ENOENT');
    await make(there, '/name');
    expect(() => here.files.stat('/name')).toThrow('ENOENT');
    expect(() => here.files.open('/name', 'read')).toThrow('ENOENT');
    world.nowMs += 1000;
    expect(await here.files.stat('/name')).toMatchObject({ kind: 'file' });
  });

  it('asks anew when the directory is opened, and when it creates', async () => {
    const { here, there } = overNetwork();
    expect(await here.files.readdir('/')).toEqual([]);
    await make(there, '/name');
    expect(await here.files.readdir('/')).toEqual([]);
    expect(() => here.files.open('/name', 'create')).toThrow('EEXIST');
    await here.files.close(await here.files.open('/', 'directory'));
    expect(await here.files.readdir('/')).toEqual([{ name: 'name', kind: 'file' }]);
  });

  it('opens what is there, not what it remembers; and loses what another host has removed', async () => {
    const { here, there } = overNetwork();
    await make(here, '/name');
    const opened = await here.files.open('/name', 'read');
    await here.files.stat('/name');
    await there.files.unlink('/name');
    expect(await here.files.stat('/name')).toMatchObject({ kind: 'file' });
    expect(() => here.files.open('/name', 'read')).toThrow('ENOENT');
    expect(() => here.files.read(opened, new Uint8Array(1), 0, 1)).toThrow('ESTALE');
  });

  it('does not learn what was done when the reply is lost', async () => {
    const { here, there } = overNetwork((call) =>
      call === 'rename' ? { code: 'ENOENT', lost: true } : undefined,
    );
    await make(here, '/old');
    expect(() => here.files.rename('/old', '/new')).toThrow('ENOENT');
    expect(await there.files.stat('/new')).toMatchObject({ kind: 'file' });
    expect(() => here.files.stat('/new')).toThrow('ENOENT');
  });

  it('that is cut off for long has its locks taken, and still believes to have them', async () => {
    const { world, here, there } = overNetwork();
    const ours = await here.files.open('/lock', 'lock');
    const theirs = await there.files.open('/lock', 'lock');
    expect(await here.locks.tryLock(ours, 'exclusive')).toBe(true);
    expect(await there.locks.tryLock(theirs, 'exclusive')).toBe(false);
    world.locks.loseAllOf('here');
    expect(await there.locks.tryLock(theirs, 'exclusive')).toBe(true);
  });
});

describe('a lock', () => {
  it('keeps others out until its last heir has died', async () => {
    const world = new World({ mode: 'stepped' });
    const host = { name: 'host', disk: new Disk('weak') };
    const steps: string[] = [];
    const programs = new Map([
      [
        'heir',
        async ({ sleep }: { sleep(ms: number): Promise<void> }) => {
          await sleep(1000);
          return 0;
        },
      ],
    ]);
    const owner = world.newProcess(host, 'owner');
    start(world, owner, async () => {
      const { files, locks, processes } = machineFor(world, owner, programs);
      const lock = await files.open('/lock', 'lock');
      steps.push(`owner ${await locks.tryLock(lock, 'exclusive')}`);
      await processes.spawn({ program: 'heir', args: [], env: new Map(), extra: [lock] });
      return 0;
    });
    await world.run(() => !owner.alive, 1000);
    const other = world.newProcess(host, 'other');
    start(world, other, async () => {
      const { files, locks, clock } = machineFor(world, other, programs);
      const lock = await files.open('/lock', 'lock');
      steps.push(`other ${await locks.tryLock(lock, 'exclusive')}`);
      await new Promise<void>((resolve) => void clock.after(2000, resolve));
      steps.push(`later ${await locks.tryLock(lock, 'exclusive')}`);
      return 0;
    });
    await world.run(() => !other.alive, 1000);
    expect(steps).toEqual(['owner true', 'other false', 'later true']);
  });
});

describe('file events', () => {
  /** Two processes of one host and one of another, all on one disk, watching the same directory. */
  async function threeWatchers(act: (machine: Machine) => Promise<void>, directory = '/') {
    const world = new World({ mode: 'stepped' });
    const disk = new Disk('weak');
    const here = { name: 'here', disk };
    const hosts = [here, here, { name: 'elsewhere', disk }];
    const told: string[][] = hosts.map(() => []);
    let done = false;
    const machines = hosts.map((host, at) => machineFor(world, world.newProcess(host, `watcher ${at}`)));
    const first = machines[0] as Machine;
    void (async () => {
      if (directory !== '/') await first.files.mkdir(directory);
      for (const [at, { watches }] of machines.entries()) {
        await watches.watch(directory, {
          onChange: () => told[at]?.push('change'),
          onLost: ({ code }) => told[at]?.push(code),
        });
      }
      await act(first);
      done = true;
    })();
    await world.run(() => false, 1000);
    expect(done).toBe(true);
    return told;
  }

  it('are told to every process of the host that made the change, and to no other host', async () => {
    const told = await threeWatchers(async ({ files }) => void (await files.open('/a', 'create')));
    expect(told).toEqual([['change'], ['change'], []]);
  });

  it('are not told for bytes, times, modes, and names further down', async () => {
    const told = await threeWatchers(async ({ files }) => {
      const file = await files.open('/sub/a', 'create');
      await files.write(file, new Uint8Array(1));
      await files.fchmod(file, 0o600);
      await files.touch('/sub/a');
      await files.mkdir('/sub/deep');
      await files.mkdir('/other');
      await files.rename('/sub/a', '/other/a');
    }, '/sub');
    // One for the name that came first, and later ones together or apart, by whose turn it was.
    expect(told[0]?.every((word) => word === 'change')).toBe(true);
    const quiet = await threeWatchers(async ({ files }) => {
      await files.mkdir('/other');
      await files.touch('/sub');
      await files.close(await files.open('/other/a', 'create'));
    }, '/sub');
    expect(quiet).toEqual([[], [], []]);
  });

  it('end with the directory', async () => {
    const removed = await threeWatchers(async ({ files }) => files.rmdir('/sub'), '/sub');
    expect(removed).toEqual([['ENOENT'], ['ENOENT'], []]);
    const moved = await threeWatchers(async ({ files }) => {
      await files.rename('/sub', '/elsewhere');
      await files.open('/elsewhere/a', 'create');
    }, '/sub');
    expect(moved[0]).toContain('ENOENT');
    expect(moved[0]?.at(-1)).toBe('ENOENT');
  });

  it('come to nobody who has ended the watch', async () => {
    const { newMachine } = direct();
    const { files, watches } = newMachine();
    const told: string[] = [];
    const end = await watches.watch('/', { onChange: () => told.push('change'), onLost: () => {} });
    await files.mkdir('/a');
    await Promise.resolve();
    end();
    await files.mkdir('/b');
    await Promise.resolve();
    expect(told).toEqual(['change']);
  });
});

describe('a directory', () => {
  it('is removed when it is empty', async () => {
    const { files } = direct().newMachine();
    await files.mkdir('/a');
    await files.mkdir('/a/b');
    expect(() => files.rmdir('/a')).toThrow('ENOTEMPTY');
    await files.rmdir('/a/b');
    await files.rmdir('/a');
    expect(await files.readdir('/')).toEqual([]);
  });
});
