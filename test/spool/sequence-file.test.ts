import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Files } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { LAST_SEQUENCE, sequence } from '../../src/packet/header.ts';
import {
  type LockedSequence,
  type LockOptions,
  lockSequence,
  parseNumber,
  peekSequence,
} from '../../src/spool/sequence-file.ts';
import { failEachCall, faultyFiles } from '../support/faulty-files.ts';
import { locksBusyFor, machineWith, machineWithFiles, manualClock } from '../support/machines.ts';
import { CHANGES, recordingFiles } from '../support/recording-files.ts';
import { openDescriptors, useTemporary } from '../support/temporary.ts';

const { files: real } = realMachine;
const temporary = useTemporary();
const SENDER: LockOptions = { create: true, waitMs: 0 };

async function locked<T>(
  path: string,
  use: (file: LockedSequence) => Promise<T>,
  machine = realMachine,
): Promise<T> {
  const file = await lockSequence(machine, path, SENDER);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

const readAt = (path: string) => locked(path, (file) => file.read());
const writeAt = (path: string, next: bigint) => locked(path, (file) => file.write(sequence(next)));

describe('the content of a sequence file', () => {
  it.each([
    ['5\n', 5n],
    ['5', 5n],
    [' 5\n', 5n],
    ['5 \n', 5n],
    ['\t5\t\n', 5n],
    ['5\r\n', 5n],
    ['5\n6\n', 5n],
    ['5\n\n', 5n],
    ['+7\n', 7n],
    ['007\n', 7n],
    ['0\n', 0n],
    ['18446744073709551615\n', LAST_SEQUENCE],
    [`${'0'.repeat(40)}1\n`, 1n],
  ])('%j is %s, and reading does not rewrite it', async (content, number) => {
    const path = temporary.path('seq');
    writeFileSync(path, content);
    expect(await readAt(path)).toBe(number);
    expect(await peekSequence(realMachine, path)).toBe(number);
    expect(readFileSync(path, 'utf8')).toBe(content);
  });

  it.each([
    '',
    '\n',
    '\n5\n',
    '-1\n',
    '-0\n',
    'abc\n',
    '1.5\n',
    '0x10\n',
    '5\tfoo\n',
    '5 6\n',
    '5\0\n',
    '++5\n',
    '\xd9\xa3\n',
    '1e3\n',
    '5\xff\n',
    '18446744073709551616\n',
    '9'.repeat(5000),
  ])('%j is damaged, and nothing is written', async (content) => {
    const path = temporary.path('seq');
    writeFileSync(path, content, 'latin1');
    await expect(readAt(path)).rejects.toMatchObject({ name: 'QueueError', code: 'sequence-damaged' });
    await expect(peekSequence(realMachine, path)).rejects.toMatchObject({ code: 'sequence-damaged' });
    expect(readFileSync(path, 'latin1')).toBe(content);
    expect(readdirSync(temporary.path()).sort()).toEqual(['seq', 'seq.lock']);
  });

  it('names what it found', async () => {
    const path = temporary.path('seq');
    writeFileSync(path, 'abc\n');
    await expect(readAt(path)).rejects.toThrow(
      `${path}: expected a number from 0 to 18446744073709551615, found "abc\\n"`,
    );
  });

  it('is written as a number and a newline', async () => {
    const path = temporary.path('seq');
    writeFileSync(path, ' +007\r\nold\n');
    await writeAt(path, 8n);
    expect(readFileSync(path, 'utf8')).toBe('8\n');
    await writeAt(path, LAST_SEQUENCE);
    expect(readFileSync(path, 'utf8')).toBe('18446744073709551615\n');
    expect(readdirSync(temporary.path()).sort()).toEqual(['seq', 'seq.lock']);
  });

  it('is 1 where there is none yet, and the file is made', async () => {
    const path = temporary.path('seq');
    expect(await peekSequence(realMachine, path)).toBeUndefined();
    expect(readdirSync(temporary.path())).toEqual([]);
    expect(await readAt(path)).toBe(1n);
    expect(readFileSync(path, 'utf8')).toBe('1\n');
  });

  it('is what the caller chooses where there is none yet', async () => {
    const path = temporary.path('seq');
    const file = await lockSequence(realMachine, path, { ...SENDER, first: async () => sequence(42) });
    expect(await file.read()).toBe(42n);
    expect(existsSync(path), 'nobody has used it').toBe(false);
    await file.write(sequence(43));
    expect(await file.read()).toBe(43n);
    await file.close();
    expect(readFileSync(path, 'utf8')).toBe('43\n');
  });

  it('is a plain file when it was a link, whose target stays', async () => {
    const path = temporary.path('seq');
    const target = temporary.path('target');
    writeFileSync(target, '5\n');
    symlinkSync(target, path);
    expect(await readAt(path)).toBe(5n);
    expect(readlinkSync(path)).toBe(target);
    await writeAt(path, 6n);
    expect(lstatSync(path).isFile()).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('6\n');
    expect(readFileSync(target, 'utf8')).toBe('5\n');
  });

  it('is new when the link dangles', async () => {
    const path = temporary.path('seq');
    symlinkSync(temporary.path('nowhere'), path);
    expect(await readAt(path)).toBe(1n);
    expect(lstatSync(path).isFile()).toBe(true);
  });

  it('is not in a directory, and not in a place that is missing', async () => {
    mkdirSync(temporary.path('directory'));
    await expect(readAt(temporary.path('directory'))).rejects.toMatchObject({ code: 'EISDIR' });
    await expect(readAt(temporary.path('nowhere', 'seq'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(readAt('')).rejects.toMatchObject({
      code: 'sequence-damaged',
      message: 'the name of the sequence file is empty',
    });
  });

  it.each(['seq.temp', 'seq.lock'])('stays when %s is a directory', async (name) => {
    const path = temporary.path('seq');
    writeFileSync(path, '5\n');
    mkdirSync(temporary.path(name));
    await expect(writeAt(path, 6n)).rejects.toMatchObject({ code: 'EISDIR' });
    expect(readFileSync(path, 'utf8')).toBe('5\n');
  });

  it('takes the place of a temporary file that a crash has left', async () => {
    const path = temporary.path('seq');
    writeFileSync(path, '5\n');
    writeFileSync(`${path}.temp`, '123456789\n');
    await writeAt(path, 6n);
    expect(readFileSync(path, 'utf8')).toBe('6\n');
  });
});

describe('parseNumber', () => {
  it.each([
    ['5', 5n],
    ['+5', 5n],
    ['', undefined],
    ['+', undefined],
    [' 5', undefined],
    ['18446744073709551615', LAST_SEQUENCE],
    ['18446744073709551616', undefined],
  ])('%j is %s', (text, number) => {
    expect(parseNumber(text)).toBe(number);
  });
});

describe('the lock', () => {
  it('is held by one at a time, and free after close', async () => {
    const path = temporary.path('seq');
    const first = await lockSequence(realMachine, path, SENDER);
    await expect(lockSequence(realMachine, path, SENDER)).rejects.toMatchObject({
      code: 'locked',
      message: `${path}.lock: another process has held this lock`,
    });
    await first.close();
    const second = await lockSequence(realMachine, path, SENDER);
    await second.close();
  });

  it('is not made where it must be there already', async () => {
    const path = temporary.path('nextseq');
    writeFileSync(path, '5\n');
    const options = { create: false, waitMs: 0 };
    await expect(lockSequence(realMachine, path, options)).rejects.toMatchObject({
      code: 'lock-missing',
      message: `${path}.lock: there is no such lock file`,
      cause: { code: 'ENOENT' },
    });
    expect(readdirSync(temporary.path())).toEqual(['nextseq']);
    writeFileSync(`${path}.lock`, 'whatever is in it');
    const file = await lockSequence(realMachine, path, options);
    expect(await file.read()).toBe(5n);
    await file.close();
    expect(readFileSync(`${path}.lock`, 'utf8')).toBe('whatever is in it');
  });

  it.each([0, 1, 5, 50])('is waited for, also when %i tries fail', async (busy) => {
    const clock = manualClock();
    const locks = locksBusyFor(busy);
    const machine = machineWith({ clock, locks });
    const file = await lockSequence(machine, temporary.path('seq'), { create: true, waitMs: 10_000 });
    expect(locks.tries).toBe(busy + 1);
    expect(clock.waitedMs > 0).toBe(busy > 0);
    await file.close();
  });

  it('is waited for in small steps first, and not longer than asked', async () => {
    const clock = manualClock();
    const locks = locksBusyFor(Number.POSITIVE_INFINITY);
    const machine = machineWith({ clock, locks });
    const before = openDescriptors();
    await expect(
      lockSequence(machine, temporary.path('seq'), { create: true, waitMs: 500 }),
    ).rejects.toMatchObject({ code: 'locked', message: expect.stringMatching(/for 0\.5 s$/) });
    // 1 + 2 + 5 + 10, then 20 at a time: the try at 518 ms is the first after 500.
    expect(clock.waitedMs).toBe(518);
    expect(locks.tries).toBe(30);
    expect(openDescriptors()).toEqual(before);
  });

  it('is tried once when there is no time to wait', async () => {
    const locks = locksBusyFor(1);
    const machine = machineWith({ clock: manualClock(), locks });
    await expect(lockSequence(machine, temporary.path('seq'), SENDER)).rejects.toMatchObject({
      code: 'locked',
    });
    expect(locks.tries).toBe(1);
  });

  it('passes on what the system says about it', async () => {
    const locks = { ...realMachine.locks, tryLock: () => Promise.reject(new Error('ENOLCK')) };
    const before = openDescriptors();
    const path = temporary.path('seq');
    await expect(lockSequence(machineWith({ locks }), path, SENDER)).rejects.toThrow('ENOLCK');
    expect(openDescriptors()).toEqual(before);
  });

  it('is given up even when the rest of the closing fails', async () => {
    const path = temporary.path('seq');
    const files = faultyFiles(real, ({ name }) =>
      name === 'unlink' || name === 'close' ? 'EIO' : undefined,
    );
    const before = openDescriptors();
    const file = await lockSequence(machineWithFiles(files), path, SENDER);
    await file.prepare(sequence(2));
    await expect(file.close()).rejects.toMatchObject({ code: 'EIO' });
    expect(openDescriptors()).toEqual(before);
    await (await lockSequence(realMachine, path, SENDER)).close();
  });
});

describe('writing', () => {
  it('syncs the new content before the rename and the name after it', async () => {
    const recording = recordingFiles(real);
    const path = temporary.path('seq');
    await locked(
      path,
      async (file) => {
        await file.write(sequence(2));
        await file.write(sequence(3));
      },
      machineWithFiles(recording.files),
    );
    const once = ['write seq.temp', 'fsyncAside seq.temp', 'rename seq.temp seq', 'fsync .'];
    expect(recording.told(temporary.path(), ...CHANGES)).toEqual([...once, ...once]);
  });

  it.each([
    ['seq', '.'],
    ['/seq', '/'],
    ['there/seq', 'there'],
    ['/there/seq', '/there'],
  ])('of %s syncs the directory %s', async (path, directory) => {
    mkdirSync(temporary.path('there'));
    const opened: string[] = [];
    // As if the temporary directory were both the root and where we are.
    const inside = (path: string) => temporary.path(path);
    const files: Files = {
      ...real,
      open: (path, mode) => {
        if (mode === 'directory') opened.push(path);
        return real.open(inside(path), mode);
      },
      rename: (from, to) => real.rename(inside(from), inside(to)),
    };
    await locked(path, (file) => file.write(sequence(2)), machineWithFiles(files));
    expect(opened).toEqual([directory]);
    expect(readFileSync(inside(path), 'utf8')).toBe('2\n');
  });

  it('opens the directory once for all its fsyncs', async () => {
    const recording = recordingFiles(real);
    await locked(
      temporary.path('seq'),
      async (file) => {
        for (const next of [2, 3, 4]) await file.write(sequence(next));
      },
      machineWithFiles(recording.files),
    );
    expect(recording.told(temporary.path(), 'open').filter((call) => call === 'open .')).toHaveLength(1);
  });

  it('can begin ahead: only the rename and its fsync are left', async () => {
    const recording = recordingFiles(real);
    const path = temporary.path('seq');
    writeFileSync(path, '1\n');
    await locked(
      path,
      async (file) => {
        await file.prepare(sequence(2));
        expect(readFileSync(path, 'utf8')).toBe('1\n');
        expect(await file.read()).toBe(1n);
        const ahead = recording.calls.length;
        await file.write(sequence(2));
        const rest = recording.calls.slice(ahead).map(({ name }) => name);
        expect(rest).toEqual(['close', 'rename', 'open', 'fsync']);
      },
      machineWithFiles(recording.files),
    );
    expect(readFileSync(path, 'utf8')).toBe('2\n');
  });

  it('writes what it is told, whatever was begun', async () => {
    const path = temporary.path('seq');
    const before = openDescriptors();
    await locked(path, async (file) => {
      await file.prepare(sequence(2));
      await file.prepare(sequence(3));
      await file.write(sequence(9));
      expect(readFileSync(path, 'utf8')).toBe('9\n');
      await file.prepare(sequence(10));
      await file.write(sequence(10));
      expect(readFileSync(path, 'utf8')).toBe('10\n');
    });
    expect(openDescriptors()).toEqual(before);
  });

  it.each(['abandon', 'close'] as const)('takes back what was begun, by %s', async (end) => {
    const path = temporary.path('seq');
    writeFileSync(path, '1\n');
    const before = openDescriptors();
    const file = await lockSequence(realMachine, path, SENDER);
    await file.prepare(sequence(2));
    expect(readdirSync(temporary.path())).toContain('seq.temp');
    await file[end]();
    expect(readdirSync(temporary.path()).sort()).toEqual(['seq', 'seq.lock']);
    expect(readFileSync(path, 'utf8')).toBe('1\n');
    if (end === 'abandon') await file.close();
    expect(openDescriptors()).toEqual(before);
  });

  it('counts a failed fsync as a failure, whichever of the two', async () => {
    const path = temporary.path('seq');
    writeFileSync(path, '1\n');
    const failing = (call: string) =>
      machineWithFiles(faultyFiles(real, ({ name }) => (name === call ? 'EIO' : undefined)));
    const write = (machine: typeof realMachine) => locked(path, (file) => file.write(sequence(2)), machine);
    await expect(write(failing('fsyncAside'))).rejects.toMatchObject({ code: 'EIO' });
    expect(readFileSync(path, 'utf8')).toBe('1\n');
    await expect(write(failing('fsync'))).rejects.toMatchObject({ code: 'not-durable' });
    expect(readFileSync(path, 'utf8')).toBe('2\n');
  });

  it('tells of a failed fsync that was begun ahead when the number is written, not before', async () => {
    const path = temporary.path('seq');
    writeFileSync(path, '1\n');
    const files = faultyFiles(real, ({ name }) => (name === 'fsyncAside' ? 'EIO' : undefined));
    await locked(
      path,
      async (file) => {
        await file.prepare(sequence(2));
        await expect(file.write(sequence(2))).rejects.toMatchObject({ code: 'EIO' });
        await file.prepare(sequence(2));
        await file.abandon();
      },
      machineWithFiles(files),
    );
    expect(readFileSync(path, 'utf8')).toBe('1\n');
  });

  it('says not-durable when the directory cannot be opened for another reason', async () => {
    const path = temporary.path('seq');
    const files = faultyFiles(real, ({ name, mode }) =>
      name === 'open' && mode === 'directory' ? 'EMFILE' : undefined,
    );
    const write = locked(path, (file) => file.write(sequence(2)), machineWithFiles(files));
    await expect(write).rejects.toMatchObject({ code: 'not-durable', cause: { code: 'EMFILE' } });
  });

  it('leaves a directory that may not be opened to the file system', async () => {
    const path = temporary.path('seq');
    const files = faultyFiles(real, ({ name, mode }) =>
      name === 'open' && mode === 'directory' ? 'EACCES' : undefined,
    );
    await locked(path, (file) => file.write(sequence(2)), machineWithFiles(files));
    expect(readFileSync(path, 'utf8')).toBe('2\n');
  });

  it.each(['EIO', 'ENOSPC'])(
    'with %s from any call keeps the old number or has the new one',
    async (code) => {
      const path = temporary.path('seq');
      const calls = await failEachCall(real, code, async (faulty) => {
        writeFileSync(path, '5\n');
        const before = openDescriptors();
        const outcome = await locked(
          path,
          async (file) => {
            expect(await file.read()).toBe(5n);
            await file.prepare(sequence(6));
            await file.write(sequence(6));
          },
          machineWithFiles(faulty),
        ).catch((error: unknown) => error);
        expect(openDescriptors()).toEqual(before);
        const now = readFileSync(path, 'utf8');
        if (!(outcome instanceof Error)) expect(now).toBe('6\n');
        else if ('code' in outcome && outcome.code === 'not-durable') expect(now).toBe('6\n');
        else expect(now).toBe('5\n');
        await writeAt(path, 7n);
        expect(readFileSync(path, 'utf8')).toBe('7\n');
      });
      expect(calls).toBeGreaterThan(10);
    },
  );
});
