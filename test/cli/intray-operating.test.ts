/** What `intray retry`, `rm`, `hold`, `release`, `skip`, `move`, `gc` and `repair` say and do, and how they end. */

import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { intray } from '../../src/cli/intray/main.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { createQueueDirectory } from '../../src/spool/queue-files.ts';
import { lockQueue } from '../../src/spool/session.ts';
import {
  addNamed,
  claimFrom,
  deadWorker,
  failNext,
  fileOf,
  homeQueue,
  jobFiles,
} from '../support/home-queues.ts';
import { putJob } from '../support/packets.ts';
import { listening } from '../support/spoken.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const q = (...names: string[]) => temporary.path('q', ...names);

async function run(...argv: string[]) {
  const { machine, said } = listening();
  const status = await intray(machine, argv);
  return { status, ...said };
}

describe('one job after the other', () => {
  it('is held, released, tried again and removed by the beginning of its name', async () => {
    const id = await addNamed(await homeQueue(q()), 'x');
    const short = id.slice(0, 8);
    expect(await run('hold', q(), short)).toEqual({ status: 0, stdout: `${id}: held\n`, stderr: '' });
    expect((await run('hold', q(), short)).stdout).toBe(`${id}: is held already\n`);
    expect((await run('release', q(), short)).stdout).toBe(`${id}: released\n`);
    expect((await run('retry', q(), short)).stdout).toBe(`${id}: waits for its turn already\n`);
    expect(await run('rm', q(), short)).toEqual({ status: 0, stdout: `${id}: removed\n`, stderr: '' });
    expect(jobFiles(q())).toEqual([]);
  });

  it('goes on behind one that cannot be found, and ends with its status', async () => {
    const id = await addNamed(await homeQueue(q()), 'x');
    const { status, stdout, stderr } = await run('rm', q(), 'nothing', id);
    expect(stdout).toBe(`${id}: removed\n`);
    expect(stderr).toContain('there is no job "nothing"');
    expect(status).toBe(1);
  });

  it('goes on behind one that the system does not let go', async () => {
    const id = await addNamed(await homeQueue(q()), 'x');
    mkdirSync(q('jobs/fspl-directory.fspl'));
    const { status, stdout, stderr } = await run('rm', q(), 'directory', id);
    expect(stdout).toBe(`${id}: removed\n`);
    expect(stderr).toContain('fspl-directory.fspl: ');
    expect(status).toBe(1);
  });

  it('is refused while it runs', async () => {
    const queue = await homeQueue(q());
    const id = await addNamed(queue, 'x');
    const session = await queue.join();
    await claimFrom(session);
    const { status, stderr } = await run('rm', q(), id);
    await session.close();
    expect(stderr).toMatch(
      /it is being run by process \d+ on .*\nWait until it has ended, or stop its worker\./,
    );
    expect(status).toBe(1);
  });

  it('says what becomes of its lane', async () => {
    const queue = await homeQueue(q());
    const ids: string[] = [];
    for (const name of ['1', '2', '3']) ids.push(await addNamed(queue, name, { lane: 'alice' }));
    expect((await run('rm', q(), ids[1] ?? '')).stdout).toBe(
      `${ids[1]}: removed; its lane goes on past its number when it gets there\n`,
    );
    expect((await run('rm', q(), '#1')).stdout).toBe(
      `${ids[0]}: removed; its lane goes on with the next number\n`,
    );
    expect((await run('ls', q())).stdout).toMatch(/^removed- .*\n.* 3$/m);
  });

  it('is not touched in a queue that another process works alone', async () => {
    await createQueueDirectory(realMachine, q(), { appendOnly: false });
    putJob(q(), 'aaaa', { seq: 1 });
    const alone = await lockQueue(realMachine, q());
    const { status } = await run('rm', q(), 'aaaa');
    await alone.close();
    expect(status).toBe(7);
    expect(jobFiles(q())).toHaveLength(1);
  });
});

describe('all that failed', () => {
  async function failed(count: number) {
    const queue = await homeQueue(q());
    for (let n = 0; n < count; n++) await addNamed(queue, `${n}`);
    for (let n = 0; n < count; n++) await failNext(queue);
    return queue;
  }

  it('are tried again, the oldest first, so many at most', async () => {
    await failed(3);
    const { stdout, status } = await run('retry', q(), '--all-failed', '--limit', '2');
    expect(stdout.trimEnd().split('\n')).toHaveLength(2);
    expect(status).toBe(0);
    expect(jobFiles(q(), 'failed')).toHaveLength(1);
    const left = await run('ls', q(), '--failed');
    expect(left.stdout).toMatch(/ 2$/m);
    await run('retry', q(), '--all-failed');
    expect((await run('retry', q(), '--all-failed')).status).toBe(3);
  });

  it('are removed', async () => {
    await failed(2);
    expect((await run('rm', q(), '--all-failed')).status).toBe(0);
    expect(jobFiles(q(), 'failed')).toEqual([]);
  });

  it.each([
    [['retry'], 'name a JOB, or `--all-failed`'],
    [['retry', 'abcd', '--all-failed'], 'not both'],
    [['retry', 'abcd', '--limit', '2'], '`--limit` is for'],
    [['retry', '--all-failed', '--limit', 'x'], 'a whole number'],
    [['rm'], 'name a JOB'],
    [['move', 'abcd'], 'name the jobs and then the queue'],
    [['gc', '--older-than', '30'], 'a span of time such as'],
  ])('%j is not understood', async ([name = '', ...words], said) => {
    await homeQueue(q());
    const { status, stderr } = await run(name, q(), ...words);
    expect(stderr).toContain(said);
    expect(status).toBe(2);
  });
});

