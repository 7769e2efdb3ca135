import { linkSync, mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeBytes } from '../../src/os/bytes.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { moveFile } from '../../src/uow/move.ts';
import { prepareUnit } from '../../src/uow/prepare.ts';
import { recover } from '../../src/uow/recover.ts';
import { beginUnit, claimUnit, type Running, settleUnit } from '../../src/uow/run.ts';
import { seeUnit } from '../../src/uow/unit-files.ts';
import { makeRoot, type TestRoot, unitText } from '../support/roots.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();

/** A unit in currently-executing, up to there. */
async function claimed(root: TestRoot, name: string): Promise<void> {
  const { 'wait-q': directory, trash } = root.root.places;
  root.put('wait-q', name, unitText({ JOB: 'x' }));
  const seen = await seeUnit(realMachine, join(directory, name));
  if (seen.kind !== 'unit') throw new Error(seen.kind);
  await prepareUnit(realMachine, { directory, trash }, name, seen, { seconds: 5, ordinal: 0 });
  expect(await claimUnit(realMachine, root.root, { directory, name })).toBe(name);
}

async function begun(root: TestRoot, name: string): Promise<Running> {
  await claimed(root, name);
  const running = await beginUnit(realMachine, root.root, name, 'x');
  if (running === undefined) throw new Error('not begun');
  await realMachine.files.write(running.log, encodeBytes('first words\n'));
  return running;
}

const settle = (root: TestRoot, running: Running) =>
  settleUnit(realMachine, root.root, running, 'done', 'exit code 0');

describe('a unit that runs', () => {
  it('is followed by its file: status and log, from beginning to end', async () => {
    const root = await makeRoot(temporary.path('root'));
    const running = await begun(root, 'a');
    expect(root.read('currently-executing', 'a')).toMatch(
      /running: x, started .*Z +\n\n==== JOB LOG\n\nfirst words\n$/,
    );
    await realMachine.files.write(running.log, encodeBytes('==== STATUS\nlast words\n'));
    const { path } = await settle(root, running);
    expect(path).toBe(join(root.path, 'done-q/a'));
    expect(root.read('done-q', 'a')).toMatch(
      /done: exit code 0 after .*Z +\n\n==== JOB LOG\n\nfirst words\n==== STATUS\nlast words\n$/,
    );
    expect(root.names('currently-executing')).toEqual([]);
  });

  it('replaces nobody who has its name where it comes to lie', async () => {
    const root = await makeRoot(temporary.path('root'));
    root.put('done-q', 'a', 'older');
    root.put('done-q', 'a.1', 'also older');
    expect((await settle(root, await begun(root, 'a'))).path).toBe(join(root.path, 'done-q/a.2'));
    expect(root.read('done-q', 'a')).toBe('older');
  });

  it('keeps its log when somebody saves another file in its place', async () => {
    const root = await makeRoot(temporary.path('root'));
    const running = await begun(root, 'a');
    root.put('currently-executing', 'edited', 'by somebody');
    renameSync(join(root.path, 'currently-executing/edited'), join(root.path, 'currently-executing/a'));
    await realMachine.files.write(running.log, encodeBytes('last words\n'));
    expect(await settle(root, running)).toMatchObject({ touched: 'edited' });
    expect(root.read('done-q', 'a')).toMatch(/first words\nlast words\n$/);
    expect(root.read('trash', 'a')).toBe('by somebody');
  });

  it.each(['removes it', 'moves it away'])('keeps its log when somebody %s', async (what) => {
    const root = await makeRoot(temporary.path('root'));
    const running = await begun(root, 'a');
    const path = join(root.path, 'currently-executing/a');
    if (what === 'removes it') unlinkSync(path);
    else renameSync(path, join(root.path, 'archive/a'));
    await realMachine.files.write(running.log, encodeBytes('last words\n'));
    expect(await settle(root, running)).toMatchObject({ touched: 'taken away' });
    expect(root.read('done-q', 'a')).toMatch(/done: exit code 0.*first words\nlast words\n$/s);
    expect(root.names('currently-executing')).toEqual([]);
  });

  it('is not begun when it is not what was prepared', async () => {
    const root = await makeRoot(temporary.path('root'));
    await claimed(root, 'a');
    root.put('currently-executing', 'a', unitText({ JOB: 'y' }));
    expect(await beginUnit(realMachine, root.root, 'a', 'x')).toBeUndefined();
    expect(await beginUnit(realMachine, root.root, 'gone', 'x')).toBeUndefined();
    expect(root.names('currently-executing')).toEqual(['a']);
  });
});

describe('moving', () => {
  it('makes room for a suffix, and takes what is no file too', async () => {
    const root = await makeRoot(temporary.path('root'));
    const { trash, 'wait-q': directory } = root.root.places;
    for (const text of ['one', 'two']) {
      root.put('wait-q', 'n', text);
      await moveFile(realMachine, { directory, name: 'n' }, trash);
    }
    expect(root.names('trash')).toEqual(['n', 'n.1']);
    expect(readFileSync(join(trash, 'n.1'), 'utf8')).toBe('two');
    expect(await moveFile(realMachine, { directory, name: 'n' }, trash)).toBeUndefined();
  });
});

describe('recovery', () => {
  it('brings what had begun to fail-q, and says so', async () => {
    const root = await makeRoot(temporary.path('root'));
    const running = await begun(root, 'a');
    for (const descriptor of [running.file, running.log, running.whole])
      await realMachine.files.close(descriptor);
    expect(await recover(realMachine, root.root)).toMatchObject([{ kind: 'half-run', name: 'a' }]);
    expect(root.read('fail-q', 'a')).toMatch(
      /fail: its Monitor ended while it ran, and nobody knows how far it came, .*Z +\n\n==== JOB LOG\n\nfirst words\n$/,
    );
    expect(root.names('currently-executing')).toEqual([]);
  });

  it('leaves what was only claimed, to be begun', async () => {
    const root = await makeRoot(temporary.path('root'));
    await claimed(root, 'a');
    expect(await recover(realMachine, root.root)).toEqual([]);
    expect(root.names('currently-executing')).toEqual(['a']);
  });

  it.each([
    ['wait-q', 'currently-executing'],
    ['currently-executing', 'done-q'],
    ['wait-q', 'trash'],
    ['wait-q', 'fail-q'],
  ])('ends a move from %s to %s that has left two names', async (from, to) => {
    const root = await makeRoot(temporary.path('root'));
    root.put(to, 'a', 'another one');
    root.put(from, 'a', unitText({ JOB: 'x' }));
    linkSync(join(root.path, from, 'a'), join(root.path, to, 'a.1'));
    expect(await recover(realMachine, root.root)).toMatchObject([{ kind: 'doubled', name: 'a' }]);
    expect(root.names(from)).toEqual([]);
    expect(root.names(to)).toContain('a.1');
  });

  it('takes no two files of one name for one', async () => {
    const root = await makeRoot(temporary.path('root'));
    mkdirSync(join(root.path, 'done-q/a.dir'));
    writeFileSync(join(root.path, 'done-q/a'), 'older');
    root.put('wait-q', 'a', unitText({ JOB: 'x' }));
    expect(await recover(realMachine, root.root)).toEqual([]);
    expect(root.names('wait-q')).toEqual(['a']);
  });
});
