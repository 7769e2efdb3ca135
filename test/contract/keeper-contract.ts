/** What every layout's `Keeper` must do: src/queue/keeper.ts as tests. Changes to jobs are in keeper-operating.ts. */

import { describe, expect, it } from 'vitest';
import { decodeBytes } from '../../src/os/bytes.ts';
import { toDate, toMs } from '../../src/os/calendar.ts';
import type { OutputFile } from '../../src/queue/contract.ts';
import { pickJob } from '../../src/queue/find-job.ts';
import { isLack, needing } from './ground.ts';
import {
  claimed,
  everythingOf,
  failOne,
  find,
  inSession,
  type KeeperCapabilities,
  type KeeperGround,
  payloadOf,
  runAll,
  stateOf,
  textOf,
} from './keeper-ground.ts';
import { keeperOperating } from './keeper-operating.ts';

const HOUR_MS = 3_600_000;

export function keeperContract(
  name: string,
  makeQueue: () => Promise<KeeperGround>,
  capabilities: KeeperCapabilities,
): void {
  const needs = needing(capabilities);

  describe(`${name}: looking`, () => {
    it('sees that a new queue is empty and well', async () => {
      const { keeper, queue, layout } = await makeQueue();
      const snapshot = await keeper.look();
      expect(snapshot).toMatchObject({ queue: queue.location, layout, paused: false, settled: true });
      expect(keeper).toMatchObject({ location: queue.location, layout });
      expect(Object.values(snapshot.counts)).toEqual(Object.values(snapshot.counts).map(() => 0));
      expect(await keeper.everyJob(snapshot)).toEqual([]);
      expect(await keeper.findDisorder()).toEqual([]);
      expect(await keeper.whatRuns()).toEqual({ jobs: 0, abandoned: 0, alone: false });
    });

    it('sees the jobs that wait in the order in which they start', async () => {
      const ground = await makeQueue();
      const before = toMs(ground.machine.clock.now());
      const added = [];
      for (const payload of ['a', 'b', 'c']) added.push((await ground.queue.add({ payload })).id as string);
      const snapshot = await ground.keeper.look();
      expect(snapshot.waiting.map(({ id }) => id)).toEqual(added);
      expect(snapshot.counts).toMatchObject({ waiting: 3, ready: 3, running: 0, failed: 0 });
      for (const job of snapshot.waiting) {
        expect(job).toMatchObject({
          place: 'waiting',
          standing: { kind: 'ready' },
          attempts: 0,
          held: false,
        });
        // Some layouts have whole seconds.
        if (job.addedMs !== undefined) expect(job.addedMs).toBeGreaterThanOrEqual(before - 1000);
      }
      expect(await runAll(ground)).toEqual(added);
    });

    it('knows what a job brings', async (context) => {
      needs(context, 'params');
      const ground = await makeQueue();
      const { id } = await ground.queue.add({ params: ['p q', 'ü'], payload: 'text' });
      const job = await find(ground, id);
      const work = { kind: 'command', params: ['p q', 'ü'] };
      expect(await ground.keeper.contents(job)).toMatchObject({ work });
      const details = await ground.keeper.details(job);
      expect(details).toMatchObject({ contents: { work } });
      expect(details.bytes ?? 4).toBeGreaterThanOrEqual(4);
    });

    it('opens the payload, again and again', async () => {
      const ground = await makeQueue();
      const { id } = await ground.queue.add({ payload: 'its payload' });
      const job = await find(ground, id);
      expect(await payloadOf(ground, job)).toBe('its payload');
      expect(await payloadOf(ground, job)).toBe('its payload');
    });

    it('sees what runs, and who runs it', async () => {
      const ground = await makeQueue();
      const { id } = await ground.queue.add({ payload: 'x' });
      await inSession(ground, async (session) => {
        const claim = await claimed(session);
        const { running, waiting, counts, workers } = await ground.keeper.look();
        expect(running).toMatchObject([{ id, place: 'running', worker: { life: 'alive' } }]);
        expect(running[0]?.worker.pid ?? ground.machine.host.pid).toBe(ground.machine.host.pid);
        expect(waiting).toEqual([]);
        expect(counts).toMatchObject({ waiting: 0, running: 1 });
        expect(workers).toMatchObject([{ life: 'alive', jobs: 1 }]);
        expect(await ground.keeper.whatRuns()).toMatchObject({ jobs: 1, abandoned: 0 });
        expect(await payloadOf(ground, await find(ground, id))).toBe('x');
        await claim.succeed();
      });
      expect((await ground.keeper.look()).counts).toMatchObject({ waiting: 0, running: 0, failed: 0 });
    });

    it('sees what waits for its time', async (context) => {
      needs(context, 'notBefore');
      const ground = await makeQueue();
      const untilMs = Math.ceil(toMs(ground.machine.clock.now()) / 1000) * 1000 + HOUR_MS;
      const { id } = await ground.queue.add({ payload: 'x', notBefore: toDate(untilMs) });
      expect(await find(ground, id)).toMatchObject({ standing: { kind: 'delayed', untilMs } });
      expect((await ground.keeper.look()).counts).toMatchObject({ waiting: 1, ready: 0, delayed: 1 });
    });

    it('sees what has failed', async () => {
      const ground = await makeQueue();
      const id = await failOne(ground, 'it had to');
      const { failed, counts } = await ground.keeper.look();
      expect(failed).toMatchObject([{ id, place: 'failed' }]);
      expect(counts).toMatchObject({ waiting: 0, failed: 1 });
      expect(await payloadOf(ground, await find(ground, id))).toBe('it fails');
    });

    it('sees what is done, where it is kept', async (context) => {
      needs(context, 'done');
      const ground = await makeQueue();
      const { id } = await ground.queue.add({ payload: 'x' });
      await runAll(ground, { keepSucceeded: true });
      expect((await ground.keeper.look()).counts).toMatchObject({ waiting: 0, done: 1 });
      expect(await stateOf(ground, id)).toBe('done');
    });

    it('tells of what cannot be read, and steps over it', async (context) => {
      const { spoil } = capabilities;
      if (isLack(spoil)) return context.skip(spoil.lacks);
      const ground = await makeQueue();
      const { id } = await ground.queue.add({ payload: 'x' });
      const [job] = (await ground.keeper.look()).waiting;
      await spoil(ground.queue);
      const findings = await ground.keeper.findDisorder();
      expect(findings).toHaveLength(1);
      expect(findings[0]?.path).not.toBe(job?.path);
      expect(await runAll(ground)).toEqual([id]);
    });

    it('sees what cannot be read', async (context) => {
      const { spoil } = capabilities;
      if (isLack(spoil)) return context.skip(spoil.lacks);
      needs(context, 'spoiledSeen');
      const ground = await makeQueue();
      await ground.queue.add({ payload: 'x' });
      await spoil(ground.queue);
      const snapshot = await ground.keeper.look();
      expect(snapshot.counts).toMatchObject({ waiting: 1, unreadable: 1 });
      expect(snapshot.unreadable).toHaveLength(1);
      const path = snapshot.unreadable[0]?.path;
      const all = await ground.keeper.everyJob(snapshot);
      expect(all.find(({ place }) => place === 'unreadable')).toMatchObject({ path });
      expect(await ground.keeper.findDisorder(snapshot)).toMatchObject([{ path }]);
    });

    it('finds each job by the beginning of its id', async () => {
      const { queue, keeper } = await makeQueue();
      const { id } = await queue.add({ payload: 'x' });
      const all = await keeper.everyJob(await keeper.look());
      for (const text of [id, id.slice(0, 4), all[0]?.name ?? '', all[0]?.path ?? '']) {
        expect(pickJob(queue.location, all, text)).toMatchObject({ id });
      }
    });

    it('changes nothing', async () => {
      const ground = await makeQueue();
      await failOne(ground, 'no');
      const { id } = await ground.queue.add({ payload: 'x' });
      const before = await everythingOf(ground);
      const snapshot = await ground.keeper.look();
      for (const job of await ground.keeper.everyJob(snapshot)) {
        await ground.keeper.details(job);
        await ground.keeper.explain(snapshot, job);
        await ground.keeper.runs(job);
        await payloadOf(ground, job);
      }
      await ground.keeper.findDisorder();
      await ground.keeper.findGarbage({ keepDone: 0, olderThanMs: 0 });
      await ground.keeper.whatRuns();
      await ground.keeper.isPaused();
      expect(await everythingOf(ground)).toEqual(before);
      expect(await runAll(ground)).toEqual([id]);
    });
  });

  describe(`${name}: explaining`, () => {
    it('says why a job does not run', async (context) => {
      needs(context, 'pause');
      const ground = await makeQueue();
      const { id } = await ground.queue.add({ payload: 'x' });
      const cause = async (of = id as string) =>
        (await ground.keeper.explain(await ground.keeper.look(), await find(ground, of))).cause;
      expect(await cause()).toBe('no-worker');
      await ground.keeper.pause();
      expect(await cause()).toBe('paused');
      await ground.keeper.resume();
      const second = (await ground.queue.add({ payload: 'y' })).id;
      const third = (await ground.queue.add({ payload: 'z' })).id;
      await inSession(ground, async (session) => {
        await claimed(session);
        expect(await cause()).toBe('running');
        expect(await cause(second)).toBe('next');
        expect(await cause(third)).toBe('others-first');
      });
    });

    it('says why a job has failed', async (context) => {
      needs(context, 'runs');
      const ground = await makeQueue();
      const id = await failOne(ground, 'exit code 7');
      const { cause, sentence } = await ground.keeper.explain(
        await ground.keeper.look(),
        await find(ground, id),
      );
      expect({ cause, sentence }).toEqual({
        cause: 'failed',
        sentence: expect.stringContaining('exit code 7'),
      });
    });

    it('has its runs on record, and what they have said', async (context) => {
      needs(context, 'runs', 'attempts');
      const ground = await makeQueue();
      const { id } = await ground.queue.add({ payload: 'x' });
      await inSession(ground, async (session) => {
        const claim = await claimed(session);
        const { stdout } = await claim.openOutput();
        await ground.machine.files.write(stdout, new TextEncoder().encode('so far\n'));
        const meanwhile = await ground.keeper.runs(await find(ground, id));
        expect(meanwhile).toMatchObject({ records: [], running: 1 });
        if (!isLack(capabilities.saidAtOnce)) {
          expect(await said(ground, meanwhile.outputs)).toEqual(['so far\n']);
          expect(await said(ground, ground.queue.outputsOf?.(claim.job, 1) ?? [])).toEqual(['so far\n']);
        }
        await claim.fail('it went wrong', { exit: { kind: 'exited', code: 7 } });
      });
      const { records, running, outputs } = await ground.keeper.runs(await find(ground, id));
      expect(records).toMatchObject([{ attempt: 1, outcome: 'failed', reason: 'it went wrong' }]);
      expect(running).toBeUndefined();
      expect(await said(ground, outputs)).toEqual(['so far\n']);
    });
  });

  keeperOperating(name, makeQueue, capabilities);
}

/** What is in those of these files that are there. */
async function said(ground: KeeperGround, outputs: readonly OutputFile[]): Promise<string[]> {
  const texts: string[] = [];
  for (const { path, bytes } of outputs)
    texts.push(bytes === undefined ? await textOf(ground, path).catch(() => '') : decodeBytes(bytes));
  return texts.filter((text) => text !== '');
}
