/** Operators and workers at once: nothing is lost, nothing runs twice or after it was removed, lanes keep their order. */

import { watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { beforeAll, expect, it } from 'vitest';
import { realMachine } from '../../../../src/os/real/index.ts';
import { isQueueError } from '../../../../src/queue/errors.ts';
import type { Operated } from '../../../../src/queue/keeper.ts';
import type { FoundJob } from '../../../../src/queue/snapshot.ts';
import { Operator } from '../../../../src/spool/home/operating/operator.ts';
import {
  holdJob,
  releaseJob,
  removeJob,
  retryJob,
} from '../../../../src/spool/home/operating/single-jobs.ts';
import { takeSnapshot } from '../../../../src/spool/home/seeing/snapshot.ts';
import { everyJob } from '../../../../src/spool/home/seeing/snapshot-parts.ts';
import { serveQueues } from '../../../../src/worker/serve.ts';
import { homeQueue } from '../../../support/home-queues.ts';
import { useTemporary } from '../../../support/temporary.ts';

// The runtime keeps one inotify instance from the first use on: it is no leak.
beforeAll(() => watch(tmpdir()).close());

const temporary = useTemporary();

const LANES = ['alice', 'bob', 'eve', undefined];
const JOBS = 120;
const ACTS: readonly (readonly [string, (operator: Operator, found: FoundJob) => Promise<Operated>])[] = [
  ['hold', holdJob],
  ['release', releaseJob],
  ['retry', retryJob],
  ['remove', removeJob],
];

/** Mulberry32. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

it.each([1, 2, 3])(
  'with seed %i',
  async (seed) => {
    const path = temporary.path('q');
    const queue = await homeQueue(path);
    const pick = random(seed);
    const added = await queue.addAll(
      Array.from({ length: JOBS }, (_, n) => {
        const lane = LANES[n % LANES.length];
        return { params: [`${n}`], ...(lane === undefined ? {} : { lane }) };
      }),
      { durability: 'crash-safe' },
    );
    const started: string[] = [];
    const removed = new Map<string, number>();
    const stop = new AbortController();
    const workers = [1, 2, 3].map(() =>
      serveQueues(
        realMachine,
        [queue],
        async ({ id }) => {
          started.push(id);
          // Others have their turn between the start and the end.
          for (let turn = pick(20); turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve));
        },
        { concurrency: 2, keepWaiting: true, signal: stop.signal },
      ),
    );
    const done: Record<string, number> = {};
    for (let round = 0; round < 60; round++) {
      const snapshot = await takeSnapshot(realMachine, path);
      expect(snapshot.counts, 'no gap is seen where there is none').toMatchObject({
        gap: 0,
        duplicate: 0,
        unreadable: 0,
      });
      const all = await everyJob(realMachine, snapshot);
      const found = all[pick(all.length)];
      const [name, act] = ACTS[pick(ACTS.length)] ?? (ACTS[0] as (typeof ACTS)[number]);
      if (found === undefined) break;
      const operator = new Operator(realMachine, path);
      try {
        const { kind } = await act(operator, found);
        done[`${name} ${kind}`] = (done[`${name} ${kind}`] ?? 0) + 1;
        if (name === 'remove' && kind === 'done') removed.set(found.id, started.length);
      } catch (error) {
        if (!isQueueError(error, 'job-running', 'not-possible')) throw error;
      } finally {
        await operator.close();
      }
    }
    // What is still held may go now.
    for (const job of (await takeSnapshot(realMachine, path)).waiting) {
      if (!job.held) continue;
      const operator = new Operator(realMachine, path);
      await releaseJob(operator, job);
      await operator.close();
    }
    for (;;) {
      const { counts } = await takeSnapshot(realMachine, path);
      if (counts.waiting + counts.running === 0) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    stop.abort();
    await Promise.all(workers);

    expect(new Set(started).size, 'none twice').toBe(started.length);
    for (const [stem] of removed) expect(started, `${stem} was removed`).not.toContain(stem);
    const expected = added.map(({ id }) => id).filter((id) => !removed.has(id));
    expect([...started].sort(), 'all others ran').toEqual([...expected].sort());
    LANES.forEach((lane, index) => {
      if (lane === undefined) return;
      const inLane = added.filter((_, n) => n % LANES.length === index).map(({ id }) => id as string);
      const ran = started.filter((id) => inLane.includes(id));
      expect(ran, lane).toEqual(inLane.filter((id) => ran.includes(id)));
    });
    expect((done['remove done'] ?? 0) + (done['hold done'] ?? 0), 'something was done').toBeGreaterThan(0);
  },
  60_000,
);
