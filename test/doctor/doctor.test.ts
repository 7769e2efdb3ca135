/** The whole examination: what it concludes, and that it leaves nothing behind. */

import fs from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { endingOf } from '../../src/cli/intray/doctor.ts';
import { REMEDIES } from '../../src/cli/intray/doctor-words.ts';
import { intray } from '../../src/cli/intray/main.ts';
import { withBench } from '../../src/doctor/bench.ts';
import { examine } from '../../src/doctor/doctor.ts';
import { findMount } from '../../src/doctor/mount.ts';
import type { Outcome, Verdict } from '../../src/doctor/probe.ts';
import { PROBES } from '../../src/doctor/probes.ts';
import { assess } from '../../src/doctor/promises.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { createQueueDirectory } from '../../src/spool/queue-files.ts';
import { faultyFiles } from '../support/faulty-files.ts';
import { machineWithFiles } from '../support/machines.ts';
import { putJob } from '../support/packets.ts';
import { listening } from '../support/spoken.ts';
import { useTemporary } from '../support/temporary.ts';

beforeAll(async () => {
  // The first watch of a process opens the one inotify descriptor that all of its watches share.
  (await realMachine.watches.watch('/', { onChange: () => {}, onLost: () => {} }))();
});
const temporary = useTemporary();
const never = new AbortController().signal;

describe('the bench', () => {
  it('is removed with all that is in it, links not followed, also when its user fails', async () => {
    const parent = temporary.path('parent');
    fs.mkdirSync(parent);
    fs.writeFileSync(temporary.path('outside'), 'stays');
    const failure = new Error('in the middle');
    let mode = 0;
    const use = withBench(realMachine, parent, never, async ({ directory }) => {
      mode = fs.statSync(directory).mode & 0o777;
      fs.mkdirSync(`${directory}/a/b`, { recursive: true });
      fs.writeFileSync(`${directory}/a/b/c`, '');
      fs.symlinkSync(temporary.path('outside'), `${directory}/a/link`);
      fs.symlinkSync(temporary.path(), `${directory}/up`);
      throw failure;
    });
    await expect(use).rejects.toBe(failure);
    expect(mode).toBe(0o700);
    expect(fs.readdirSync(parent)).toEqual([]);
    expect(fs.readFileSync(temporary.path('outside'), 'utf8')).toBe('stays');
  });
});

describe('an examination', () => {
  it('that is stopped ends after the probe that runs, and cleans up', async () => {
    const controller = new AbortController();
    const { probes } = await examine(realMachine, temporary.path(), {
      stop: controller.signal,
      onProbe: async (_, at) => {
        if (at === 3) controller.abort();
      },
    });
    expect(probes.map(({ name }) => name)).toEqual(PROBES.slice(0, 3).map(({ name }) => name));
    expect(fs.readdirSync(temporary.path())).toEqual([]);
  });

  it('where nothing may be written looks at the queue all the same', async () => {
    const queue = temporary.path('queue');
    await createQueueDirectory(realMachine, queue, { appendOnly: false });
    const files = faultyFiles(realMachine.files, ({ name }) => (name === 'mkdir' ? 'EROFS' : undefined));
    const found = await examine(machineWithFiles(files), queue, { stop: never });
    expect(found.hindrance).toBe('the file system is read-only');
    expect(new Set(found.probes.map(({ verdict }) => verdict))).toEqual(new Set(['unknown']));
    expect(found.queue?.problems).toEqual([]);
    expect(endingOf(found)).toBe('error');
    const { machine, said } = listening({ files });
    expect(await intray(machine, ['doctor', queue])).toBe(1);
    expect(said.stdout).toContain('Nothing could be tried there: the file system is read-only.');
  });

  it('on a full disk says so, and gives no advice that has nothing to do with that', async () => {
    const files = faultyFiles(realMachine.files, ({ name, mode }) =>
      name === 'open' && mode === 'create' ? 'ENOSPC' : undefined,
    );
    const { machine, said } = listening({ files });
    const directory = temporary.path('directory');
    fs.mkdirSync(directory);
    const status = await intray(machine, ['doctor', directory]);
    expect(said.stdout).toMatch(/^ {2}\? {4}rename +it could not be tried: no space left on the disk$/m);
    expect(said.stdout).toMatch(/^ {2}\? {4}G2 /m);
    expect(said.stdout).not.toContain('Do not');
    expect([1, 8]).toContain(status);
    expect(fs.readdirSync(directory)).toEqual([]);
  });

  it('of a queue leaves it as it was', async () => {
    const queue = temporary.path('queue');
    await createQueueDirectory(realMachine, queue, { appendOnly: false });
    putJob(queue, 'x', { seq: 1 });
    const before = fs.readdirSync(queue, { recursive: true }).sort();
    await examine(realMachine, queue, { stop: never });
    expect(fs.readdirSync(queue, { recursive: true }).sort()).toEqual(before);
  });

  it('of what is no directory is refused', async () => {
    fs.writeFileSync(temporary.path('file'), '');
    for (const [name, reason] of [
      ['file', 'it is not a directory'],
      ['none', 'no such file or directory'],
    ]) {
      const { machine, said } = listening();
      expect(await intray(machine, ['doctor', temporary.path(name ?? '')])).toBe(1);
      expect(said.stderr).toContain(`${temporary.path(name ?? '')}: ${reason}\n`);
    }
  });
});

