import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { encodeBytes } from '../../src/os/bytes.ts';
import type { Descriptor } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { copyAll, readExactly, readSmallFile } from '../../src/os/transfer.ts';
import { checkLeaks, closedLater, closeNow, open, pipe, temporaryDirectory } from './checked.ts';
import { openFifo, start } from './machine.ts';

checkLeaks();

const { files } = realMachine;
const MANY_BYTES = 12 * 1024 * 1024 + 345;

/** Bytes in which no two places look alike. */
function manyBytes(): Uint8Array {
  const numbers = new Uint32Array(Math.ceil(MANY_BYTES / 4));
  for (let at = 0; at < numbers.length; at++) numbers[at] = Math.imul(at, 2654435761);
  return new Uint8Array(numbers.buffer, 0, MANY_BYTES);
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('through pipes, with other programs at both ends', () => {
  test('copyAll moves 12 MB unchanged', async () => {
    const directory = temporaryDirectory();
    fs.writeFileSync(join(directory, 'source'), manyBytes());
    const input = await pipe();
    const output = await pipe();
    const stdin = await open(join(directory, 'source'), 'read');
    const stdout = await open(join(directory, 'target'), 'create');
    const reader = await start({ program: 'cat', args: [], stdin, stdout: input.writeEnd });
    const writer = await start({ program: 'cat', args: [], stdin: output.readEnd, stdout });
    closeNow(input.writeEnd);
    closeNow(output.readEnd);
    expect(await copyAll(files, input.readEnd, output.writeEnd)).toBe(MANY_BYTES);
    closeNow(output.writeEnd);
    await Promise.all([reader.exit, writer.exit]);
    expect(digest(fs.readFileSync(join(directory, 'target')))).toBe(digest(manyBytes()));
  });

  test('readExactly gets all of 12 MB, then what is left, then nothing', async () => {
    const directory = temporaryDirectory();
    fs.writeFileSync(join(directory, 'source'), manyBytes());
    const stdin = await open(join(directory, 'source'), 'read');
    const { readEnd, writeEnd } = await pipe();
    const child = await start({ program: 'cat', args: [], stdin, stdout: writeEnd });
    closeNow(writeEnd);
    const most = await readExactly(files, readEnd, MANY_BYTES - 5);
    expect(digest(most)).toBe(digest(manyBytes().subarray(0, MANY_BYTES - 5)));
    expect(await readExactly(files, readEnd, 100)).toEqual(manyBytes().subarray(MANY_BYTES - 5));
    expect(await readExactly(files, readEnd, 100)).toEqual(new Uint8Array());
    await child.exit;
  });
});

describe('a descriptor that was set non-blocking', () => {
  test('is waited for when there is nothing to read yet', async () => {
    const path = join(temporaryDirectory(), 'fifo');
    execFileSync('mkfifo', [path]);
    const source = closedLater(await openFifo(path));
    const writer = await open(path, 'truncate');
    const pauses = onPause((count) => {
      if (count === 3) fs.writeSync(writer, 'late');
    });
    expect(await readExactly(files, source, 4)).toEqual(encodeBytes('late'));
    expect(pauses()).toBe(3);
  });

  test('is waited for when there is no room to write', async () => {
    const { readEnd, writeEnd } = await pipe();
    const target = fs.openSync(`/proc/self/fd/${writeEnd}`, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
    onTestFinished(() => fs.closeSync(target));
    const bytes = manyBytes().subarray(0, 1_000_000);
    const drained: Uint8Array[] = [];
    const drain = (length: number) => {
      const buffer = new Uint8Array(length);
      drained.push(buffer.subarray(0, fs.readSync(readEnd, buffer)));
    };
    const pauses = onPause(() => drain(50_000));
    await files.write(target as Descriptor, bytes);
    expect(pauses()).toBeGreaterThan(0);
    closeNow(writeEnd);
    drain(bytes.length);
    expect(digest(Buffer.concat(drained))).toBe(digest(bytes));
  });
});

describe('readSmallFile', () => {
  test('reads a file up to its limit, and no longer one', async () => {
    const path = join(temporaryDirectory(), 'file');
    fs.writeFileSync(path, '12345');
    expect(await readSmallFile(files, path, 5)).toEqual(encodeBytes('12345'));
    await expect(readSmallFile(files, path, 4)).rejects.toThrow(RangeError);
    fs.writeFileSync(path, '');
    expect(await readSmallFile(files, path, 0)).toEqual(new Uint8Array());
    await expect(readSmallFile(files, `${path}.missing`, 5)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

/** Does something instead of each pause between two attempts, so that no test has to wait. */
function onPause(act: (count: number) => void): () => number {
  let count = 0;
  const wait = vi.spyOn(Atomics, 'wait').mockImplementation(() => {
    count += 1;
    act(count);
    return 'timed-out';
  });
  onTestFinished(() => wait.mockRestore());
  return () => count;
}
