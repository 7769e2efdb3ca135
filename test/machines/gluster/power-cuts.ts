/**
 * The disks of all three bricks are cloned in the moment after a command has returned, as if the power of the whole room
 * had been cut. What the disks have is looked at as it lies there, brick by brick; in long runs the volume starts from it.
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Disk } from '../../faults/support/disks.ts';
import { LONGER } from '../../faults/support/needs.ts';
import { eventually } from '../../support/temporary.ts';
import { BIN, type Ground, names } from './ground.ts';

/** So many together are synced in another way than few. */
const TOGETHER = 20;

export function powerCutsOfBricks(ground: Ground): void {
  const layouts = ['filespooler', 'dirqueue', 'fsq'] as const;
  const paths = () => layouts.map((layout) => ({ layout, path: `${ground.queue}-${layout}` }));
  const ids = () => ['alone', ...names(TOGETHER)];

  function makeQueues(): void {
    const [filespooler, dirqueue, fsq] = paths().map(({ path }) => path) as [string, string, string];
    ground.intray('c1', ['init', filespooler]);
    writeFileSync(`${ground.directory}/first`, 'first\n');
    ground.well('c1', [`${BIN}/dq-submit`, '--dir', dirqueue, `${ground.directory}/first`]);
    ground.well('c1', [`${BIN}/fsq`, '-r', ground.cluster.mount, 'install', nameOf(fsq)]);
  }

  function addAll(): void {
    for (const { path } of paths()) {
      ground.intray('c2', ['add', path], 'alone\n');
      ground.intray('c2', ['add', path, '--each-line'], `${names(TOGETHER).join('\n')}\n`);
    }
  }

  /** In the moment in which the last command has returned. */
  function cutPowerOfAll(): void {
    for (const disk of ground.disks) disk.cutPower();
  }

  /** What was added to a queue is on the disk of a brick, names and all. */
  async function expectWhole(disk: Disk): Promise<void> {
    await disk.lookAtCut((mountPoint) => {
      for (const { layout, path } of paths()) {
        const text = allText(`${mountPoint}/brick/${nameOf(path)}`);
        expect({ layout, lost: ids().filter((id) => !text.includes(`${id}\n`)) }).toEqual({
          layout,
          lost: [],
        });
      }
    });
  }

  it('has on each brick what was accepted', async () => {
    makeQueues();
    for (const disk of ground.disks) disk.sync();
    addAll();
    cutPowerOfAll();
    for (const disk of ground.disks) await expectWhole(disk);
  });

  it('does not run again what was over', async () => {
    makeQueues();
    addAll();
    for (const disk of ground.disks) disk.sync();
    for (const { path } of paths()) {
      ground.well('c1', [`${BIN}/intray`, 'work', path, '-j', '4', '--output', 'inherit', '--', 'true']);
    }
    cutPowerOfAll();
    for (const disk of ground.disks) {
      const left = await disk.lookAtCut((mountPoint) =>
        paths().flatMap(({ path }) =>
          ['jobs', 'queue'].flatMap((room) => namesIn(`${mountPoint}/brick/${nameOf(path)}/${room}`)),
        ),
      );
      expect(left).toEqual([]);
    }
  });

  it.skipIf(LONGER === 1)('has all of it when the machines are back', async () => {
    makeQueues();
    for (const disk of ground.disks) disk.sync();
    addAll();
    cutPowerOfAll();
    await ground.powerIsBack();
    for (const { layout, path } of paths()) {
      const ran = await eventually(() =>
        ground.well('c1', [`${BIN}/intray`, 'work', path, '-j', '1', '--output', 'inherit', '--', 'cat']),
      );
      const lost = ids().filter((id) => !ran.split('\n').includes(id));
      expect({ layout, lost }).toEqual({ layout, lost: [] });
    }
  });
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // not of this layout
  }
}

/** The contents of all files below a directory. */
function allText(directory: string): string {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(`${entry.parentPath}/${entry.name}`, 'latin1'))
    .join('\n');
}
