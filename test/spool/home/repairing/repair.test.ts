/** Disorder, made by hand, is found and put right; what is in order stays as it is. */

import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { realMachine } from '../../../../src/os/real/index.ts';
import { Operator } from '../../../../src/spool/home/operating/operator.ts';
import { applyRepair } from '../../../../src/spool/home/repairing/apply-repair.ts';
import { findDisorder } from '../../../../src/spool/home/repairing/repair.ts';
import { createQueueDirectory } from '../../../../src/spool/queue-files.ts';
import { lockQueue } from '../../../../src/spool/session.ts';
import { faultyFiles } from '../../../support/faulty-files.ts';
import {
  addNamed,
  claimFrom,
  deadWorker,
  fileOf,
  homeQueue,
  jobFiles,
} from '../../../support/home-queues.ts';
import { machineWithFiles } from '../../../support/machines.ts';
import { packet, putJob } from '../../../support/packets.ts';
import { useTemporary } from '../../../support/temporary.ts';

const temporary = useTemporary();
const q = (...names: string[]) => temporary.path('q', ...names);
const LONG_AGO_S = 1_600_000_000;

const found = async () =>
  (await findDisorder(realMachine, q())).map(({ kind, remedy }) => `${kind}: ${remedy}`);

async function repaired(): Promise<string[]> {
  const operator = new Operator(realMachine, q());
  try {
    const all = await applyRepair(operator, await findDisorder(realMachine, q()));
    return all.map(({ finding, result }) => `${finding.kind}: ${result}`);
  } finally {
    await operator.close();
  }
}

describe('in order', () => {
  it.each(['home', 'filespooler', 'append-only'])('is a %s queue with jobs', async (kind) => {
    if (kind === 'home') {
      const queue = await homeQueue(q());
      await addNamed(queue, 'x', { lane: 'alice', name: 'n' });
      writeFileSync(q('jobs/tmp-fspl-now.fspl.tmp'), 'being written');
      const session = await queue.join();
      await claimFrom(session);
      expect(await found()).toEqual([]);
      await session.close();
    } else {
      await createQueueDirectory(realMachine, q(), { appendOnly: kind === 'append-only' });
      putJob(q(), 'aaaa', { seq: 1 });
      putJob(q(), 'bbbb', { seq: 3 });
    }
    expect(await found()).toEqual([]);
  });
});

