import { appendFileSync, existsSync, linkSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Machine } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { prepareUnit, recoverPrepared } from '../../src/uow/prepare.ts';
import { seeUnit } from '../../src/uow/unit-files.ts';
import { machineWithFiles } from '../support/machines.ts';
import { makeRoot, type TestRoot, unitText } from '../support/roots.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const STAMP = { seconds: 1_795_224_618, ordinal: 3 };
const TEXT = unitText({ JOB: 'x' });

async function prepare(root: TestRoot, name: string, machine: Machine = realMachine) {
  const { 'wait-q': directory, trash } = root.root.places;
  const seen = await seeUnit(realMachine, join(directory, name));
  if (seen.kind !== 'unit') throw new Error(seen.kind);
  return prepareUnit(machine, { directory, trash }, name, seen, STAMP);
}

const waitingIn = ({ root }: TestRoot) => ({
  directory: root.places['wait-q'],
  trash: root.places.trash,
});

/** Does something before the call of that name and path. */
function interrupted(call: 'rename' | 'unlink' | 'fsync', suffix: string, action: () => void): Machine {
  const { files } = realMachine;
  return machineWithFiles({
    ...files,
    [call]: (first: string, second: string) => {
      if (String(first).endsWith(suffix)) action();
      return call === 'rename' ? files.rename(first, second) : files.unlink(first);
    },
  });
}

describe('getting a unit ready', () => {
  it('adds what is missing, and keeps mode and log', async () => {
    const root = await makeRoot(temporary.path('root'));
    const log = 'x'.repeat(100_000);
    root.put('wait-q', 'a', `${TEXT}==== STATUS\nfail: killed\n==== JOB LOG\n${log}`);
    expect(await prepare(root, 'a')).toBe('prepared');
    const text = root.read('wait-q', 'a');
    expect(text).toMatch(/^timestamp: 1795224618-3 enqueued\n\n==== UNIT OF WORK\nJOB :: x\n/);
    expect(text).toMatch(/==== STATUS\nagain; before: fail: killed {10,}\n/);
    expect(text.endsWith(`==== JOB LOG\n${log}`)).toBe(true);
    expect(root.names('wait-q')).toEqual(['a']);
  });

  it('does not write to a second name of the file', async () => {
    const root = await makeRoot(temporary.path('root'));
    writeFileSync(temporary.path('template'), TEXT);
    linkSync(temporary.path('template'), join(root.path, 'wait-q/a'));
    await prepare(root, 'a');
    expect(statSync(temporary.path('template')).size).toBe(TEXT.length);
  });

  it('leaves alone what has gone, or is another file by now', async () => {
    const root = await makeRoot(temporary.path('root'));
    root.put('wait-q', 'a', TEXT);
    const { directory, trash } = waitingIn(root);
    const seen = await seeUnit(realMachine, join(directory, 'a'));
    if (seen.kind !== 'unit') throw new Error(seen.kind);
    root.put('wait-q', 'a', `${TEXT}MORE :: y\n`);
    expect(await prepareUnit(realMachine, { directory, trash }, 'a', seen, STAMP)).toBe('changed');
    expect(root.read('wait-q', 'a')).toBe(`${TEXT}MORE :: y\n`);
    renameSync(join(directory, 'a'), join(root.path, 'archive/a'));
    expect(await prepareUnit(realMachine, { directory, trash }, 'a', seen, STAMP)).toBe('changed');
    expect(root.names('wait-q')).toEqual([]);
  });

  it('keeps what a program writes to it that had it open', async () => {
    const root = await makeRoot(temporary.path('root'));
    root.put('wait-q', 'a', TEXT);
    const late = () => appendFileSync(join(root.path, 'wait-q/.a.taken'), 'LATE :: 1\n');
    const { files } = realMachine;
    const machine = machineWithFiles({
      ...files,
      fsync: (descriptor) => {
        if (existsSync(join(root.path, 'wait-q/.a.taken'))) late();
        return files.fsync(descriptor);
      },
    });
    expect(await prepare(root, 'a', machine)).toBe('changed');
    expect(root.read('wait-q', 'a')).toContain('LATE :: 1\n');
    expect(root.names('wait-q')).toEqual(['a']);
  });

  it('keeps a newer one that was saved meanwhile, and the older one in the trash', async () => {
    const root = await makeRoot(temporary.path('root'));
    root.put('wait-q', 'a', TEXT);
    const machine = interrupted('unlink', '.a.taken', () => root.put('wait-q', 'a', 'newer'));
    expect(await prepare(root, 'a', machine)).toBe('superseded');
    expect(root.read('wait-q', 'a')).toBe('newer');
    expect(root.read('trash', 'a')).toContain('JOB :: x');
    expect(root.names('wait-q')).toEqual(['a']);
  });

  it('puts the file back when the disk is full', async () => {
    const root = await makeRoot(temporary.path('root'));
    root.put('wait-q', 'a', TEXT);
    const full = Object.assign(new Error('full'), { code: 'ENOSPC', syscall: 'write' });
    const machine = machineWithFiles({
      ...realMachine.files,
      write: () => {
        throw full;
      },
    });
    await expect(prepare(root, 'a', machine)).rejects.toBe(full);
    expect(root.read('wait-q', 'a')).toBe(TEXT);
    expect(root.names('wait-q')).toEqual(['a']);
  });
});

describe('what a broken-off preparation has left', () => {
  it.each([
    ['the old file', { '.a.taken': TEXT }, { a: TEXT }, {}],
    ['the old file and half a new one', { '.a.taken': TEXT, '.a.made': 'ha' }, { a: TEXT }, {}],
    ['the new file', { '.a.made': TEXT }, { a: TEXT }, {}],
    ['a newer one beside the old', { '.a.taken': TEXT, a: 'newer' }, { a: 'newer' }, { a: TEXT }],
    ['a newer one beside the new', { '.a.made': TEXT, a: 'newer' }, { a: 'newer' }, { a: TEXT }],
  ])('%s', async (_, left, expected, trash) => {
    const root = await makeRoot(temporary.path('root'));
    for (const [name, text] of Object.entries(left)) root.put('wait-q', name, text);
    expect(await recoverPrepared(realMachine, waitingIn(root))).toEqual(['a']);
    const all = (place: string) =>
      Object.fromEntries(root.names(place).map((name) => [name, root.read(place, name)]));
    expect(all('wait-q')).toEqual(expected);
    expect(all('trash')).toEqual(trash);
  });

  it('the old file under both names, for its recovery was broken off too', async () => {
    const root = await makeRoot(temporary.path('root'));
    root.put('wait-q', 'a', TEXT);
    linkSync(join(root.path, 'wait-q/a'), join(root.path, 'wait-q/.a.taken'));
    await recoverPrepared(realMachine, waitingIn(root));
    expect(root.names('wait-q')).toEqual(['a']);
    expect(root.names('trash')).toEqual([]);
  });

  it('the new file under both names', async () => {
    const root = await makeRoot(temporary.path('root'));
    root.put('wait-q', 'a', TEXT);
    linkSync(join(root.path, 'wait-q/a'), join(root.path, 'wait-q/.a.made'));
    await recoverPrepared(realMachine, waitingIn(root));
    expect(root.names('wait-q')).toEqual(['a']);
    expect(root.names('trash')).toEqual([]);
  });
});
