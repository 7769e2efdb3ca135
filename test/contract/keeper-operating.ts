/** What every layout's `Keeper` must do, second half: changes. */

import { describe, expect, it } from 'vitest';
import { toDate, toMs } from '../../src/os/calendar.ts';
import { isLack, needing } from './ground.ts';
import {
  claimed,
  failOne,
  find,
  inSession,
  type KeeperCapabilities,
  type KeeperGround,
  operating,
  payloadOf,
  runAll,
  stateOf,
} from './keeper-ground.ts';

const HOUR_MS = 3_600_000;

export function keeperOperating(
  name: string,
  makeQueue: () => Promise<KeeperGround>,
  capabilities: KeeperCapabilities,
): void {
  const needs = needing(capabilities);

  describe(`${name}: removing`, () => {
    it('takes a job that waits away, and one that has failed', async () => {
      const ground = await makeQueue();
      const failed = await failOne(ground, 'no');
      const gone = (await ground.queue.add({ payload: 'x' })).id;
      const stays = (await ground.queue.add({ payload: 'y' })).id;
      await operating(ground, async (operation) => {
        for (const id of [failed, gone]) {
          expect(await operation.remove(await find(ground, id))).toMatchObject({ kind: 'done' });
        }
      });
      expect([await stateOf(ground, failed), await stateOf(ground, gone)]).toEqual(['nowhere', 'nowhere']);
      expect(await ground.keeper.findDisorder()).toEqual([]);
      expect(await runAll(ground)).toEqual([stays]);
    });

    it('is told that somebody was faster', async () => {
      const ground = await makeQueue();
      const { id } = await ground.queue.add({ payload: 'x' });
      const job = await find(ground, id);
      await operating(ground, async (operation) => {
        await operation.remove(job);
        expect(await operation.remove(job)).toEqual({ kind: 'gone' });
      });
    });

    it('leaves alone what runs', async () => {
      const ground = await makeQueue();
      const { id } = await ground.queue.add({ payload: 'x' });
      const before = await find(ground, id);
      await inSession(ground, async (session) => {
        const claim = await claimed(session);
        const running = await find(ground, id);
        await operating(ground, async (operation) => {
          for (const act of [operation.remove, operation.retry]) {
            await expect(act.call(operation, running)).rejects.toMatchObject({ code: 'job-running' });
          }
          // As it was seen a moment ago.
          const outcome = await operation.remove(before).catch((error: { code: string }) => error.code);
          expect([{ kind: 'gone' }, 'job-running']).toContainEqual(outcome);
        });
        expect(await claim.succeed()).toBe('settled');
      });
    });
  });

  describe(`${name}: running again`, () => {
    it('puts a failed job back, with its payload', async () => {
      const ground = await makeQueue();
      const id = await failOne(ground, 'no');
      await operating(ground, async (operation) => {
        expect(await operation.retry(await find(ground, id))).toMatchObject({ kind: 'done' });
      });
      expect(await stateOf(ground, id)).toBe('ready');
      expect(await payloadOf(ground, await find(ground, id))).toBe('it fails');
      await inSession(ground, async (session) => {
        const claim = await claimed(session);
        expect([claim.job.id, claim.attempt]).toEqual([id, 1]);
        await claim.succeed();
      });
    });

    it('makes a job due that waits for its time', async (context) => {
      needs(context, 'notBefore');
      const ground = await makeQueue();
      const late = toDate(toMs(ground.machine.clock.now()) + HOUR_MS);
      const { id } = await ground.queue.add({ payload: 'x', notBefore: late });
      expect(await runAll(ground)).toEqual([]);
      await operating(ground, async (operation) => {
        expect(await operation.retry(await find(ground, id))).toMatchObject({ kind: 'done' });
        expect(await operation.retry(await find(ground, id))).toEqual({ kind: 'unchanged' });
      });
      expect(await runAll(ground)).toEqual([id]);
    });

    it('has nothing to do for a job that may start', async () => {
      const ground = await makeQueue();
      const { id } = await ground.queue.add({ payload: 'x' });
      await operating(ground, async (operation) => {
        expect(await operation.retry(await find(ground, id))).toEqual({ kind: 'unchanged' });
      });
      expect(await runAll(ground)).toEqual([id]);
    });
  });

  describe(`${name}: holding`, () => {
    it('keeps a job from starting until it is released', async (context) => {
      needs(context, 'hold');
      const ground = await makeQueue();
      const held = (await ground.queue.add({ payload: 'x' })).id;
      const free = (await ground.queue.add({ payload: 'y' })).id;
      await operating(ground, async (operation) => {
        expect(await operation.hold?.(await find(ground, held))).toMatchObject({ kind: 'done' });
        expect(await operation.hold?.(await find(ground, held))).toEqual({ kind: 'unchanged' });
        expect(await operation.release?.(await find(ground, free))).toEqual({ kind: 'unchanged' });
      });
      expect(await stateOf(ground, held)).toBe('held');
      expect((await ground.keeper.look()).counts).toMatchObject({ waiting: 2, held: 1, ready: 1 });
      expect(await runAll(ground)).toEqual([free]);
      await inSession(ground, async (session) => {
        expect(await session.claim()).toEqual({ kind: 'idle', reason: 'held', jobs: 1, waiting: 1 });
      });
      await operating(ground, async (operation) => {
        expect(await operation.release?.(await find(ground, held))).toMatchObject({ kind: 'done' });
      });
      expect(await runAll(ground)).toEqual([held]);
    });
  });

  describe(`${name}: lanes`, () => {
    it('are seen at the number that they wait for, and go on past it', async (context) => {
      needs(context, 'lanes');
      const { gaps } = capabilities;
      if (isLack(gaps)) return context.skip(gaps.lacks);
      const ground = await makeQueue();
      const ids = [];
      for (const payload of ['1', '2', '3']) {
        ids.push((await ground.queue.add({ payload, lane: 'alice' })).id as string);
      }
      expect(await states(ground, ids)).toEqual(['ready', 'behind', 'behind']);
      expect(await runOne(ground)).toBe(ids[0]);
      await gaps(ground.queue, await find(ground, ids[1] ?? ''));
      expect(await states(ground, ids)).toEqual(['nowhere', 'nowhere', 'gap']);
      const { lanes, counts } = await ground.keeper.look();
      expect(counts).toMatchObject({ waiting: 1, gap: 1 });
      expect(lanes).toMatchObject([{ lane: 'alice', waiting: 1, running: 0, missing: lanes[0]?.next }]);
      await operating(ground, async (operation) => {
        expect(await operation.skip?.('alice')).toMatchObject({ lane: 'alice', id: undefined });
        await expect(operation.skip?.('alice')).rejects.toMatchObject({ code: 'not-possible' });
      });
      expect(await runAll(ground)).toEqual([ids[2]]);
    });

    it('go on without a job that was removed', async (context) => {
      needs(context, 'lanes');
      const ground = await makeQueue();
      const ids: string[] = [];
      for (const payload of ['1', '2', '3']) {
        ids.push((await ground.queue.add({ payload, lane: 'alice' })).id as string);
      }
      await operating(ground, async (operation) => {
        for (const id of [ids[1], ids[0]]) await operation.remove(await find(ground, id ?? ''));
      });
      expect((await runAll(ground)).filter((id) => ids.includes(id))).toEqual([ids[2]]);
    });
  });

  describe(`${name}: moving`, () => {
    it('takes a job to another queue, as it is', async (context) => {
      const { move } = capabilities;
      if (isLack(move)) return context.skip(move.lacks);
      const ground = await makeQueue();
      const keeper = await move();
      const other = { ...ground, keeper };
      const { id } = await ground.queue.add({ payload: 'it travels' });
      await operating(ground, async (operation) => {
        expect(await operation.move?.(await find(ground, id), keeper.location)).toMatchObject({
          kind: 'done',
        });
      });
      expect(await stateOf(ground, id)).toBe('nowhere');
      const [there] = (await keeper.look()).waiting;
      expect(there?.standing.kind).toBe('ready');
      expect(await payloadOf(other, await find(other, there?.id ?? ''))).toBe('it travels');
      expect(await ground.keeper.findDisorder()).toEqual([]);
      expect(await keeper.findDisorder()).toEqual([]);
    });

    it('refuses to take it to where it is', async (context) => {
      needs(context, 'move');
      const ground = await makeQueue();
      const { id } = await ground.queue.add({ payload: 'x' });
      await operating(ground, async (operation) => {
        const moved = operation.move?.(await find(ground, id), ground.queue.location);
        await expect(moved).rejects.toMatchObject({ code: 'not-possible' });
      });
      expect(await runAll(ground)).toEqual([id]);
    });
  });

  describe(`${name}: pausing`, () => {
    it('keeps jobs from starting until it is over', async (context) => {
      needs(context, 'pause');
      const ground = await makeQueue();
      const { keeper } = ground;
      const { id } = await ground.queue.add({ payload: 'x' });
      expect([await keeper.isPaused(), await keeper.resume()]).toEqual([false, false]);
      await keeper.pause();
      await keeper.pause();
      expect([await keeper.isPaused(), (await keeper.look()).paused]).toEqual([true, true]);
      expect(await runAll(ground)).toEqual([]);
      expect([await keeper.resume(), await keeper.isPaused()]).toEqual([true, false]);
      expect(await runAll(ground)).toEqual([id]);
    });
  });

  describe(`${name}: clearing away`, () => {
    it('takes what is done and old, and nothing else', async (context) => {
      needs(context, 'done');
      const ground = await makeQueue();
      for (const payload of ['1', '2', '3']) await ground.queue.add({ payload });
      await runAll(ground, { keepSucceeded: true });
      const failed = await failOne(ground, 'no');
      const waits = (await ground.queue.add({ payload: 'x' })).id;
      const garbage = await ground.keeper.findGarbage({ keepDone: 1, olderThanMs: HOUR_MS });
      expect(garbage.filter(({ kind }) => kind === 'done')).not.toEqual([]);
      expect(await ground.keeper.removeGarbage(garbage)).toHaveLength(garbage.length);
      expect(await ground.keeper.removeGarbage(garbage)).toEqual([]);
      expect((await ground.keeper.look()).counts).toMatchObject({ done: 1, failed: 1, waiting: 1 });
      expect([await stateOf(ground, failed), await stateOf(ground, waits)]).toEqual(['failed', 'ready']);
      expect(await ground.keeper.findGarbage({ keepDone: 1, olderThanMs: HOUR_MS })).toEqual([]);
    });
  });
}

async function states(ground: KeeperGround, ids: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const id of ids) found.push(await stateOf(ground, id));
  return found;
}

async function runOne(ground: KeeperGround): Promise<string> {
  return inSession(ground, async (session) => {
    const claim = await claimed(session);
    await claim.succeed();
    return claim.job.id;
  });
}
