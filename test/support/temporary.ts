/**
 * What a test file starts, it ends. `useTemporary` gives each test a directory of its own and, after the last
 * test of the file, looks for what is left: processes, descriptors, directories.
 */

import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { realMachine } from '../../src/os/real/index.ts';

/** In the environment of all that the tests of one file start, so that even a lost grandchild can be found. */
const MARK_NAME = 'INTRAY_TEST_MARK';

/** How long a closing descriptor or a dying process may take before it counts as leaked. */
const LEAK_DEADLINE_MS = 20_000;
const POLL_MS = 10;

export type Temporary = {
  /** The test's own directory, or a path in it. */
  path(...names: string[]): string;
};

/** To be called once, at the top of a test file. */
export function useTemporary(): Temporary {
  const mark = `intray-${randomUUID()}`;
  const made: string[] = [];
  let directory = '';
  let descriptors: readonly string[] = [];

  beforeAll(async () => {
    process.env[MARK_NAME] = mark;
    await warmUp();
    descriptors = openDescriptors();
  });

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'intray-test-'));
    made.push(directory);
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  afterAll(async () => {
    try {
      await eventually(() => {
        expect(processesWith(mark).map(commandLineOf), 'processes left').toEqual([]);
        expect(ownZombies(), 'processes nobody waited for').toEqual([]);
        expect(openDescriptors(), 'descriptors left open').toEqual(descriptors);
      }, LEAK_DEADLINE_MS);
    } finally {
      for (const pid of processesWith(mark)) process.kill(pid, 'SIGKILL');
    }
    const left = readdirSync(tmpdir());
    expect(made.filter((path) => left.includes(path.slice(tmpdir().length + 1)))).toEqual([]);
  });

  return { path: (...names) => join(directory, ...names) };
}

/** Calls `check` until it throws no more, or throws what it threw last when the time is over. */
export async function eventually<T>(check: () => T | Promise<T>, deadlineMs = 60_000): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() >= deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Whether a process with this number is there and not only waiting to be reaped. */
export function isRunning(pid: number): boolean {
  const state = stateOf(pid);
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** Descriptors of this process as what they are open on, so that a failing test names what leaked. */
export function openDescriptors(): string[] {
  const found: string[] = [];
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      found.push(`${name} ${readlinkSync(`/proc/self/fd/${name}`)}`);
    } catch {
      // The one that listed the directory, closed by now.
    }
  }
  return found.sort();
}

/** What the first use of a thread, a child or the C library opens stays open: it is no leak. */
async function warmUp(): Promise<void> {
  const { files, locks, processes, watches } = realMachine;
  const note = await processes.scratch();
  await files.fsyncAside(note);
  await locks.tryLock(note, 'exclusive');
  await files.close(note);
  const unwatch = await watches.watch(tmpdir(), { onChange: () => {}, onLost: () => {} });
  unwatch();
  const child = await processes.spawn({ program: '/bin/true', args: [], env: new Map() });
  await child.exit;
}

function processesWith(mark: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid && isMarked(pid, mark) && isRunning(pid));
}

function isMarked(pid: number, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(mark);
  } catch {
    return false; // it has just ended, or is not ours to look at
  }
}

function commandLineOf(pid: number): string {
  try {
    return `${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ')}`;
  } catch {
    return `${pid}`;
  }
}

function ownZombies(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && parentOf(pid) === process.pid && stateOf(pid) === 'Z');
}

function stateOf(pid: number): string | undefined {
  return statFields(pid)?.[0];
}

function parentOf(pid: number): number | undefined {
  const parent = statFields(pid)?.[1];
  return parent === undefined ? undefined : Number(parent);
}

/** The fields after the command's name, which may hold anything. */
function statFields(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
