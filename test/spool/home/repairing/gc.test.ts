import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { realMachine } from '../../../../src/os/real/index.ts';
import type { GcOptions } from '../../../../src/queue/keeper.ts';
import { findGarbage, removeGarbage } from '../../../../src/spool/home/repairing/gc.ts';
import { addNamed, claimFrom, failNext, homeQueue, jobFiles } from '../../../support/home-queues.ts';
import { useTemporary } from '../../../support/temporary.ts';

const temporary = useTemporary();
const q = (...names: string[]) => temporary.path('q', ...names);
const DAY_MS = 24 * 3_600_000;

async function collect(options: Partial<GcOptions> = {}): Promise<string[]> {
  const found = await findGarbage(realMachine, q(), { keepDone: 100, olderThanMs: 30 * DAY_MS, ...options });
  const removed = await removeGarbage(realMachine, q(), found);
  return removed.map(({ kind }) => kind);
}

function age(path: string, days: number): void {
  const atS = Date.now() / 1000 - days * 86_400;
  utimesSync(path, atS, atS);
}

/** Three jobs that are done, and kept; their names, oldest first. */
async function threeDone(): Promise<string[]> {
  const queue = await homeQueue(q());
  const ids: string[] = [];
  for (const name of ['1', '2', '3']) ids.push(await addNamed(queue, name, { name: `name ${name}` }));
  const session = await queue.join({ keepSucceeded: true });
  for (const _ of ids) await (await claimFrom(session)).succeed();
  await session.close();
  return ids;
}

describe('clearing away', () => {
  it('keeps the newest done jobs, and the logs of those', async () => {
    const ids = await threeDone();
    expect(await collect()).toEqual([]);
    expect((await collect({ keepDone: 1 })).sort()).toEqual(['done', 'done', 'log', 'log']);
    expect(jobFiles(q(), 'done').map((name) => ids.find((id) => name.includes(id)))).toEqual([ids[2]]);
    expect(readdirSync(q('log'))).toEqual([`${ids[2]}.jsonl`]);
    expect((await collect({ keepDone: 0 })).sort()).toEqual(['done', 'log']);
  });

  it('keeps logs that are new, or whose job is anywhere', async () => {
    const queue = await homeQueue(q());
    await addNamed(queue, 'x');
    const id = await failNext(queue);
    const left = ['gone.jsonl', 'gone.1.out', 'gone.12.err', 'with.2.dots.jsonl'];
    for (const name of [...left, 'fresh.jsonl', 'no log of ours']) writeFileSync(q('log', name), '{}');
    for (const name of readdirSync(q('log'))) if (name !== 'fresh.jsonl') age(q('log', name), 31);
    expect(await collect()).toEqual(Array(4).fill('log'));
    expect(readdirSync(q('log')).sort()).toEqual(
      [`${id}.1.err`, `${id}.jsonl`, 'fresh.jsonl', 'no log of ours'].sort(),
    );
  });

  it('forgets names that are old and whose jobs are over', async () => {
    await threeDone();
    const queue = await (await import('../../../../src/index.ts')).openQueue(q());
    await addNamed(queue, 'waits', { name: 'waits' });
    for (const name of readdirSync(q('receipts'))) age(q('receipts', name), 31);
    age(q('receipts/lock'), 31);
    expect(await collect()).toEqual(['receipt', 'receipt', 'receipt']);
    expect(readdirSync(q('receipts')).sort()).toEqual(['lock', 'waits.json']);
    expect((await queue.add({ name: 'name 1' })).duplicate).toBe(false);
    expect((await queue.add({ name: 'waits' })).duplicate).toBe(true);
  });

  it('leaves a receipt that was written anew since', async () => {
    await threeDone();
    const path = q('receipts/name%201.json');
    age(path, 31);
    const found = await findGarbage(realMachine, q(), { keepDone: 100, olderThanMs: 30 * DAY_MS });
    expect(found.map((one) => one.path)).toEqual([path]);
    age(path, 0);
    expect(await removeGarbage(realMachine, q(), found)).toEqual([]);
    expect(existsSync(path)).toBe(true);
  });
});
