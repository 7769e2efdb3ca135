/**
 * Making many files last at the price of few. fsync of each, even when a pool of threads does it, is one flush of the
 * disk for each few; `sync -f`, which is syncfs(2), is one for all: 200 files take 30 ms in place of 330.
 *
 * It is a program of its own because the call may take long, on a disk on which others write much, and this process has
 * other things to do meanwhile. Since Linux 5.8 it tells of failed writes as fsync does; on older ones, and where there
 * is no such program, each file is synced by itself. So it is on FUSE, where syncfs is not passed on: see fuse.ts.
 */

import fs from 'node:fs';
import os from 'node:os';
import type { Descriptor } from '../ports.ts';
import { isDirectory, isOpenOnFuse, scratchBeside } from './fuse.ts';
import { realProcesses } from './processes.ts';

/** From how many files on it is worth the start of a program. */
const MANY = 8;

const TELLS_OF_ERRORS = [5, 8] as const;

export async function syncTogether(descriptors: readonly Descriptor[]): Promise<void> {
  const [first] = descriptors;
  const isWorthIt = first !== undefined && descriptors.length >= MANY && !isOpenOnFuse(first);
  if (isWorthIt && (await syncFileSystem(first))) return;
  const results = await Promise.allSettled(descriptors.map(syncAside));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

export function syncNow(descriptor: Descriptor): void {
  fs.fsyncSync(descriptor);
  if (!needsMore(descriptor)) return;
  const scratch = scratchBeside(descriptor);
  if (scratch === undefined) return;
  try {
    fs.fsyncSync(scratch);
  } finally {
    fs.closeSync(scratch);
  }
}

async function syncAside(descriptor: Descriptor): Promise<void> {
  await inThread(descriptor);
  if (!needsMore(descriptor)) return;
  const scratch = scratchBeside(descriptor);
  if (scratch === undefined) return;
  try {
    await inThread(scratch);
  } finally {
    fs.closeSync(scratch);
  }
}

function needsMore(descriptor: number): boolean {
  return isDirectory(descriptor) && isOpenOnFuse(descriptor);
}

function inThread(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.fsync(descriptor, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** False when it did not succeed, for whatever reason: then fsync says which. */
async function syncFileSystem(descriptor: Descriptor): Promise<boolean> {
  if (!kernelTellsOfErrors()) return false;
  try {
    const child = await realProcesses.spawn({
      program: 'sync',
      args: ['-f', `/proc/${process.pid}/fd/${descriptor}`],
      env: new Map(Object.entries({ PATH: '/usr/bin:/bin' })),
    });
    const exit = await child.exit;
    return exit.kind === 'exited' && exit.code === 0;
  } catch {
    return false; // no such program
  }
}

function kernelTellsOfErrors(): boolean {
  const [major = 0, minor = 0] = os.release().split('.').map(Number);
  const [sinceMajor, sinceMinor] = TELLS_OF_ERRORS;
  return os.type() === 'Linux' && (major > sinceMajor || (major === sinceMajor && minor >= sinceMinor));
}