describe('moving', () => {
  it('lets a lane go on, and says with what', async () => {
    const queue = await homeQueue(q());
    await addNamed(queue, '1', { lane: 'alice' });
    await addNamed(queue, '2', { lane: 'alice' });
    const id = await failNext(queue, 'no', 'hold');
    expect((await run('skip', q(), '--lane', 'alice')).stdout).toBe(
      `Lane "alice" goes on with job 2, without ${id}, which is among the failed jobs now\n`,
    );
    expect((await run('skip', q(), '--lane', 'alice')).stderr).toContain(
      'is at job 2, which has not started yet',
    );
    await createQueueDirectory(realMachine, temporary.path('plain'), { appendOnly: false });
    putJob(temporary.path('plain'), 'late', { seq: 4 });
    expect((await run('skip', temporary.path('plain'))).stdout).toBe(
      'The queue goes on with job 4, without jobs 1 to 3\n',
    );
  });

  it('jobs to another queue, the last word', async () => {
    const queue = await homeQueue(q());
    await homeQueue(temporary.path('target'));
    const ids = [await addNamed(queue, '1'), await addNamed(queue, '2')];
    const { stdout, status } = await run('move', q(), ...ids, temporary.path('target'));
    expect(stdout).toBe(ids.map((id) => `${id}: moved to ${temporary.path('target')}\n`).join(''));
    expect(status).toBe(0);
    expect(jobFiles(temporary.path('target'), 'jobs')).toHaveLength(2);
    expect((await run('move', q(), 'abcd', temporary.path('nowhere'))).status).toBe(1);
  });
});

describe('clearing and mending', () => {
  it('gc says what it removes, and with --dry-run removes nothing', async () => {
    await homeQueue(q());
    writeFileSync(q('log/gone.jsonl'), '{}');
    utimesSync(q('log/gone.jsonl'), 1_600_000_000, 1_600_000_000);
    const dry = await run('gc', q(), '--dry-run');
    expect(dry.stdout).toMatch(
      /^would remove log .*gone\.jsonl \(\d+d old\)\n.*: 1 file of 2 bytes would be removed\n$/,
    );
    expect(JSON.parse((await run('gc', q(), '--json')).stdout)).toEqual({
      queue: q(),
      dryRun: false,
      removed: [{ kind: 'log', path: q('log/gone.jsonl'), bytes: 2, changed: '2020-09-13T12:26:40.000Z' }],
    });
    expect((await run('gc', q())).stdout).toBe(`${q()}: there was nothing to remove\n`);
  });

  it('repair says what it would do, and with --apply does it', async () => {
    const queue = await homeQueue(q());
    expect(await run('repair', q())).toEqual({ status: 0, stdout: `${q()}: all is in order\n`, stderr: '' });
    writeFileSync(q('jobs/fspl-bad\nname.fspl'), '*FILES');
    deadWorker(q(), fileOf(q(), await addNamed(queue, 'x')));
    const dry = await run('repair', q());
    expect(dry.stdout).toContain('would give its jobs back and remove it');
    expect(dry.stdout).toContain('fspl-bad\\nname.fspl: ');
    expect(dry.stdout).toContain(`Nothing was changed. To do this: intray repair ${q()} --apply\n`);
    expect(dry.status).toBe(6);
    expect(JSON.parse((await run('repair', q(), '--json')).stdout)).toMatchObject({
      queue: q(),
      applied: false,
      findings: [
        { kind: 'dead-worker', remedy: 'bring-back', advice: null, result: null },
        { kind: 'damaged', remedy: 'set-aside', path: q('jobs/fspl-bad\nname.fspl') },
      ],
    });
    const applied = await run('repair', q(), '--apply');
    expect(applied.stdout).toContain('set aside in failed/');
    expect(applied.status).toBe(0);
    expect(jobFiles(q(), 'failed')).toHaveLength(1);
  });

  it('repair leaves to a person what it cannot know, and says so', async () => {
    await homeQueue(q());
    writeFileSync(q('jobs/fspl-odd.fspl'), 'something else altogether');
    const { stdout, status } = await run('repair', q(), '--apply');
    expect(stdout).toContain('for you: if it is encoded, name the decoder');
    expect(status).toBe(6);
  });
});