describe('the command', () => {
  it.each([
    ['a gap', 4, (queue: string) => putJob(queue, 'x', { seq: 2 }), 'gap', 'fspl queue-set-next -q DIR 2'],
    [
      'damage',
      6,
      (queue: string) => fs.writeFileSync(`${queue}/jobs/fspl-x.fspl`, ''),
      'damage',
      'send it again',
    ],
    ['a note', 0, (queue: string) => leftBehind(`${queue}/nextseq.temp`), 'note', 'Remove it.'],
  ])('tells of %s and ends with %i', async (_, expected, spoil, severity, remedy) => {
    const queue = temporary.path('queue');
    await createQueueDirectory(realMachine, queue, { appendOnly: false });
    spoil(queue);
    const told = listening();
    const status = await intray(told.machine, ['doctor', queue]);
    expect(told.said.stdout).toMatch(new RegExp(`^  ${severity} +\\S.*\\n +.*${remedy}`, 'm'));
    const { machine, said } = listening();
    expect(await intray(machine, ['doctor', queue, '--json'])).toBe(status);
    const document = JSON.parse(said.stdout);
    expect(document.queue.problems).toEqual([
      expect.objectContaining({ severity, says: expect.any(String), remedy: expect.any(String) }),
    ]);
    // On a file system in memory G1 does not hold, which comes first.
    expect(status).toBe(document.promises[0].verdict === 'fails' ? 8 : expected);
  });

  it('has a remedy for whatever keeps a promise from holding', () => {
    const everythingFails = new Map(
      PROBES.map(({ name }) => [name, { verdict: 'fails', seen: '' } as Outcome]),
    );
    for (const { because } of assess(everythingFails)) {
      for (const name of because) expect(REMEDIES).toHaveProperty(name);
    }
    for (const name of Object.keys(REMEDIES)) expect(PROBES.map((probe) => probe.name)).toContain(name);
  });
});

function leftBehind(path: string): void {
  fs.writeFileSync(path, '');
  fs.utimesSync(path, 1, 1);
}

describe('what holds', () => {
  const all = (verdict: Verdict, changes: Record<string, Verdict> = {}) =>
    new Map<string, Outcome>(
      PROBES.map(({ name }) => [name, { verdict: changes[name] ?? verdict, seen: '' }] as const),
    );
  const verdicts = (outcomes: ReadonlyMap<string, Outcome>) =>
    assess(outcomes)
      .map(({ promise, verdict }) => `${promise} ${verdict}`)
      .join(', ');

  it.each<[string, ReadonlyMap<string, Outcome>, string]>([
    ['everything', all('holds'), 'G1 holds, G2 holds, G3 holds, G4 holds, G5 holds, G6 holds, G7 holds'],
    [
      'no locks',
      all('holds', { lock: 'fails' }),
      'G1 holds, G2 holds, G3 fails, G4 fails, G5 holds, G6 fails, G7 holds',
    ],
    [
      'no sync of directories',
      all('holds', { 'sync-directory': 'fails' }),
      'G1 fails, G2 holds, G3 holds, G4 holds, G5 holds, G6 holds, G7 fails',
    ],
    [
      'a server',
      all('holds', { keeps: 'unknown', 'lock-hosts': 'unknown' }),
      'G1 unknown, G2 holds, G3 unknown, G4 unknown, G5 holds, G6 unknown, G7 holds',
    ],
    [
      'nothing known',
      new Map(),
      'G1 unknown, G2 unknown, G3 unknown, G4 unknown, G5 holds, G6 unknown, G7 unknown',
    ],
    [
      'no events, capital letters, room, links',
      all('holds', { events: 'fails', 'letter-case': 'fails', space: 'fails', link: 'fails' }),
      'G1 holds, G2 holds, G3 holds, G4 holds, G5 holds, G6 holds, G7 holds',
    ],
  ])('with %s', (_, outcomes, expected) => {
    expect(verdicts(outcomes)).toBe(expected);
  });

  it('is what GUARANTEES.md promises', () => {
    const text = fs.readFileSync(new URL('../../GUARANTEES.md', import.meta.url), 'utf8');
    const promised = [...text.matchAll(/^\*\*(G\d)\. (.*?)\.\*\*/gm)].map(([, name]) => name);
    expect(promised).toEqual(assess(new Map()).map(({ promise }) => promise));
  });
});

describe('a mount', () => {
  const MOUNTINFO = `21 28 0:20 / /sys rw,nosuid - sysfs sysfs rw
28 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
40 28 0:35 / /mnt/a\\040b\\134c rw master:1 propagate_from:2 - fuse.sshfs me@host:/x\\040y rw,user_id=0
`;

  it.each([
    ['28', { type: 'ext4', point: '/', source: '/dev/vda', options: 'rw,relatime,rw,discard' }],
    ['40', { type: 'fuse.sshfs', point: '/mnt/a b\\c', source: 'me@host:/x y', options: 'rw,rw,user_id=0' }],
    ['2', undefined],
  ])('%s is found by its number', (id, expected) => {
    expect(findMount(MOUNTINFO, id)).toEqual(expected);
  });
});