describe('disorder', () => {
  it('of rooms that are missing', async () => {
    await homeQueue(q());
    rmSync(q('failed'), { recursive: true });
    rmSync(q('log'), { recursive: true });
    expect(await found()).toEqual(['rooms-missing: make-rooms']);
    expect(await repaired()).toEqual(['rooms-missing: done']);
    expect(await found()).toEqual([]);
  });

  it('of rooms is not mended while somebody works there', async () => {
    const queue = await homeQueue(q());
    await addNamed(queue, 'x');
    const session = await queue.join();
    rmSync(q('failed'), { recursive: true });
    await expect(repaired()).rejects.toMatchObject({ code: 'locked' });
    await session.close();
  });

  it('of dead workers brings their jobs back', async () => {
    const queue = await homeQueue(q());
    const id = await addNamed(queue, 'x');
    deadWorker(q(), fileOf(q(), id));
    deadWorker(q(), fileOf(q(), await addNamed(queue, 'y')), 'elsewhere');
    utimesSync(q('work/faraway.12.dead0000/worker'), LONG_AGO_S, LONG_AGO_S);
    expect(await found()).toEqual(['dead-worker: bring-back', 'dead-worker: bring-back']);
    expect(await repaired()).toEqual(['dead-worker: done', 'dead-worker: done']);
    expect(await found()).toEqual([]);
    expect(jobFiles(q())).toHaveLength(2);
    expect(fileOf(q(), id)).toMatch(/^fspl-50\.\d+\.0\.1\./);
    expect(jobFiles(q(), 'work')).toEqual([]);
  });

  it.each([undefined, 'no JSON'])('of a room whose worker does not say who it was (%s)', async (worker) => {
    const queue = await homeQueue(q());
    const file = fileOf(q(), await addNamed(queue, 'x'));
    mkdirSync(q('work/strange'));
    if (worker !== undefined) writeFileSync(q('work/strange/worker'), worker);
    renameSync(q('jobs', file), q('work/strange', file));
    expect(await found()).toEqual([]);
    if (worker !== undefined) utimesSync(q('work/strange/worker'), LONG_AGO_S, LONG_AGO_S);
    utimesSync(q('work/strange'), LONG_AGO_S, LONG_AGO_S);
    expect(await repaired()).toEqual(['dead-worker: done']);
    expect(jobFiles(q())).toEqual([file]);
    expect(jobFiles(q(), 'work')).toEqual([]);
  });

  it('of a job that no worker has', async () => {
    const queue = await homeQueue(q());
    const file = fileOf(q(), await addNamed(queue, 'x'));
    renameSync(q('jobs', file), q('work', file));
    expect(await found()).toEqual(['stray-job: to-jobs']);
    expect(await repaired()).toEqual(['stray-job: done']);
    expect(jobFiles(q())).toEqual([file]);
  });

  it('of temporary files that nobody writes any more', async () => {
    await homeQueue(q());
    for (const name of [
      'jobs/tmp-fspl-old.fspl.tmp',
      'settings.json.123.temp',
      'nextseq.temp',
      'receipts/x.json.1.temp',
    ]) {
      writeFileSync(q(name), 'half');
      utimesSync(q(name), LONG_AGO_S, LONG_AGO_S);
    }
    writeFileSync(q('jobs/tmp-fspl-new.fspl.tmp'), 'half');
    expect(await found()).toEqual(Array(4).fill('temporary: remove'));
    expect(await repaired()).toEqual(Array(4).fill('temporary: done'));
    expect(existsSync(q('jobs/tmp-fspl-new.fspl.tmp'))).toBe(true);
  });

  it.each<[string, () => void]>([
    ['torn', () => writeFileSync(q('jobs/fspl-bad.fspl'), packet({ seq: 5 }).subarray(0, 40))],
    ['empty', () => writeFileSync(q('jobs/fspl-bad.fspl'), '')],
    ['a directory', () => mkdirSync(q('jobs/fspl-bad.fspl'))],
    ['a link that leads nowhere', () => symlinkSync('nowhere', q('jobs/fspl-bad.fspl'))],
  ])('of a job that is %s sets it aside', async (_what, make) => {
    await homeQueue(q());
    make();
    writeFileSync(q('failed/fspl-bad.fspl'), 'one of that name is there');
    expect(await found()).toEqual(['damaged: set-aside']);
    expect(await repaired()).toEqual(['damaged: done']);
    expect(await found()).toEqual([]);
    expect(jobFiles(q())).toEqual([]);
    expect(jobFiles(q(), 'failed')).toEqual([
      'fspl-bad.fspl',
      expect.stringMatching(/^fspl-bad~[0-9a-f]{8}\.fspl$/),
    ]);
    expect(readFileSync(q('failed/fspl-bad.fspl'), 'utf8')).toBe('one of that name is there');
  });

  it('of what may be an encoded job is left to a person', async () => {
    await homeQueue(q());
    writeFileSync(q('jobs/fspl-packed.fspl'), gzipSync(packet({ seq: 1 })));
    expect(await repaired()).toEqual(['encoded: left']);
    expect(jobFiles(q())).toEqual(['fspl-packed.fspl']);
  });

  it('of a copy of a job sets it aside, and leaves two different ones to a person', async () => {
    await homeQueue(q(), 'sequence');
    const file = putJob(q(), 'aaaa', { seq: 1, payload: 'same' });
    copyFileSync(q('jobs', file), q('jobs/fspl-bbbb.fspl'));
    expect(await repaired()).toEqual(['duplicate: done']);
    expect(jobFiles(q())).toEqual([file]);
    putJob(q(), 'cccc', { seq: 1, payload: 'other' });
    expect(await repaired()).toEqual(['duplicate: left']);
    expect(jobFiles(q())).toHaveLength(2);
  });

  it('of a job that came back when it was done', async () => {
    const queue = await homeQueue(q());
    const id = await addNamed(queue, 'x');
    const file = fileOf(q(), id);
    copyFileSync(q('jobs', file), temporary.path('copy'));
    const session = await queue.join({ keepSucceeded: true });
    await (await claimFrom(session)).succeed();
    await session.close();
    copyFileSync(temporary.path('copy'), q('jobs', file));
    expect(await repaired()).toEqual(['done-again: done']);
    expect(jobFiles(q())).toEqual([]);
  });

  it('of a number that is past sets its job aside, but not in a queue of the original', async () => {
    await homeQueue(q(), 'sequence');
    writeFileSync(q('nextseq'), '5\n');
    putJob(q(), 'late', { seq: 2 });
    expect(await repaired()).toEqual(['past: done']);
    expect(jobFiles(q(), 'failed')).toEqual(['fspl-late.fspl']);
    rmSync(q(), { recursive: true });
    await createQueueDirectory(realMachine, q(), { appendOnly: false });
    writeFileSync(q('nextseq'), '5\n');
    putJob(q(), 'late', { seq: 2 });
    expect(await repaired()).toEqual(['past: left']);
    expect(jobFiles(q())).toEqual(['fspl-late.fspl']);
  });

  it('of modes permits its owner to use it', async () => {
    await homeQueue(q());
    chmodSync(q('failed'), 0o500);
    expect(await found()).toEqual(['mode: permit']);
    expect(await repaired()).toEqual(['mode: done']);
    expect(statSync(q('failed')).mode & 0o777).toBe(0o700);
  });

  it.each([
    ['settings.json', '{'],
    ['nextseq', 'x'],
  ])('of a damaged %s is left to a person', async (file, text) => {
    await homeQueue(q(), 'sequence');
    writeFileSync(q(file), text);
    expect(await repaired()).toEqual(['damaged-file: left']);
    expect(readFileSync(q(file), 'utf8')).toBe(text);
  });

  it('of a damaged file in a directory with a colon in its name is told with the right path', async () => {
    await homeQueue(temporary.path('a: b'), 'sequence');
    writeFileSync(temporary.path('a: b/nextseq'), 'x');
    const [finding] = await findDisorder(realMachine, temporary.path('a: b'));
    expect(finding).toMatchObject({ kind: 'damaged-file', path: temporary.path('a: b/nextseq') });
  });

  it.each(['home', 'filespooler'])(
    'of what a %s queue cannot do without is left to a person',
    async (kind) => {
      if (kind === 'home') await homeQueue(q(), 'sequence');
      else await createQueueDirectory(realMachine, q(), { appendOnly: false });
      rmSync(q('nextseq'));
      expect(await repaired()).toEqual(['number-missing: left']);
      writeFileSync(q('nextseq'), '1\n');
      rmSync(q('nextseq.lock'));
      expect(await found()).toEqual(['lock-missing: person']);
      writeFileSync(q('nextseq.lock'), '');
      rmSync(q('jobs'), { recursive: true });
      expect(await repaired()).toEqual(['jobs-missing: left']);
    },
  );

  it('is no number that nobody counts by', async () => {
    await homeQueue(q(), 'free');
    rmSync(q('nextseq'));
    expect(await found()).toEqual([]);
  });

  it('is not in a directory that is no queue', async () => {
    mkdirSync(q());
    await expect(findDisorder(realMachine, q())).rejects.toMatchObject({ code: 'not-a-queue' });
  });

  it.each([
    ['readdir', 'jobs'],
    ['open', 'jobs/fspl-aaaa.fspl'],
    ['open', 'nextseq'],
    ['open', 'nextseq.lock'],
  ])('of what the system keeps from us: %s of %s', async (call, name) => {
    await homeQueue(q(), 'sequence');
    putJob(q(), 'aaaa', { seq: 1 });
    const files = faultyFiles(realMachine.files, (at) =>
      at.name === call && at.path === q(name) ? 'EACCES' : undefined,
    );
    expect(await findDisorder(machineWithFiles(files), q())).toEqual([
      expect.objectContaining({ kind: 'no-access', path: q(name), remedy: 'person' }),
    ]);
  });

  it('of a mode that keeps us out is told as that', async () => {
    await homeQueue(q());
    chmodSync(q('jobs'), 0);
    const files = faultyFiles(realMachine.files, ({ name, path }) =>
      name === 'readdir' && path === q('jobs') ? 'EACCES' : undefined,
    );
    expect(await findDisorder(machineWithFiles(files), q())).toMatchObject([
      { kind: 'mode', path: q('jobs'), remedy: 'permit' },
    ]);
    expect(await repaired()).toEqual(['mode: done']);
  });

  it('of rooms on another file system, to which no job can be moved', async () => {
    await homeQueue(q());
    const stat = async (path: string) => {
      const status = await realMachine.files.stat(path);
      return path === q('failed') ? { ...status, device: status.device + 1n } : status;
    };
    const machine = machineWithFiles({ ...realMachine.files, stat });
    expect(await findDisorder(machine, q())).toEqual([
      expect.objectContaining({ kind: 'other-file-system', path: q('failed'), remedy: 'person' }),
    ]);
  });

  it('in a queue of the original is mended with its lock', async () => {
    await createQueueDirectory(realMachine, q(), { appendOnly: false });
    writeFileSync(q('jobs/fspl-bad.fspl'), '*FILESPOOLER');
    const alone = await lockQueue(realMachine, q());
    await expect(repaired()).rejects.toMatchObject({ code: 'locked' });
    await alone.close();
    expect(await repaired()).toEqual(['damaged: done']);
    expect(jobFiles(q(), 'failed')).toEqual(['fspl-bad.fspl']);
    expect(await found()).toEqual([]);
  });

  it('that was mended since it was found is left alone', async () => {
    await homeQueue(q());
    writeFileSync(q('jobs/fspl-bad.fspl'), '*FILES');
    const findings = await findDisorder(realMachine, q());
    putJob(q(), 'bad', { seq: 1 });
    const operator = new Operator(realMachine, q());
    expect((await applyRepair(operator, findings)).map(({ result }) => result)).toEqual(['not-needed']);
    await operator.close();
    expect(jobFiles(q())).toEqual(['fspl-bad.fspl']);
  });
});
