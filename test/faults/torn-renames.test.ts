/**
 * A power cut in the middle of a rename between two directories: what file systems make of it, and that a job that was being
 * claimed then still runs once.
 */

import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pauseMs } from './support/chance.ts';
import { OURS, run, runWell, start } from './support/commands.ts';
import { DISK_TOOLS, type Disk, openVault, type Vault } from './support/disks.ts';
import { type FileSystem, lacking } from './support/needs.ts';

const INTRAY = join(dirname(OURS.path), 'intray');
const FILE_SYSTEMS: readonly FileSystem[] = ['ext4', 'xfs', 'btrfs'];
const PATIENCE_MS = 20_000;
const reason = lacking({ tools: [...DISK_TOOLS, 'sync'], mounts: true });

describe.skipIf(reason !== undefined)(`torn renames${reason === undefined ? '' : ` (${reason})`}`, () => {
  let vault: Vault;

  beforeAll(() => {
    vault = openVault();
  });

  afterAll(() => vault.remove());

  /** What lies in the two directories after a rename from one to the other, fsync of one, and a cut. */
  async function leftAfter(disk: Disk, synced: 'from' | 'to'): Promise<string[]> {
    const at = join(disk.mountPoint, `renamed-${synced}`);
    for (const directory of [at, `${at}/from`, `${at}/to`]) mkdirSync(directory);
    writeFileSync(`${at}/from/x`, 'content');
    disk.sync();
    renameSync(`${at}/from/x`, `${at}/to/x`);
    runWell('sync', [`${at}/${synced}`]);
    disk.cutPower();
    await disk.restart();
    return ['from', 'to'].flatMap((name) => readdirSync(`${at}/${name}`).map((file) => `${name}/${file}`));
  }

  const jobFiles = (queue: string) => {
    const rooms = readdirSync(`${queue}/work`).map((worker) => `work/${worker}`);
    return ['jobs', ...rooms].flatMap((room) =>
      readdirSync(`${queue}/${room}`).filter((name) => name.endsWith('.fspl')),
    );
  };

  it.each(FILE_SYSTEMS)('%s', { timeout: 120_000 }, async (fileSystem) => {
    const disk = vault.disk(fileSystem);
    const isTorn = fileSystem === 'btrfs';
    expect(await leftAfter(disk, 'to')).toEqual(isTorn ? ['from/x', 'to/x'] : ['to/x']);
    expect(await leftAfter(disk, 'from')).toEqual(['to/x']);

    const queue = join(disk.mountPoint, 'queue');
    const notes = join(vault.notes, fileSystem);
    writeFileSync(notes, '');
    runWell(INTRAY, ['init', queue]);
    runWell(INTRAY, ['add', queue], 'a job');
    disk.sync();
    const options = ['work', queue, '--lease', '1s', '--', 'sh', '-c'];
    // As the end of another job of this worker does, for one.
    const synced = 'sync "$(dirname "$FSPL_JOB_FULLPATH")"; echo began >> "$0"; sleep 60';
    const working = start(INTRAY, [...options, synced, notes]);
    const deadline = performance.now() + PATIENCE_MS;
    while (readFileSync(notes, 'utf8') === '' && performance.now() < deadline) await pauseMs(5);
    disk.cutPower();
    working.kill();
    await working.ended;
    await disk.restart();
    expect(jobFiles(queue)).toHaveLength(isTorn ? 2 : 1);

    while (jobFiles(queue).length > 0 && performance.now() < deadline) {
      run(INTRAY, [...options, 'echo ran >> "$0"', notes]);
      await pauseMs(50);
    }
    expect(readFileSync(notes, 'utf8')).toBe('began\nran\n');
    expect(jobFiles(queue)).toEqual([]);
    await disk.remove();
  });
});
