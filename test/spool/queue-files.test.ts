import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Descriptor, FileKind } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { PEEK_BYTES } from '../../src/packet/read.ts';
import { decoderFor } from '../../src/spool/open-packet.ts';
import {
  byCreation,
  bySequence,
  createQueueDirectory,
  headerReader,
  type JobFile,
  lookAt,
  notAFile,
  refuseDuplicates,
  requireQueue,
  scanQueue,
} from '../../src/spool/queue-files.ts';
import { failEachCall, faultyFiles } from '../support/faulty-files.ts';
import { interceptFiles } from '../support/intercepted-files.ts';
import { machineWithFiles } from '../support/machines.ts';
import { packet, putJob } from '../support/packets.ts';
import { recordingFiles } from '../support/recording-files.ts';
import { openDescriptors, useTemporary } from '../support/temporary.ts';

const { files: real } = realMachine;
const temporary = useTemporary();
let queue: string;
let jobs: string;

beforeEach(async () => {
  queue = temporary.path('queue');
  jobs = `${queue}/jobs`;
  await createQueueDirectory(realMachine, queue, { appendOnly: false });
});

describe('createQueueDirectory', () => {
  it('makes what queue-init makes', () => {
    expect(readdirSync(queue).sort()).toEqual(['jobs', 'nextseq', 'nextseq.lock']);
    expect(readFileSync(`${queue}/nextseq`, 'utf8')).toBe('1\n');
    expect(readdirSync(jobs)).toEqual([]);
  });

  it('leaves out the sequence file of an append-only queue', async () => {
    const place = temporary.path('append-only');
    await createQueueDirectory(realMachine, place, { appendOnly: true });
    expect(readdirSync(place)).toEqual(['jobs']);
  });

  it('refuses a place that is taken', async () => {
    writeFileSync(temporary.path('file'), '');
    for (const place of [queue, temporary.path('file'), temporary.path()]) {
      await expect(createQueueDirectory(realMachine, place, { appendOnly: false })).rejects.toMatchObject({
        code: 'exists',
        message: `${place}: it exists already`,
        cause: { code: 'EEXIST' },
      });
    }
  });

  it('makes no parents', async () => {
    const place = temporary.path('no', 'parent');
    await expect(createQueueDirectory(realMachine, place, { appendOnly: false })).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });

  it('syncs its own name first, and its names last', async () => {
    const recording = recordingFiles(real);
    const place = temporary.path('synced');
    await createQueueDirectory(machineWithFiles(recording.files), place, { appendOnly: false });
    const synced = recording.told(place, 'fsync');
    expect([synced[0], synced.at(-1)]).toEqual(['fsync ..', 'fsync .']);
  });

  it('says not-durable when the disk does not confirm its name', async () => {
    const place = temporary.path('unsure');
    const files = faultyFiles(real, ({ name, path }) =>
      name === 'fsync' && path === `${place}/..` ? 'EIO' : undefined,
    );
    await expect(
      createQueueDirectory(machineWithFiles(files), place, { appendOnly: true }),
    ).rejects.toMatchObject({
      code: 'not-durable',
      message: `${place}: the disk did not confirm it: the disk reports an input/output error`,
    });
  });

  it('leaves no descriptor open, whatever fails', async () => {
    let round = 0;
    await failEachCall(real, 'EIO', async (faulty) => {
      const before = openDescriptors();
      const place = temporary.path(`q${round++}`);
      await createQueueDirectory(machineWithFiles(faulty), place, { appendOnly: false }).catch(() => {});
      expect(openDescriptors()).toEqual(before);
    });
    expect(round).toBeGreaterThan(10);
  });
});

