/** What a command is given: arguments, environment, descriptors. */

import fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, decodeBytes, encodeBytes } from '../../src/os/bytes.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { readExactly } from '../../src/os/transfer.ts';
import { checkLeaks, closeNow, open, pipe, temporaryDirectory } from './checked.ts';
import { run, start } from './machine.ts';

checkLeaks();

const { files } = realMachine;
const EXITED_0 = { kind: 'exited', code: 0 };
const NUL = Uint8Array.of(0);

const anyText = fc.uint8Array({ min: 1, maxLength: 20 }).map((bytes) => decodeBytes(bytes));
const anyName = fc
  .uint8Array({ min: 1, minLength: 1, maxLength: 10 })
  .map((bytes) => decodeBytes(bytes.map((byte) => (byte === 0x3d ? 0x5f : byte))));

describe('arguments', () => {
  test('of any bytes arrive as they are', async () => {
    const directory = temporaryDirectory();
    await fc.assert(
      fc.asyncProperty(fc.array(anyText, { minLength: 1, maxLength: 10 }), async (args) => {
        const { exit, bytes } = await run(directory, { program: 'printf', args: ['%s\\0', ...args] });
        expect(exit).toEqual(EXITED_0);
        expect(bytes).toEqual(concatBytes(args.flatMap((arg) => [encodeBytes(arg), NUL])));
      }),
      { numRuns: 50 },
    );
  });

  test('of a megabyte arrive too', async () => {
    const args = Array.from({ length: 100 }, (_, at) => String(at % 10).repeat(10_000));
    const { exit, output } = await run(temporaryDirectory(), { program: 'printf', args: ['%s', ...args] });
    expect(exit).toEqual(EXITED_0);
    expect(output).toBe(args.join(''));
  });

  test('begin with the program as it was named', async () => {
    const { output } = await run(temporaryDirectory(), { program: 'cat', args: ['/proc/self/cmdline'] });
    expect(output).toBe('cat\0/proc/self/cmdline\0');
  });

  test('and programs in files whose names are not UTF-8', async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'say\udcff');
    fs.writeFileSync(Buffer.from(encodeBytes(path)), '#!/bin/sh\nprintf %s "$0"\n', { mode: 0o755 });
    const { exit, output } = await run(directory, { program: path, args: [] });
    expect(exit).toEqual(EXITED_0);
    expect(output).toBe(path);
  });
});

describe('the environment', () => {
  test('of any bytes arrives as it is, and nothing else', async () => {
    const directory = temporaryDirectory();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(anyName, anyText), { maxLength: 10 }), async (entries) => {
        const env = new Map(entries);
        const { exit, output } = await run(directory, { program: 'env', args: ['-0'], env });
        expect(exit).toEqual(EXITED_0);
        expect(output.split('\0').slice(0, -1).sort()).toEqual(
          Array.from(env, ([name, value]) => `${name}=${value}`).sort(),
        );
      }),
      { numRuns: 50 },
    );
  });
});

describe('descriptors', () => {
  test('standard input is read on from where we stopped', async () => {
    const directory = temporaryDirectory();
    fs.writeFileSync(join(directory, 'job'), 'header|payload');
    const stdin = await open(join(directory, 'job'), 'read-job');
    expect(await readExactly(files, stdin, 7)).toHaveLength(7);
    const { output } = await run(directory, { program: 'cat', args: [], stdin });
    expect(output).toBe('payload');
  });

  test('standard input that is a pipe is read on too', async () => {
    const { readEnd, writeEnd } = await pipe();
    await files.write(writeEnd, encodeBytes('header|payload'));
    closeNow(writeEnd);
    expect(await readExactly(files, readEnd, 7)).toHaveLength(7);
    const { output } = await run(temporaryDirectory(), { program: 'cat', args: [], stdin: readEnd });
    expect(output).toBe('payload');
  });

  test('standard output and standard error can be one', async () => {
    const path = join(temporaryDirectory(), 'both');
    const both = await open(path, 'truncate');
    const script = 'echo 1; echo 2 >&2; echo 3; echo 4 >&2';
    const child = await start({ program: 'sh', args: ['-c', script], stdout: both, stderr: both });
    expect(await child.exit).toEqual(EXITED_0);
    expect(fs.readFileSync(path, 'utf8')).toBe('1\n2\n3\n4\n');
  });

  test('standard input, output, error and one more go to numbers 0 to 3', async () => {
    const directory = temporaryDirectory();
    const names = ['stdin', 'stdout', 'stderr', 'extra'] as const;
    const [stdin, stdout, stderr, extra] = await Promise.all(
      names.map((name) => open(join(directory, name), 'lock')),
    );
    if (!stdin || !stdout || !stderr || !extra) throw new Error('four were opened');
    const script = 'for n in 0 1 2 3; do readlink /proc/$$/fd/$n; done';
    const child = await start({ program: 'sh', args: ['-c', script], stdin, stdout, stderr, extra: [extra] });
    expect(await child.exit).toEqual(EXITED_0);
    const targets = fs.readFileSync(join(directory, 'stdout'), 'utf8').trimEnd().split('\n');
    expect(targets).toEqual(names.map((name) => fs.realpathSync(join(directory, name))));
  });

  test('that are not given are our own', async () => {
    const script = 'for n in 0 2; do readlink /proc/$$/fd/$n; done';
    const { output } = await run(temporaryDirectory(), { program: 'sh', args: ['-c', script] });
    const ours = [0, 2].map((number) => fs.readlinkSync(`/proc/self/fd/${number}`));
    expect(output.trimEnd().split('\n')).toEqual(ours);
  });

  test('of ours do not leak', async () => {
    const directory = temporaryDirectory();
    await open(join(directory, 'created'), 'create');
    await open(join(directory, 'created'), 'read');
    await open(join(directory, 'created'), 'read-job');
    await open(join(directory, 'truncated'), 'truncate');
    await open(join(directory, 'lock'), 'lock');
    await open(join(directory, 'lock'), 'lock-present');
    await open(directory, 'directory');
    const ends = await pipe();
    const { output } = await run(directory, { program: 'ls', args: ['-l', '/proc/self/fd'] });
    const targets = [...output.matchAll(/ -> (.*)$/gm)].map((match) => match[1] ?? '');
    const inDirectory = targets.filter((target) => target.startsWith(fs.realpathSync(directory)));
    expect(inDirectory.map((target) => target.split('/').pop())).toEqual(['output']);
    const { inode } = await files.fstat(ends.readEnd);
    expect(targets).not.toContain(`pipe:[${inode}]`);
    expect(targets.filter((target) => /eventpoll|eventfd/.test(target))).toEqual([]);
  });
});

describe('signals', () => {
  test('are neither blocked nor ignored in the command, but those ignored already when we were started', async () => {
    const { output } = await run(temporaryDirectory(), { program: 'cat', args: ['/proc/self/status'] });
    const mask = (name: string) =>
      BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(output)?.[1] ?? ''}`);
    expect(mask('SigBlk')).toBe(0n);
    // 32 and 33 are the C library's own.
    expect(mask('SigIgn') & ~(3n << 31n)).toBe(0n);
  });
});
