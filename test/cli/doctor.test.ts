/** `intray doctor` as people run it: on a disk, in memory, and interrupted. */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually, exitOf, INTRAY_VARIANTS } from '../support/fspl.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const made: string[] = [];

afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
});

function newDirectory(parent: string): string {
  const path = mkdtempSync(join(parent, 'doctor-test-'));
  made.push(path);
  return path;
}

function fileSystemOf(path: string): string {
  return existsSync(path)
    ? spawnSync('stat', ['-f', '-c', '%T', path], { encoding: 'utf8' }).stdout.trim()
    : 'missing';
}

// Where this project is built is a disk, or else said to be none.
const DISK = join(root, 'dist');
const onTestedDisk = ['ext2/ext3', 'xfs', 'btrfs'].includes(fileSystemOf(DISK));
const MEMORY = '/dev/shm';
const inMemory = fileSystemOf(MEMORY) === 'tmpfs';

/** A directory for PATH with a `flock` in it that says when it has begun, and waits until it may go on. */
function slowFlock(): string {
  const path = newDirectory(tmpdir());
  const script = `#!/bin/sh\n: > ${path}/begun\nuntil [ -e ${path}/go-on ] || [ ! -d ${path} ]; do sleep 0.01; done\nexit 1\n`;
  writeFileSync(join(path, 'flock'), script, { mode: 0o755 });
  return path;
}

describe.each(INTRAY_VARIANTS)('intray doctor as %s', (_, program, first) => {
  const doctor = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(program, [...first, 'doctor', ...args], {
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };

  it.skipIf(!onTestedDisk)('says that everything holds on a disk (needs ext4, xfs or btrfs)', () => {
    const directory = newDirectory(DISK);
    const { status, stdout, stderr } = doctor(directory);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^(ext4|xfs|btrfs), mounted at \//m);
    for (const name of ['G1', 'G2', 'G3', 'G4', 'G5', 'G6', 'G7'])
      expect(stdout).toContain(`  yes  ${name}  `);
    expect(stdout).not.toContain('NO ');
    expect(status).toBe(0);
    expect(readdirSync(directory)).toEqual([]);
  });

  it.skipIf(!inMemory)('says that nothing in memory survives a power cut (needs /dev/shm)', () => {
    const directory = newDirectory(MEMORY);
    const { status, stdout, stderr } = doctor('--json', directory);
    expect(stderr).toBe('');
    const found = JSON.parse(stdout);
    expect(found).toMatchObject({
      directory,
      ending: 'unsafe',
      network: false,
      hindrance: null,
      queue: null,
    });
    expect(found.mount.type).toBe('tmpfs');
    const failing = found.promises.filter(({ verdict }: { verdict: string }) => verdict !== 'holds');
    expect(failing).toEqual([
      expect.objectContaining({ promise: 'G1', verdict: 'fails', because: ['keeps'] }),
    ]);
    expect(status).toBe(8);
    expect(readdirSync(directory)).toEqual([]);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'cleans up after itself on %s, and dies of it',
    async (signal) => {
      const directory = newDirectory(DISK);
      const slow = slowFlock();
      const child = spawn(program, [...first, 'doctor', directory], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, PATH: `${slow}:${process.env.PATH}` },
      });
      await eventually(() => existsSync(join(slow, 'begun')), 'the doctor at its locks');
      expect(readdirSync(directory)).toEqual([expect.stringMatching(/^\.intray-doctor-/)]);
      child.kill(signal);
      writeFileSync(join(slow, 'go-on'), '');
      expect(await exitOf(child)).toEqual({ code: null, signal });
      expect(readdirSync(directory)).toEqual([]);
    },
  );
});
