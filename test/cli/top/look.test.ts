/** What `intray top` sees in directories, and its one picture for scripts. */

import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { intray } from '../../../src/cli/intray/main.ts';
import { lastLineOf } from '../../../src/cli/intray/top/details.ts';
import { Looker } from '../../../src/cli/intray/top/look.ts';
import type { SeenQueue } from '../../../src/cli/intray/top/picture.ts';
import { rowsOf } from '../../../src/cli/intray/top/rows.ts';
import { politeMachine } from '../../../src/os/polite.ts';
import { realMachine } from '../../../src/os/real/index.ts';
import { openSpool } from '../../../src/spool/spool.ts';
import { addNamed, claimFrom, failNext, fileOf, homeQueue } from '../../support/home-queues.ts';
import { listening } from '../../support/spoken.ts';
import { useTemporary } from '../../support/temporary.ts';

const temporary = useTemporary();
const q = (...names: string[]) => temporary.path('q', ...names);

async function looker(...paths: string[]): Promise<Looker> {
  const queues = await Promise.all(paths.map((path) => openSpool(realMachine, path)));
  return new Looker(politeMachine(realMachine), { changing: false, find: async () => queues }, undefined);
}

async function seen(one: Looker, queue: string, filter = ''): Promise<SeenQueue> {
  const found = (await one.look({ queue, filter })).queues.find(({ name }) => name === queue);
  if (found?.kind !== 'seen') throw new Error(`${queue} was not seen`);
  return found;
}

describe('a look', () => {
  it('reads what running jobs bring and said last', async () => {
    const queue = await homeQueue(q());
    const id = await addNamed(queue, '--all');
    const session = await queue.join();
    try {
      const { stdout } = await (await claimFrom(session)).openOutput();
      const one = await looker(q());
      expect((await seen(one, q())).details.said.get(id)).toBeUndefined();
      await realMachine.files.write(
        stdout,
        new TextEncoder().encode(`${'x'.repeat(10_000)}\nstep 1\nstep 2\n\n`),
      );
      const { details } = await seen(one, q());
      expect(details.said.get(id)).toBe('step 2');
      expect(details.params.get(id)).toBe('--all');
    } finally {
      await session.close();
    }
  });

  it('says why jobs failed and lanes stand', async () => {
    const queue = await homeQueue(q());
    await addNamed(queue, 'bad');
    const bad = await failNext(queue, 'exit code 7');
    await addNamed(queue, 'stuck', { lane: 'alice' });
    await addNamed(queue, 'next', { lane: 'alice' });
    const stuck = await failNext(queue, 'exit code 9', 'hold');
    await addNamed(queue, 'late', { lane: 'bob', notBefore: new Date('2099-01-01') });
    const now = Date.now();
    const rows = rowsOf(await seen(await looker(q()), q()), '', now);
    expect(rows.failed.map(({ id, failure, holds }) => [id, failure?.reason, holds])).toEqual([
      [stuck, 'exit code 9', true],
      [bad, 'exit code 7', false],
    ]);
    expect(rows.lanes.map(({ key, why }) => [key, why.kind, why.text.replace(/\d+d/, 'Nd')])).toEqual([
      ['alice', 'stands', 'failed: exit code 9'],
      ['bob', 'waits', 'not before Nd from now'],
    ]);
  });

  it('filters by lane, number and arguments', async () => {
    const queue = await homeQueue(q());
    await addNamed(queue, 'holiday.jpg');
    await addNamed(queue, 'other', { lane: 'alice' });
    const one = await looker(q());
    const found = async (filter: string) =>
      rowsOf(await seen(one, q()), filter, 0).waiting.map(({ job }) => job.lane ?? 'none');
    expect(await found('ALI')).toEqual(['alice']);
    expect(await found('holiday')).toEqual(['none']);
    expect(await found('#1')).toContain('alice');
    expect(await found('nothing')).toEqual([]);
  });

  it('at many is not stopped by one that has gone', async () => {
    await homeQueue(q());
    await homeQueue(temporary.path('gone'));
    const one = await looker(q(), temporary.path('gone'));
    await one.look({ queue: undefined, filter: '' });
    renameSync(temporary.path('gone'), temporary.path('elsewhere'));
    const { queues } = await one.look({ queue: undefined, filter: '' });
    expect(queues.map(({ kind }) => kind)).toEqual(['seen', 'unseen']);
    expect(queues[1]).toMatchObject({ problem: expect.stringContaining('there is no such directory') });
  });
});

describe('the last line', () => {
  it.each([
    ['', ''],
    ['one\ntwo\n', 'two'],
    ['one\n  \n\n', 'one'],
    ['10 %\r20 %\r', '20 %'],
    ['begun', 'begun'],
  ])('of %j is %j', (text, line) => {
    expect(lastLineOf(text)).toBe(line);
  });
});

describe('intray top in a pipe', () => {
  async function top(...argv: string[]) {
    const { machine, said } = listening();
    return { status: await intray(machine, ['top', ...argv]), ...said };
  }

  it('prints one picture: of a queue all, of a directory a line for each', async () => {
    const queue = await homeQueue(q());
    const id = await addNamed(queue, 'x', { lane: 'alice' });
    const one = await top(q());
    expect(one).toMatchObject({ status: 0, stderr: '' });
    expect(one.stdout).toMatch(new RegExp(`^  ${id.slice(0, 8)}  ready +alice +1 .* x$`, 'm'));
    const all = await top(temporary.path());
    expect(all.stdout).toMatch(/^intray top {2}1 queue, 1 waiting, 0 running/);
  });

  it.each(['a\nb', 'a\u001b[31mred', 'a\u0007', 'right\u202eleft', 'c1\u009b31m'])(
    'shows no control character of %j',
    async (text) => {
      const queue = await homeQueue(q());
      const id = await addNamed(queue, text, { lane: text });
      writeFileSync(q('jobs', `fspl-${text}.fspl`), 'no packet');
      mkdirSync(q('work', text));
      renameSync(q('jobs', fileOf(q(), id)), q('work', text, fileOf(q(), id)));
      const { stdout } = await top(q());
      expect(stdout).toContain(' Running 1\n');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not reach a terminal
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    },
  );

  it('says what is no queue, and which intervals there are', async () => {
    mkdirSync(q());
    expect(await top(q())).toMatchObject({ status: 1, stderr: expect.stringContaining('it is not a queue') });
    expect(await top('--interval', '2', q())).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('from 100ms to 1d'),
    });
  });
});
