import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newSurveyor } from '../../src/uow/survey.ts';
import { machineWith, shiftedClock } from '../support/machines.ts';
import { makeRoot, type TestRoot, unitText } from '../support/roots.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const TEXT = unitText({ JOB: 'x' });
const stamped = (stamp: string) => `timestamp: ${stamp} enqueued\n${TEXT}`;

function surveyorOf({ root }: TestRoot) {
  const clock = shiftedClock();
  return { clock, look: newSurveyor(machineWith({ clock }), root) };
}

/** Changed so many seconds ago. */
function age(root: TestRoot, path: string, seconds: number): void {
  const at = Date.now() / 1000 - seconds;
  utimesSync(join(root.path, path), at, at);
}

describe('what waits', () => {
  it('is in order: the queue, the timestamp, the ordinal, the name; without a timestamp by file time', async () => {
    const root = await makeRoot(temporary.path('root'));
    root.put('wait-q', 'e', TEXT);
    root.put('wait-q', 'd', TEXT);
    age(root, 'wait-q/e', 100);
    root.put('wait-q', 'c', stamped('7-10'));
    root.put('wait-q', 'b', stamped('7-9'));
    root.put('wait-q', 'a', stamped('8'));
    root.put('priority-q', 'z', stamped('9'));
    root.put('priority-q', 'y', stamped('9'));
    const { waiting } = await surveyorOf(root).look(0);
    expect(waiting.map(({ name }) => name).join('')).toBe('yzbcaed');
  });

  it('must be quiet: by the time of its file, or by what we have seen of it', async () => {
    const root = await makeRoot(temporary.path('root'));
    root.put('wait-q', 'old', TEXT);
    age(root, 'wait-q/old', 10);
    root.put('wait-q', 'new', TEXT);
    root.put('wait-q', 'junk', 'half of some');
    root.put('wait-q', 'ahead', TEXT);
    age(root, 'wait-q/ahead', -10_000);
    const { look, clock } = surveyorOf(root);
    const first = await look(2000);
    expect(first.waiting.map(({ name }) => name)).toEqual(['old']);
    expect(first.rubbish).toEqual([]);
    expect(first.lookAgainMs).toBeGreaterThan(0);
    expect(first.lookAgainMs).toBeLessThanOrEqual(2000);
    clock.advance(1000);
    root.put('wait-q', 'new', `${TEXT}MORE :: 1\n`);
    age(root, 'wait-q/new', -1);
    await look(2000);
    clock.advance(1500);
    const second = await look(2000);
    expect(second.waiting.map(({ name }) => name)).toEqual(['old', 'ahead']);
    expect(second.rubbish).toMatchObject([{ name: 'junk' }]);
    clock.advance(1500);
    expect((await look(2000)).lookAgainMs).toBeUndefined();
  });

  it('is left alone while an editor has it open, and for a day at most', async () => {
    const root = await makeRoot(temporary.path('root'));
    for (const name of ['vim', 'emacs', 'office', 'left']) root.put('wait-q', name, TEXT);
    root.put('wait-q', '.vim.swp', 'b0VIM');
    symlinkSync('me@host.1234:5678', join(root.path, 'wait-q/.#emacs'));
    root.put('wait-q', '.~lock.office#', '');
    root.put('wait-q', '.left.swp', 'b0VIM');
    age(root, 'wait-q/.left.swp', 100_000);
    const { waiting, restless } = await surveyorOf(root).look(0);
    expect(waiting.map(({ name }) => name)).toEqual(['left']);
    expect(restless.map(({ name, reason }) => `${name}: ${reason}`)).toEqual([
      'emacs: an editor has it open: .#emacs',
      'office: an editor has it open: .~lock.office#',
      'vim: an editor has it open: .vim.swp',
    ]);
  });

  it('is not what editors and sync tools keep beside it', async () => {
    const root = await makeRoot(temporary.path('root'));
    for (const name of ['a~', '#a#', '.a.txt.Xy12', '4913', '.nfs0001']) root.put('wait-q', name, 'not ours');
    const { waiting, rubbish, troubles } = await surveyorOf(root).look(0);
    expect([waiting, rubbish, troubles]).toEqual([[], [], []]);
  });
});

describe('what does not belong there', () => {
  it('is named, with the reason', async () => {
    const root = await makeRoot(temporary.path('root'));
    root.put('wait-q', 'junk', 'hello');
    root.put('wait-q', 'n'.repeat(240), TEXT);
    symlinkSync('/etc/passwd', join(root.path, 'done-q/link'));
    execFileSync('mkfifo', [join(root.path, 'wait-q/pipe')]);
    mkdirSync(join(root.path, 'fail-q/sub'));
    const { rubbish, troubles } = await surveyorOf(root).look(0);
    expect(rubbish.map(({ place, name }) => `${place} ${name.slice(0, 9)}`).sort()).toEqual([
      'done-q link',
      'wait-q junk',
      'wait-q nnnnnnnnn',
      'wait-q pipe',
    ]);
    expect(troubles).toEqual([
      { place: 'fail-q', name: 'sub', reason: 'it is a directory, and a queue has none' },
    ]);
  });

  it('is every README but the newest', async () => {
    const root = await makeRoot(temporary.path('root'));
    age(root, 'wait-q/README', 100);
    root.put('wait-q', 'ReadMe.txt', 'newest');
    root.put('wait-q', 'README.1', 'older');
    age(root, 'wait-q/README.1', 50);
    const { rubbish } = await surveyorOf(root).look(0);
    expect(rubbish.map(({ name }) => name)).toEqual(['README.1', 'README']);
  });
});