describe('scanQueue', () => {
  it('finds complete jobs and nothing else', async () => {
    const name = putJob(queue, 'a', { seq: 3 });
    for (const other of [
      'tmp-fspl-x.fspl.tmp',
      'fspl-x.fspl.out',
      'fspl.fspl',
      '.fspl-x.fspl',
      'FSPL-x.FSPL',
    ]) {
      writeFileSync(`${jobs}/${other}`, packet({ seq: 1 }));
    }
    mkdirSync(`${jobs}/done`);
    putJob(queue, '', { seq: 4 });
    const scan = await scanQueue(realMachine, queue);
    expect(scan.unreadable).toEqual([]);
    expect(scan.jobs.sort(bySequence)).toEqual([
      expect.objectContaining({ name, path: `${jobs}/${name}` }),
      expect.objectContaining({ name: 'fspl-.fspl' }),
    ]);
  });

  it('keeps names that are not text', async () => {
    const name = 'fspl-\udcff\n*.fspl';
    writeFileSync(
      Buffer.concat([Buffer.from(`${jobs}/fspl-`), Buffer.of(0xff), Buffer.from('\n*.fspl')]),
      packet({ seq: 1 }),
    );
    expect((await scanQueue(realMachine, queue)).jobs).toMatchObject([{ name }]);
  });

  it('follows links to jobs', async () => {
    writeFileSync(temporary.path('elsewhere'), packet({ seq: 1 }));
    symlinkSync(temporary.path('elsewhere'), `${jobs}/fspl-link.fspl`);
    expect((await scanQueue(realMachine, queue)).jobs).toMatchObject([{ name: 'fspl-link.fspl' }]);
  });

  it('works where jobs/ is itself a link', async () => {
    const place = temporary.path('linked');
    mkdirSync(place);
    symlinkSync(jobs, `${place}/jobs`);
    const name = putJob(queue, 'a', { seq: 1 });
    expect((await scanQueue(realMachine, place)).jobs).toMatchObject([
      { name, path: `${place}/jobs/${name}` },
    ]);
  });

  it.each([
    ['a directory', 'it is a directory, not a job file', (path: string) => mkdirSync(path)],
    ['a named pipe', 'it is a named pipe, not a job file', (path: string) => execFileSync('mkfifo', [path])],
    ['a link to a directory', 'it is a directory, not a job file', (path: string) => symlinkSync('/', path)],
    [
      'a link to a device',
      'it is a device, not a job file',
      (path: string) => symlinkSync('/dev/zero', path),
    ],
    [
      'a link to a named pipe',
      'it is a named pipe, not a job file',
      (path: string) => {
        execFileSync('mkfifo', [temporary.path('pipe')]);
        symlinkSync(temporary.path('pipe'), path);
      },
    ],
    ['a dangling link', 'no such file or directory', (path: string) => symlinkSync('nowhere', path)],
    ['a link to itself', 'too many symbolic links', (path: string) => symlinkSync(path, path)],
  ])('reports %s and does not open it', async (_, message, make) => {
    const path = `${jobs}/fspl-odd.fspl`;
    make(path);
    const good = putJob(queue, 'good', { seq: 1 });
    const recording = recordingFiles(real);
    const scan = await scanQueue(machineWithFiles(recording.files), queue);
    expect(scan.jobs).toMatchObject([{ name: good }]);
    expect(scan.unreadable).toMatchObject([{ name: 'fspl-odd.fspl', path, message }]);
    expect(recording.told(queue, 'open')).toEqual([`open jobs/${good}`]);
  });

  it('reports a socket and does not open it', async () => {
    const path = `${jobs}/fspl-s.fspl`;
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    try {
      const recording = recordingFiles(real);
      const scan = await scanQueue(machineWithFiles(recording.files), queue);
      expect(scan).toEqual({
        jobs: [],
        unreadable: [{ name: 'fspl-s.fspl', path, message: 'it is a socket, not a job file' }],
      });
      expect(recording.told(queue, 'open')).toEqual([]);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('asks for the kind where the listing does not tell it', async () => {
    putJob(queue, 'a', { seq: 1 });
    mkdirSync(`${jobs}/fspl-d.fspl`);
    const intercepted = interceptFiles(real, () => {});
    const files = {
      ...intercepted,
      readdir: async (path: string) =>
        (await real.readdir(path)).map(({ name }) => ({ name, kind: 'unknown' as FileKind })),
    };
    const scan = await scanQueue(machineWithFiles(files), queue);
    expect(scan.jobs).toHaveLength(1);
    expect(scan.unreadable).toMatchObject([{ message: 'it is a directory, not a job file' }]);
  });

  it("does not wait for a pipe that took a file's place after the listing", async () => {
    const path = `${jobs}/${putJob(queue, 'a', { seq: 1 })}`;
    const files = interceptFiles(real, ({ name }) => {
      if (name !== 'open') return;
      unlinkSync(path);
      execFileSync('mkfifo', [path]);
    });
    const scan = await scanQueue(machineWithFiles(files), queue);
    expect(scan).toMatchObject({ jobs: [], unreadable: [{ message: 'it is not a regular file' }] });
  });

  it('leaves out a file that vanished after the listing', async () => {
    putJob(queue, 'gone', { seq: 1 });
    const stays = putJob(queue, 'stays', { seq: 2 });
    const files = interceptFiles(real, ({ name, path }) => {
      if (name === 'open' && path.includes('gone')) unlinkSync(path);
    });
    const scan = await scanQueue(machineWithFiles(files), queue);
    expect(scan).toMatchObject({ jobs: [{ name: stays }], unreadable: [] });
  });

  it.each([
    ['open', 'EACCES', 'permission denied'],
    ['open', 'EIO', 'the disk reports an input/output error'],
    ['read', 'EIO', 'the disk reports an input/output error'],
    ['open', 'ESTALE', 'the file was replaced on the server'],
  ] as const)('reports a file whose %s fails with %s, and goes on', async (call, code, message) => {
    putJob(queue, 'bad', { seq: 1 });
    const good = putJob(queue, 'good', { seq: 2 });
    const files = faultyFiles(real, ({ name, path }) =>
      name === call && path.includes('bad') ? code : undefined,
    );
    const before = openDescriptors();
    const scan = await scanQueue(machineWithFiles(files), queue);
    expect(scan).toMatchObject({ jobs: [{ name: good }], unreadable: [{ name: 'fspl-bad.fspl', message }] });
    expect(openDescriptors()).toEqual(before);
  });

  it('reports a file it may not read', async ({ skip }) => {
    if (process.getuid?.() === 0) skip('root may read everything');
    chmodSync(`${jobs}/${putJob(queue, 'secret', { seq: 1 })}`, 0);
    const scan = await scanQueue(realMachine, queue);
    expect(scan).toMatchObject({ jobs: [], unreadable: [{ message: 'permission denied' }] });
  });

  it.each([
    ['an empty file', Buffer.alloc(0), 'it is empty'],
    ['half a prefix', packet({ seq: 1 }).subarray(0, 15), 'it ends after 15 of the 30 bytes of its prefix'],
    [
      'half its metadata',
      packet({ seq: 1 }).subarray(0, 40),
      /^it ends after 10 of the \d+ bytes of its metadata$/,
    ],
    [
      'something else',
      Buffer.from('#!/bin/sh\nrm -rf everything, all of it\n'),
      'it does not begin with *FILESPOOLER',
    ],
  ])('reports %s', async (_, content, message) => {
    writeFileSync(`${jobs}/fspl-bad.fspl`, content);
    const good = putJob(queue, 'good', { seq: 2 });
    const scan = await scanQueue(realMachine, queue);
    expect(scan.jobs).toMatchObject([{ name: good }]);
    expect(scan.unreadable).toHaveLength(1);
    expect(scan.unreadable[0]?.message).toMatch(message);
  });

  it('steps over a packet that is still being written', async () => {
    const name = putJob(queue, 'a', { seq: 1 });
    chmodSync(`${jobs}/${name}`, 0o1644);
    expect((await scanQueue(realMachine, queue)).unreadable).toMatchObject([
      { message: 'the program that writes it has not finished' },
    ]);
    chmodSync(`${jobs}/${name}`, 0o644);
    expect((await scanQueue(realMachine, queue)).jobs).toHaveLength(1);
  });

  it('reads of a payload next to nothing', async () => {
    putJob(queue, 'a', { seq: 1, payload: 'x'.repeat(100_000) });
    const read: number[] = [];
    const files = {
      ...real,
      read: async (...args: Parameters<typeof real.read>) => {
        const count = await real.read(...args);
        read.push(count);
        return count;
      },
    };
    await scanQueue(machineWithFiles(files), queue);
    expect(read).toEqual([PEEK_BYTES]);
  });

  it.each([0, 1, 2, 3, 400, 5000])(
    'reads headers around and beyond one read: %i more bytes',
    async (more) => {
      const short = packet({ seq: 1, work: { kind: 'command', params: [''], env: [] } }).length;
      // A param of 256 bytes or more has two bytes for its length.
      const params = ['x'.repeat(PEEK_BYTES - short - 4 + more)];
      const name = putJob(queue, 'a', { seq: 1, work: { kind: 'command', params, env: [] } });
      expect((await scanQueue(realMachine, queue)).jobs).toMatchObject([
        { name, header: { work: { params } } },
      ]);
    },
  );

  it('reads headers that come a byte at a time, each into the same memory', async () => {
    for (const seq of [1, 2, 300]) {
      putJob(queue, `${seq}`, { seq, work: { kind: 'command', params: [`p${seq}`], env: [] } });
    }
    const files = {
      ...real,
      read: (from: Descriptor, buffer: Uint8Array, at: number, length: number) =>
        real.read(from, buffer, at, Math.min(length, 1)),
    };
    const scan = await scanQueue(machineWithFiles(files), queue);
    expect(scan.jobs.sort(bySequence).map(({ header }) => header.work)).toMatchObject(
      ['p1', 'p2', 'p300'].map((param) => ({ params: [param] })),
    );
  });

  it('fails without jobs/', async () => {
    rmSync(jobs, { recursive: true });
    await expect(scanQueue(realMachine, queue)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('opens no descriptor for good', async () => {
    for (let n = 0; n < 50; n++) putJob(queue, `${n}`, { seq: n });
    writeFileSync(`${jobs}/fspl-bad.fspl`, 'junk');
    const before = openDescriptors();
    expect((await scanQueue(realMachine, queue)).jobs).toHaveLength(50);
    expect(openDescriptors()).toEqual(before);
  });
});

describe('order', () => {
  const job = (name: string, seq: bigint, seconds = 0n, nanos = 0): JobFile => ({
    name,
    path: name,
    header: { seq: seq as JobFile['header']['seq'], ctime: { seconds, nanos }, work: { kind: 'nop' } },
  });
  const names = (files: JobFile[]) => files.map(({ name }) => name).join('');

  it('is by number, then by name', () => {
    const files = [job('d', 2n ** 64n - 1n), job('c', 10n), job('b', 9n), job('a', 10n), job('e', 0n)];
    expect(names(files.sort(bySequence))).toBe('ebacd');
  });

  it('is by creation time, then by number', () => {
    const files = [
      job('a', 1n, 5n, 2),
      job('b', 2n, 5n, 1),
      job('c', 9n, -1n, 9),
      job('d', 8n, -1n, 9),
      job('e', 0n, 5n, 1_999_999_999),
    ];
    expect(names(files.sort(byCreation))).toBe('dcbae');
  });

  it('refuses two jobs with one number, and names them', () => {
    expect(() => refuseDuplicates('q', [job('a', 1n), job('b', 2n)])).not.toThrow();
    expect(() => refuseDuplicates('q', [job('a', 1n), job('b', 2n), job('c', 1n)])).toThrow(
      expect.objectContaining({ code: 'duplicate-sequence', message: 'q: a and c both have the number 1' }),
    );
  });
});

describe('requireQueue', () => {
  it('takes a queue, also one whose jobs/ is a link', async () => {
    await requireQueue(realMachine, queue);
    mkdirSync(temporary.path('linked'));
    symlinkSync(jobs, temporary.path('linked', 'jobs'));
    await requireQueue(realMachine, temporary.path('linked'));
  });

  it('says what is none', async () => {
    const none = temporary.path('none');
    const missing = { code: 'not-a-queue', cause: { code: 'ENOENT' } };
    const refused = () => expect(requireQueue(realMachine, none)).rejects;
    await refused().toMatchObject({ ...missing, message: `${none}: there is no such directory` });
    mkdirSync(none);
    await refused().toMatchObject({
      ...missing,
      message: `${none}: it has no jobs directory, so it is not a queue`,
    });
    writeFileSync(`${none}/jobs`, '');
    await refused().toMatchObject({ code: 'not-a-queue', message: `${none}/jobs: it is not a directory` });
    rmSync(none, { recursive: true });
    writeFileSync(none, '');
    await refused().toMatchObject({ ...missing, cause: { code: 'ENOTDIR' } });
  });

  it('passes on what else the system says', async () => {
    const files = faultyFiles(real, ({ name }) => (name === 'stat' ? 'EACCES' : undefined));
    await expect(requireQueue(machineWithFiles(files), queue)).rejects.toMatchObject({ code: 'EACCES' });
  });
});

describe('reading through a decoder', () => {
  const scan = async (command: string) =>
    scanQueue(realMachine, queue, await decoderFor(realMachine, command));

  it('finds what it unpacks, and says of the rest what is wrong', async () => {
    const name = putJob(queue, 'packed', { seq: 7, payload: 'text' });
    writeFileSync(`${jobs}/${name}`, readFileSync(`${jobs}/${name}`).toString('base64'));
    writeFileSync(`${jobs}/fspl-junk.fspl`, Buffer.from('junk').toString('base64'));
    const before = openDescriptors();
    const { jobs: found, unreadable } = await scan('base64 -d');
    expect(found.map((job) => [job.name, job.header.seq])).toEqual([[name, 7n]]);
    expect(unreadable.map((file) => [file.name, file.message.length > 0])).toEqual([
      ['fspl-junk.fspl', true],
    ]);
    expect(openDescriptors()).toEqual(before);
  });
});

describe('lookAt', () => {
  const path = () => `${jobs}/fspl-gone.fspl`;

  it('tells what has gone from a link that leads nowhere', async () => {
    const look = (kind: FileKind) => lookAt(realMachine, path(), kind, headerReader(realMachine));
    expect(await look('file')).toEqual({ kind: 'vanished' });
    expect(await look('unknown')).toEqual({ kind: 'vanished' });
    symlinkSync('nowhere', path());
    expect(await look('link')).toMatchObject({ kind: 'unreadable', file: { cause: { code: 'ENOENT' } } });
  });

  it('asks for the kind only where it has to', async () => {
    const name = putJob(queue, 'job', { seq: 1 });
    const recording = recordingFiles(real);
    const machine = machineWithFiles(recording.files);
    const look = (kind: FileKind) => lookAt(machine, `${jobs}/${name}`, kind, headerReader(machine));
    expect(await look('file')).toMatchObject({ kind: 'job', header: { seq: 1n } });
    expect(recording.calls.filter((call) => call.name === 'stat')).toEqual([]);
    expect(await look('unknown')).toMatchObject({ kind: 'job' });
    expect(recording.calls.filter((call) => call.name === 'stat')).toHaveLength(1);
  });
});

describe('notAFile', () => {
  it.each([
    ['file', 'it is not a regular file'],
    ['link', 'it is not a regular file'],
    ['unknown', 'it is not a regular file'],
    ['fifo', 'it is a named pipe, not a job file'],
  ] as const)('of %s: %s', (kind, message) => {
    expect(notAFile(kind)).toBe(message);
  });
});
