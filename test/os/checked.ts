/** What each file of tests on the real machine begins with: its own directory, and a look at what it left. */

import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { type Descriptor, hasErrno, type OpenMode } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { childPids, openDescriptors, shell } from './machine.ts';

/** Fails the file of tests when it leaves a child or an open descriptor behind. */
export function checkLeaks(): void {
  let before: string[];
  beforeAll(async () => {
    await shell('exit 0'); // what is opened once and for all is open now
    before = openDescriptors();
  });
  afterAll(() => {
    expect(childPids()).toEqual([]);
    expect(openDescriptors()).toEqual(before);
  });
}

/** A new directory, gone when the test ends. */
export function temporaryDirectory(): string {
  const path = fs.mkdtempSync(join(tmpdir(), 'intray-os-'));
  onTestFinished(() => fs.rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Opens a file until the test ends. */
export async function open(path: string, mode: OpenMode): Promise<Descriptor> {
  return closedLater(await realMachine.files.open(path, mode));
}

/** A pipe until the test ends; the test may close either end before. */
export async function pipe(): Promise<{ readEnd: Descriptor; writeEnd: Descriptor }> {
  const { readEnd, writeEnd } = await realMachine.processes.pipe();
  return { readEnd: closedLater(readEnd), writeEnd: closedLater(writeEnd) };
}

const closedEarly = new Set<Descriptor>();

export function closeNow(descriptor: Descriptor): void {
  fs.closeSync(descriptor);
  closedEarly.add(descriptor);
}

/** Closes a descriptor when the test ends, unless the test did. */
export function closedLater(descriptor: Descriptor): Descriptor {
  closedEarly.delete(descriptor);
  onTestFinished(() => {
    if (closedEarly.delete(descriptor)) return;
    try {
      fs.closeSync(descriptor);
    } catch (error) {
      if (!hasErrno(error, 'EBADF')) throw error;
    }
  });
  return descriptor;
}
