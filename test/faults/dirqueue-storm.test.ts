/** Many worker processes on one queue directory of IPC::DirQueue, ours and the original's, left alone and killed. */

import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hasPerl, ORIGINAL, original } from '../support/dirqueues.ts';
import { eventually, useTemporary } from '../support/temporary.ts';
import { chance } from './support/chance.ts';
import { DirQueueStorm } from './support/dirqueue-storm.ts';
import { LONGER } from './support/needs.ts';
import { stormHere } from './support/storm.ts';

const JOBS = 400 * LONGER;
const KILLS = 12 * LONGER;
const WORKERS = 3;
const DEADLINE_MS = 300_000 * LONGER;
/** All workers are on this machine, which knows at once who is dead. */
const OPTIONS = { jobs: JOBS, leaseMs: 60_000, deadlineMs: DEADLINE_MS };

const temporary = useTemporary();

describe('nobody is killed', () => {
  it.each([4, 16])('%i processes run each job once', { timeout: DEADLINE_MS }, async (processes) => {
    const storm = await DirQueueStorm.over(stormHere(temporary.path()), OPTIONS);
    await storm.launch(processes);
    await storm.untilAllAreDone();
    await eventually(
      () => expect(readdirSync(`${storm.path}/intray/workers`)).toHaveLength(processes), // the last to come, too
      DEADLINE_MS,
    );
    await storm.end();
    expect(storm.read().filter(({ what }) => what === 'start')).toHaveLength(JOBS);
    expect(storm.left()).toEqual([]);
  });
});

describe('workers are killed', () => {
  it('nothing is lost, and no job runs beside itself, the original among the workers', {
    timeout: DEADLINE_MS,
  }, async ({ skip }) => {
    if (!hasPerl) skip('perl is not installed');
    const random = chance();
    const storm = await DirQueueStorm.over(stormHere(temporary.path()), OPTIONS);
    await storm.launch(WORKERS);
    const perl = perlWorker(storm.path, storm.notes);
    await storm.blow(KILLS, random, (kill) => {
      original('submit', storm.path, `late-${kill}`);
      return 1;
    });
    await storm.untilAllAreDone();
    await perl;
    await storm.end();
    expect(storm.problems(), `seed ${random.seed}`).toEqual([]);
    await storm.lookUntilNothingIsLeft();
  });
});

async function perlWorker(path: string, notes: string): Promise<void> {
  const child = spawn('perl', [ORIGINAL, 'work', path, notes, '1'], { stdio: 'ignore' });
  await new Promise((resolve) => child.once('exit', resolve));
}
