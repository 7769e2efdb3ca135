/** The whole examination: what it concludes, and that it leaves nothing behind. */

import fs from 'node:fs';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { endingOf, report } from '../../src/cli/intray/doctor.ts';
import { REMEDIES, WORKERS_MEANING } from '../../src/cli/intray/doctor-words.ts';
import { intray } from '../../src/cli/intray/main.ts';
import { withBench } from '../../src/doctor/bench.ts';
import { examine } from '../../src/doctor/doctor.ts';
import { findMount } from '../../src/doctor/mount.ts';
import type { Outcome, Verdict } from '../../src/doctor/probe.ts';
import { PROBES } from '../../src/doctor/probes.ts';
import { assess, assessWorkers } from '../../src/doctor/promises.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { createQueueDirectory } from '../../src/spool/queue-files.ts';
import { faultyFiles } from '../support/faulty-files.ts';
import { homeQueue } from '../support/home-queues.ts';
import { machineWithFiles } from '../support/machines.ts';
import { packet, putJob } from '../support/packets.ts';
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
    expect(said.stdout).toMatch(/^ {2}\? {4}workers beside each other .*, for want of: .*\n {2}\S/m);
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
    ['a gap', 4, (queue: string) => putJob(queue, 'x', { seq: 2 }), 'gap', 'intray skip \\S+/queue$'],
    [
      'damage',
      6,
      (queue: string) => fs.writeFileSync(`${queue}/jobs/fspl-x.fspl`, ''),
      'damage',
      'send it again.*: intray repair \\S+/queue --apply$',
    ],
    [
      'a note',
      0,
      (queue: string) => leftBehind(`${queue}/nextseq.temp`),
      'note',
      'To remove it: intray repair \\S+/queue --apply$',
    ],
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

  it('says what a file system without events or common locks means for workers', async () => {
    const queue = temporary.path('queue');
    await createQueueDirectory(realMachine, queue, { appendOnly: false });
    const found = await examine(realMachine, queue, { stop: never });
    const outcomes = new Map<string, Outcome>(
      PROBES.map(({ name }) => [
        name,
        { verdict: ['events', 'lock-hosts'].includes(name) ? 'fails' : 'holds', seen: '' },
      ]),
    );
    const plain = (text: string) => text;
    const colours = { good: plain, warning: plain, bad: plain, faint: plain, bold: plain };
    const text = report({ ...found, workers: assessWorkers(outcomes, true) }, colours);
    expect(text).toMatch(
      /^ {2}yes {2}workers beside each other on this machine\n {2}NO {3}workers on several/m,
    );
    expect(text).toMatch(
      /^ {2}NO {3}workers on several machines, for .*\n {7}.*--lease.*\n {7}One that is silent/m,
    );
    expect(text).toMatch(/^ {2}NO {3}workers that wait .*\n {7}.*about every second/m);
  });

  it('looks at encoded jobs with their decoder', async () => {
    const queue = temporary.path('queue');
    await createQueueDirectory(realMachine, queue, { appendOnly: false });
    fs.writeFileSync(`${queue}/jobs/fspl-x.fspl`, gzipSync(packet({ seq: 1 })));
    const without = listening();
    await intray(without.machine, ['doctor', queue, '--json']);
    const asked = JSON.parse(without.said.stdout).queue;
    expect(asked.problems).toMatchObject([{ kind: 'encoded', remedy: expect.stringContaining('--decoder') }]);
    const told = listening();
    await intray(told.machine, ['doctor', queue, '--json', '--decoder', 'zcat']);
    expect(JSON.parse(told.said.stdout).queue).toMatchObject({ waiting: 1, problems: [] });
  });

  it('says the same of a queue as repair does', async () => {
    const queue = temporary.path('queue');
    await homeQueue(queue);
    fs.rmSync(`${queue}/failed`, { recursive: true });
    fs.writeFileSync(`${queue}/jobs/fspl-x.fspl`, '');
    fs.unlinkSync(`${queue}/nextseq.lock`);
    const doctor = listening();
    await intray(doctor.machine, ['doctor', queue, '--json']);
    const repair = listening();
    expect(await intray(repair.machine, ['repair', queue, '--json'])).toBe(6);
    const problems = JSON.parse(doctor.said.stdout).queue.problems;
    const { findings } = JSON.parse(repair.said.stdout);
    expect(findings.map(({ kind }: { kind: string }) => kind)).toEqual([
      'lock-missing',
      'rooms-missing',
      'damaged',
    ]);
    expect(problems.map(({ kind }: { kind: string }) => kind)).toEqual(
      findings.map(({ kind }: { kind: string }) => kind),
    );
    expect(problems[0].remedy).toBe(
      `When nothing works the queue, make an empty one: touch ${queue}/nextseq.lock`,
    );
    expect(findings[0].advice).toBe(
      `when nothing works the queue, make an empty one: touch ${queue}/nextseq.lock`,
    );
  });

  it('has a remedy for whatever keeps a promise from holding', () => {
    const everythingFails = new Map(
      PROBES.map(({ name }) => [name, { verdict: 'fails', seen: '' } as Outcome]),
    );
    for (const { because } of assess(everythingFails)) {
      for (const name of because) expect(REMEDIES).toHaveProperty(name);
    }
    for (const { claim, because } of assessWorkers(everythingFails, true)) {
      expect(because.length).toBeGreaterThan(0);
      for (const name of because) expect(WORKERS_MEANING[claim]).toHaveProperty(name);
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

  it.each<[string, ReadonlyMap<string, Outcome>, boolean, string]>([
    ['a disk', all('holds'), false, 'one-host holds, at-once holds'],
    [
      'a server',
      all('holds', { 'lock-hosts': 'unknown' }),
      true,
      'one-host holds, several-hosts unknown, at-once holds',
    ],
    [
      'locks that end at the machine, and no events',
      all('holds', { 'lock-hosts': 'fails', events: 'fails' }),
      true,
      'one-host holds, several-hosts fails, at-once fails',
    ],
    [
      'no rename between directories',
      all('holds', { rename: 'fails' }),
      true,
      'one-host fails, several-hosts fails, at-once holds',
    ],
    [
      'a file system that nobody knows',
      all('holds', { 'lock-hosts': 'unknown' }),
      false,
      'one-host holds, several-hosts unknown, at-once holds',
    ],
  ])('for workers on %s', (_, outcomes, network, expected) => {
    const said = assessWorkers(outcomes, network).map(({ claim, verdict }) => `${claim} ${verdict}`);
    expect(said.join(', ')).toBe(expected);
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
