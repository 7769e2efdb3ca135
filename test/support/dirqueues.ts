/** Queue directories of IPC::DirQueue for tests. */

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeBytes } from '../../src/os/bytes.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { readExactly } from '../../src/os/transfer.ts';
import type { Claim } from '../../src/queue/contract.ts';

const FIXTURES = fileURLToPath(new URL('../fixtures/dirqueue/', import.meta.url));
export const ORIGINAL = fileURLToPath(new URL('original-dirqueue.pl', import.meta.url));

/** A queue that the real module made. */
export function fixture(name: 'basic' | 'fanout', target: string): string {
  cpSync(join(FIXTURES, name), target, { recursive: true });
  for (const room of ['active', 'tmp']) mkdirSync(join(target, room), { recursive: true });
  return target;
}

/** All files below a directory, by their paths in it. */
export function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}

export function textOf({ payload }: Pick<Claim, 'payload'>): Promise<string> {
  return readExactly(realMachine.files, payload, 1_000_000).then(decodeBytes);
}

export const hasPerl = existsSync('/usr/bin/perl');

export function original(...args: string[]): string {
  const { status, signal, stdout, stderr } = spawnSync('perl', [ORIGINAL, ...args], { encoding: 'utf8' });
  if (status !== 0 && signal !== 'SIGKILL') throw new Error(`original ${args[0]}: ${stderr}`);
  return stdout;
}
