import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { realMachine } from '../../../../src/os/real/index.ts';
import { sequence } from '../../../../src/packet/header.ts';
import type { Queue } from '../../../../src/queue/contract.ts';
import { formatJobName } from '../../../../src/spool/home/job-name.ts';
import { Backlog } from '../../../../src/spool/home/working/backlog.ts';
import { Look } from '../../../../src/spool/home/working/look.ts';
import { WaitingJobs } from '../../../../src/spool/home/working/waiting.ts';
import { homeQueue } from '../../../support/home.ts';
import { packet } from '../../../support/packets.ts';
import { useTemporary } from '../../../support/temporary.ts';

const temporary = useTemporary();
const PREFIX_LENGTH = 'fspl-50.1763728496123.'.length;
const prefix = (name: string | undefined) => name?.slice(0, PREFIX_LENGTH) ?? '';
const most = (names: readonly string[]) => names.map(prefix).sort().at(-1) ?? '';
const least = (names: readonly string[]) => names.map(prefix).sort()[0] ?? '';

const nameOf = (priority: number, addedMs: number, stem: string) =>
  formatJobName({
    priority,
    addedMs,
    notBeforeMs: 0,
    held: false,
    attempts: 0,
    seq: sequence(1),
    lane: undefined,
    stem,
  });

const someNames = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 99 }), fc.integer({ min: 0, max: 40 })), { maxLength: 300 })
  .map((places) => places.map(([priority, addedMs], index) => nameOf(priority, addedMs, `s${index}`)));

describe('the backlog', () => {
  it('gives all names, each once, none before a better one', () => {
    fc.assert(
      fc.property(someNames, fc.integer({ min: 1, max: 50 }), (names, batch) => {
        const backlog = new Backlog(batch);
        const batches = [backlog.refill(names)];
        while (backlog.size > 0) batches.push(backlog.takeBest());
        expect(batches.flat().sort()).toEqual([...names].sort());
        for (const [index, one] of batches.entries()) {
          const later = batches.slice(index + 1).flat();
          if (one.length > 0 && later.length > 0) expect(most(one) < least(later)).toBe(true);
        }
      }),
    );
  });

  it('takes few of many', () => {
    const names = Array.from({ length: 20_000 }, (_, number) => nameOf(50, 19_999 - number, `s${number}`));
    const best = new Backlog(100).refill(names);
    expect(best.length).toBeGreaterThan(0);
    expect(best.length).toBeLessThan(2000);
    expect(most(best)).toBe(prefix(nameOf(50, best.length - 1, '')));
  });

  it('keeps nothing better than what was ever taken out, when better ones come in', () => {
    fc.assert(
      fc.property(someNames, someNames, fc.integer({ min: 1, max: 20 }), (names, more, batch) => {
        const backlog = new Backlog(batch);
        const taken = [...backlog.refill(names)];
        if (backlog.size === 0) return;
        const rest = names.filter((name) => !taken.includes(name));
        const again = backlog.refill([...rest, ...more]);
        const left = [...rest, ...more].filter((name) => !again.includes(name));
        if (left.length > 0) expect(most(taken) < least(left)).toBe(true);
      }),
    );
  });

  it('is for names that say their place in the order', () => {
    expect(Backlog.canHold(nameOf(50, 1763728496123, 'x'))).toBe(true);
    expect(Backlog.canHold('fspl-0c2b1f6e-1b2c.fspl')).toBe(false);
    expect(Backlog.canHold('fspl-50.1763728496123.0.0.1..x.out')).toBe(false);
    expect(Backlog.canHold('fspl-50.176372849612.0.0.1..x.fspl')).toBe(false);
  });
});

describe('looking further', () => {
  let queue: Queue;
  beforeEach(async () => {
    queue = await homeQueue(temporary.path('queue'));
  });

  function put(number: number, name: string): void {
    writeFileSync(`${queue.location}/jobs/${name}`, packet({ seq: number }));
  }

  /** The jobs in the order in which a worker would take them that looks at so many first. */
  async function order(firstBatch: number): Promise<string[]> {
    const waiting = new WaitingJobs();
    const options = { order: 'free', decoder: undefined } as const;
    const look = new Look(realMachine, queue.location, options, waiting, new Backlog(firstBatch));
    await look.look();
    const names: string[] = [];
    const seen = look.waiting;
    for (let job = await look.take(); job !== undefined; job = await look.take()) names.push(job.name);
    expect(names).toHaveLength(seen);
    return names;
  }

  it('serves the jobs in the same order as when all are looked at, whoever named them', async () => {
    for (let number = 1; number <= 60; number++) {
      put(number, nameOf((number * 7) % 100, 1_763_728_496_000 + ((number * 31) % 17), `stem${number}`));
    }
    put(61, 'fspl-0c2b1f6e-7c19-4a0b-9f6e-1b2c3d4e5f60.fspl');
    put(62, 'fspl-abcdefgh.fspl');
    const all = await order(1000);
    expect(all).toHaveLength(62);
    expect(await order(1)).toEqual(all);
    expect(await order(7)).toEqual(all);
  });
});
