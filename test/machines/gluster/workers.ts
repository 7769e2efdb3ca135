/** Workers on two machines: killed, cut off, their bricks killed. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { signal } from '../../faults/support/storm.ts';
import { INTRAY } from '../../support/intray-cli.ts';
import { eventually } from '../../support/temporary.ts';
import { besideThemselves, endedOf, readRuns, startsOf } from '../support/history.ts';
import { BIN, type Ground, JOBS, names } from './ground.ts';

export function workersOfTwoMachines(ground: Ground): void {
  it('run each job once, and lanes in their order', async () => {
    ground.intray('c1', ['init', ground.queue]);
    ground.add('c1', names(JOBS));
    for (const lane of ['a', 'b']) ground.add('c2', names(5, lane), '--lane', lane);
    const workers = [ground.work('c1', 0), ground.work('c2', 0)];
    for (const { ended } of workers) expect(await ended).toMatchObject({ code: 0 });
    const lines = readRuns(ground.history);
    expect(startsOf(lines)).toHaveLength(JOBS + 10);
    expect(endedOf(lines).size).toBe(JOBS + 10);
    for (const lane of ['a', 'b']) {
      const started = startsOf(lines).filter((id) => id.startsWith(`${lane}-`));
      expect(started).toEqual(names(5, lane));
    }
    expect(new Set(lines.map(({ run }) => run.split('.')[0]))).toEqual(new Set(['c1', 'c2']));
    ground.nothingIsLeft('c2');
  });

  it('one takes over what a worker of the other had when it was killed', async () => {
    ground.intray('c1', ['init', ground.queue]);
    ground.add('c2', names(4));
    const victim = ground.work('c1', 30, '--lease', '3s');
    await eventually(() => expect(startsOf(readRuns(ground.history)).length).toBeGreaterThanOrEqual(3));
    signal(victim.pid() ?? 0, 'SIGKILL');
    await victim.ended;
    await ground.workUntilNothingIsLeft('c2', '--lease', '3s');
    const lines = readRuns(ground.history);
    expect(besideThemselves(lines)).toEqual([]);
    expect(endedOf(lines)).toEqual(new Set(names(4)));
  });

  it('one takes over from a machine that is cut off, whose commands are ended first', async () => {
    ground.intray('c1', ['init', ground.queue]);
    ground.add('c2', names(6));
    const cutOff = ground.work('c1', 300, '--lease', '4s');
    await eventually(() => expect(startsOf(readRuns(ground.history)).length).toBeGreaterThanOrEqual(3));
    ground.cluster.link('c1', 'down');
    try {
      await ground.workUntilNothingIsLeft('c2', '--lease', '4s');
      const { code, stderr } = await cutOff.ended;
      expect(code).toBe(1);
      expect(stderr).toContain('this worker was silent for too long and was taken for dead');
    } finally {
      ground.cluster.link('c1', 'up');
    }
    const lines = readRuns(ground.history);
    expect(besideThemselves(lines)).toEqual([]);
    expect(endedOf(lines)).toEqual(new Set(names(6)));
    // It sees the same queue again, and has nothing to say about what others have settled.
    await eventually(() => ground.nothingIsLeft('c1'));
  });

  it('go on when one of three bricks is killed, and take nothing when two are', async () => {
    ground.intray('c1', ['init', ground.queue]);
    ground.add('c1', names(JOBS));
    const workers = [ground.work('c1', 1), ground.work('c2', 1)];
    await eventually(() => expect(endedOf(readRuns(ground.history)).size).toBeGreaterThan(5));
    ground.cluster.killBrick('b2');
    ground.add('c2', names(5, 'late'));
    for (const { ended } of workers) expect(await ended).toMatchObject({ code: 0 });
    await ground.workUntilNothingIsLeft('c2');
    // With two of three dead nothing is accepted, and that is said.
    ground.cluster.killBrick('b3');
    const refused = ground.cluster.call('c1', [INTRAY, 'add', ground.queue], 'refused\n');
    expect(refused).toMatchObject({ stdout: '', stderr: expect.stringMatching(/^intray: error: /) });
    expect(refused.code).not.toBe(0);
    ground.cluster.startBricks();
    await eventually(() => ground.add('c1', ['again']), 120_000);
    await ground.workUntilNothingIsLeft('c2');
    const lines = readRuns(ground.history).filter(({ id }) => id !== 'refused');
    expect(endedOf(lines)).toEqual(new Set([...names(JOBS), ...names(5, 'late'), 'again']));
    expect(besideThemselves(lines)).toEqual([]);
    expect(startsOf(lines)).toHaveLength(JOBS + 5 + startsOf(lines).filter((id) => id === 'again').length);
    ground.nothingIsLeft('c1');
  });

  it('run no job of IPC::DirQueue and of fsq twice either', async () => {
    const dirqueue = `${ground.queue}-dirqueue`;
    const fsq = `fsq-items`;
    const ourFsq = [`${BIN}/fsq`, '-r', ground.cluster.mount];
    mkdirSync(`${ground.directory}/files`);
    for (const id of names(8)) {
      writeFileSync(`${ground.directory}/files/${id}`, `${id}\n`);
      ground.well('c1', [`${BIN}/dq-submit`, '--dir', dirqueue, `${ground.directory}/files/${id}`]);
    }
    ground.well('c1', [...ourFsq, 'install', fsq]);
    for (const id of names(8, 'item')) ground.well('c2', [...ourFsq, 'enqueue', fsq, id], `${id}\n`);
    const run = ['-j', '2', '--output', 'inherit', '--', `${ground.directory}/job.sh`, ground.history, '1'];
    const workers = (['c1', 'c2'] as const).map((machine) =>
      ground.cluster.run(machine, [INTRAY, 'work', dirqueue, join(ground.cluster.mount, fsq), ...run]),
    );
    for (const { ended } of workers) expect(await ended).toMatchObject({ code: 0 });
    const lines = readRuns(ground.history);
    expect(startsOf(lines)).toHaveLength(16);
    expect(endedOf(lines)).toEqual(new Set([...names(8), ...names(8, 'item')]));
  });
}
