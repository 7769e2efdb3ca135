/** The commands of `intray` on queues of every layout: one day of an operator. */

import { describe, expect, it } from 'vitest';
import { createDirQueue } from '../../src/dirqueue/dirqueue.ts';
import { createFsq } from '../../src/fsq/fsq.ts';
import { realMachine } from '../../src/os/real/index.ts';
import type { Queue } from '../../src/queue/contract.ts';
import type { LayoutName } from '../../src/queue/snapshot.ts';
import { homeQueue } from '../support/home-queues.ts';
import { type IntrayCli, intrayCli } from '../support/intray-cli.ts';

const MAKE: readonly (readonly [LayoutName, (path: string) => Promise<Queue>])[] = [
  ['filespooler', (path) => homeQueue(path)],
  ['dirqueue', (path) => createDirQueue(realMachine, path)],
  ['fsq', (path) => createFsq(realMachine, path)],
];

describe.each(MAKE)('on a queue of %s', (layout, make) => {
  async function queueOf(...params: string[]): Promise<{ cli: IntrayCli; q: string; ids: string[] }> {
    const cli = intrayCli();
    const q = `${cli.dir}/q`;
    await make(q);
    const ids = params.map((param) => ok(cli, ['add', q, '--', param], `payload of ${param}`).trimEnd());
    return { cli, q, ids };
  }

  it('jobs are added, listed, explained and run', async () => {
    const { cli, q, ids } = await queueOf('one', 'two');
    const [first = ''] = ids;
    expect(ok(cli, ['ls', q])).toMatch(/ready.* one\n.*ready.* two\n$/);
    expect(json(cli, ['status', '--json', q])).toMatchObject({
      queues: [{ queue: q, layout, counts: { waiting: 2, ready: 2 } }],
    });
    expect(ok(cli, ['status', q])).toMatch(/^waiting +2 {3}2 ready/m);
    expect(json(cli, ['explain', '--json', q, first])).toMatchObject({ id: first, cause: 'no-worker' });
    expect(json(cli, ['show', '--json', q, first])).toMatchObject({ id: first, params: ['one'], runs: [] });
    expect(ok(cli, ['cat', q, first])).toBe('payload of one');
    expect(ok(cli, ['top', '--once', q])).toContain('2 waiting');
    const ran = ok(cli, ['work', q, '--output', 'inherit', '--allow-job-params', '--', 'echo', 'ran']);
    expect(ran).toBe('ran one\nran two\n');
    expect(json(cli, ['ls', '--json', q])).toEqual({ queue: q, jobs: [] });
  });

  it('what has failed is seen, run again, and removed', async () => {
    const { cli, q, ids } = await queueOf('bad');
    const [id = ''] = ids;
    const failed = cli.run(['work', q, '--', 'sh', '-c', 'echo so far; echo went wrong >&2; exit 7']);
    expect(failed.status).toBe(5);
    expect(failed.stderr).toMatch(/failed: it ended with exit code 7\n +went wrong\n +All that it said: \//);
    const status = cli.run(['status', q]);
    expect(status).toMatchObject({ status: 5, stdout: expect.stringMatching(/^failed +1/m) });
    expect(ok(cli, ['ls', '--failed', q])).toMatch(/failed.* bad\n$/);
    expect(ok(cli, ['log', q, id])).toMatch(/exit code 7.*\n-- stdout:\nso far\n-- stderr:\nwent wrong\n$/s);
    expect(ok(cli, ['retry', q, id])).toBe(`${id}: waits to be run again\n`);
    expect(ok(cli, ['retry', q, id])).toBe(`${id}: waits for its turn already\n`);
    cli.run(['work', q, '--', 'false']);
    expect(ok(cli, ['rm', q, '--all-failed'])).toBe(`${id}: removed\n`);
    expect(ok(cli, ['ls', '--all', '--json', q])).toContain('"jobs": []');
    expect(ok(cli, ['repair', q])).toBe(`${q}: all is in order\n`);
  });

  it('jobs are held and released, queues paused and resumed', async () => {
    const { cli, q, ids } = await queueOf('one');
    const [id = ''] = ids;
    expect(ok(cli, ['hold', q, id])).toBe(`${id}: held\n`);
    expect(cli.run(['work', q, '--', 'false']).status).toBe(9);
    expect(ok(cli, ['release', q, id])).toBe(`${id}: released\n`);
    ok(cli, ['pause', q]);
    expect(cli.run(['work', q, '--', 'false']).status).toBe(9);
    expect(ok(cli, ['drain', q])).toContain('no job runs');
    expect(ok(cli, ['resume', q])).toBe(`${q}: jobs may start again\n`);
    expect(ok(cli, ['work', q, '--output', 'inherit', '--', 'cat'])).toBe('payload of one');
  });

  it('jobs go to another queue, and old ones go for good', async () => {
    const { cli, q, ids } = await queueOf('one', 'two');
    await make(`${cli.dir}/other`);
    ok(cli, ['move', q, ids[0] ?? '', `${cli.dir}/other`]);
    expect(ok(cli, ['ls', `${cli.dir}/other`])).toMatch(/ready.* one\n$/);
    ok(cli, ['work', q, '--keep', '--', 'true']);
    expect(json(cli, ['gc', '--json', '--keep-done', '0', q]).removed).toContainEqual(
      expect.objectContaining({ kind: 'done' }),
    );
  });

  it('the doctor finds nothing wrong with it', async () => {
    const { cli, q } = await queueOf('one');
    expect(json(cli, ['doctor', '--json', q])).toMatchObject({ queue: { waiting: 1, problems: [] } });
  });

  it('a directory of queues has it', async () => {
    const { cli, q } = await queueOf('one');
    expect(json(cli, ['status', '--json', cli.dir])).toMatchObject({ queues: [{ queue: q }] });
    expect(ok(cli, ['work', cli.dir, '--output', 'inherit', '--', 'cat'])).toBe('payload of one');
  });
});

describe.each(MAKE.slice(1))('on a queue of %s', (_layout, make) => {
  it('nothing is added that could not be kept', async () => {
    const cli = intrayCli();
    const q = `${cli.dir}/q`;
    await make(q);
    const { status, stderr } = cli.run(['add', q, '--lane', 'alice'], { input: 'x' });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(/has no place for --lane: .*; nothing was added\n$/),
    });
    expect(json(cli, ['ls', '--json', q])).toEqual({ queue: q, jobs: [] });
  });

  it('what it cannot do is said in a sentence', async () => {
    const cli = intrayCli();
    const q = `${cli.dir}/q`;
    await make(q);
    expect(cli.run(['skip', q])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('has no way to let a lane go on'),
    });
    expect(cli.run(['ls', q, '--decoder', 'zcat']).status).toBe(1);
    const id = ok(cli, ['add', q], 'x').trimEnd();
    await homeQueue(`${cli.dir}/other`);
    expect(cli.run(['move', q, id, `${cli.dir}/other`])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('between queues of one layout only'),
    });
    expect(ok(cli, ['ls', q])).toContain('ready');
  });
});

/** What a command prints that must succeed. */
function ok(cli: IntrayCli, args: readonly string[], input = ''): string {
  const { status, stdout, stderr } = cli.run(args, { input });
  expect({ args, status, stderr: status === 0 ? '' : stderr }).toEqual({ args, status: 0, stderr: '' });
  return stdout;
}

function json(cli: IntrayCli, args: readonly string[]): Record<string, unknown> {
  return JSON.parse(cli.run(args).stdout);
}
