/** Power cuts in queues of fsq, just after a command has returned: what it promised is there when the power is back. */

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFsq } from '../../src/fsq/fsq.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { chance, pauseMs } from './support/chance.ts';
import { runWell, start } from './support/commands.ts';
import { DISK_TOOLS, type Disk, openVault, type Vault } from './support/disks.ts';
import { type FileSystem, LONGER, lacking } from './support/needs.ts';

const FSQ = fileURLToPath(new URL('../../dist/bin/fsq', import.meta.url));
const FILE_SYSTEMS: readonly FileSystem[] = ['ext4', 'xfs', 'btrfs'];
const ROUNDS = 3 * LONGER;
const ITEMS = 20;

const reason = lacking({ tools: DISK_TOOLS, mounts: true });

describe.skipIf(reason !== undefined)(`power cuts${reason === undefined ? '' : ` (${reason})`}`, () => {
  const random = chance();
  let vault: Vault;

  beforeAll(() => {
    vault = openVault();
  });

  afterAll(() => vault.remove());

  const fsq = (disk: Disk, ...words: string[]) => runWell(FSQ, ['-r', disk.mountPoint, ...words], 'content');
  const argumentsIn = (disk: Disk, queue: string, room: string) =>
    readdirSync(`${disk.mountPoint}/${queue}/${room}`).map((name) => name.slice(name.lastIndexOf('_') + 1));
  const numbers = (count: number) => Array.from({ length: count }, (_, n) => String(n));

  it.each(FILE_SYSTEMS)('%s', { timeout: 120_000 * LONGER }, async (fileSystem) => {
    const disk = vault.disk(fileSystem);
    for (let round = 0; round < ROUNDS; round++) {
      const added = await cutAfterEnqueue(disk, `added-${round}`);
      expect(argumentsIn(disk, `added-${round}`, 'queue').sort(), `seed ${random.seed}`).toEqual(added);
      for (const name of readdirSync(`${disk.mountPoint}/added-${round}/queue`)) {
        expect(readFileSync(`${disk.mountPoint}/added-${round}/queue/${name}`, 'utf8')).toBe('content');
      }
      await cutAfterScan(disk, `scanned-${round}`);
      expect(argumentsIn(disk, `scanned-${round}`, 'queue'), `seed ${random.seed}`).toEqual([]);
      expect(argumentsIn(disk, `scanned-${round}`, 'done')).toHaveLength(ITEMS);
      await cutDuringScan(disk, `running-${round}`);
      const left = argumentsIn(disk, `running-${round}`, 'queue');
      const all = [...left, ...argumentsIn(disk, `running-${round}`, 'done')];
      // btrfs may have an item in both, when the power goes between the syncs of the two directories: it runs again.
      const places = fileSystem === 'btrfs' ? [...new Set(all)] : all;
      expect(places.toSorted(), `seed ${random.seed}`).toEqual(numbers(ITEMS).toSorted());
      fsq(disk, 'scan', `running-${round}`, 'true');
      expect(argumentsIn(disk, `running-${round}`, 'done')).toHaveLength(ITEMS);
    }
    await disk.remove();
  });

  /** Returns what was accepted. */
  async function cutAfterEnqueue(disk: Disk, queue: string): Promise<string[]> {
    fsq(disk, 'install', queue);
    disk.sync();
    const added = numbers(random.between(1, 3));
    for (const number of added) fsq(disk, 'enqueue', queue, number);
    disk.cutPower();
    await disk.restart();
    return added;
  }

  async function cutAfterScan(disk: Disk, queue: string): Promise<void> {
    await fill(disk, queue);
    fsq(disk, 'scan', queue, 'true');
    disk.cutPower();
    await disk.restart();
  }

  async function cutDuringScan(disk: Disk, queue: string): Promise<void> {
    await fill(disk, queue);
    const scanning = start(FSQ, ['-r', disk.mountPoint, 'scan', queue, 'true']);
    await pauseMs(random.between(10, 60));
    disk.cutPower();
    scanning.kill();
    await scanning.ended;
    await disk.restart();
  }

  async function fill(disk: Disk, name: string): Promise<void> {
    const queue = await createFsq(realMachine, `${disk.mountPoint}/${name}`);
    await queue.addAll(numbers(ITEMS).map((number) => ({ params: [number] })));
    disk.sync();
  }
});
