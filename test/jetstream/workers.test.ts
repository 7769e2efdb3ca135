/** Workers beside each other on a real server: their death, their leases, what they leave, and the server's own death. */

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openJetStream } from '../../src/jetstream/jetstream.ts';
import { openJetStreamKeeper } from '../../src/jetstream/keeper.ts';
import { Link } from '../../src/jetstream/link.ts';
import { parseLocation } from '../../src/jetstream/location.ts';
import { Log } from '../../src/jetstream/log.ts';
import type { Entry } from '../../src/jetstream/picture.ts';
import { JetStreamSession } from '../../src/jetstream/session.ts';
import { initStream } from '../../src/jetstream/stream.ts';
import { joinAs } from '../../src/jetstream/worker.ts';
import { toDate } from '../../src/os/calendar.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { readChunks } from '../../src/os/transfer.ts';
import type { Queue, SharedClaim, SharedSession } from '../../src/queue/contract.ts';
import { QueueError } from '../../src/queue/errors.ts';
import { intrayCli } from '../support/intray-cli.ts';
import { everyMessage, pauseQueue, removeStream, withLog, withStreamOf } from '../support/jetstream.ts';
import { natsLack, useNats } from '../support/nats.ts';
import { eventually, useTemporary } from '../support/temporary.ts';
import { survive } from '../support/trouble.ts';

useTemporary();
const nats = useNats();
const lack = natsLack();
const never = new AbortController().signal;
let count = 0;

async function make(): Promise<Queue> {
  count += 1;
  const location = `nats://${nats.addresses}/w${count}`;
  await initStream(realMachine, location);
  return openJetStream(realMachine, location);
}

async function claimed(session: SharedSession): Promise<SharedClaim> {
  const answer = await session.claim();
  if (answer.kind !== 'claim') throw new Error(`nothing to claim: ${answer.reason}`);
  return answer;
}

/** A session whose claims are written down only after `before`, and confirmed only after `after`. */
async function sessionThat(
  location: string,
  before: () => Promise<void>,
  after = async () => {},
): Promise<JetStreamSession> {
  const log = await Log.open(realMachine, new Link(realMachine, parseLocation(location)));
  const worker = await joinAs(realMachine, log);
  const { wire } = log;
  const append: typeof wire.append = async (subject, ...rest) => {
    if (subject.includes('.run.')) await before();
    const seq = await wire.append(subject, ...rest);
    if (subject.includes('.run.')) await after();
    return seq;
  };
  Object.assign(log, { wire: { ...wire, append } });
  const session = new JetStreamSession(realMachine, log, { onSaid: () => {} }, worker);
  await session.begin();
  return session;
}

describe.skipIf(lack !== undefined)(`workers on JetStream${lack === undefined ? '' : `: ${lack}`}`, () => {
  it('one that is killed has its job run by another when its lease is over, and its command is gone by then', async () => {
    const { location, add } = await make();
    const { id } = await add({});
    const cli = intrayCli();
    const line =
      'echo "$INTRAY_ATTEMPT" >> ran; [ "$INTRAY_ATTEMPT" = 2 ] || { echo $$ > pid; exec sleep 600; }';
    const dies = cli.start(['work', location, '--lease', '3s', '--', 'sh', '-c', line]);
    await eventually(() => expect(existsSync(join(cli.dir, 'pid'))).toBe(true));
    dies.kill('SIGKILL');
    const next = cli.run([
      'work',
      location,
      '--lease',
      '3s',
      '--watch',
      '--max-jobs',
      '1',
      '--json',
      '--',
      'sh',
      '-c',
      line,
    ]);
    expect(next.status, next.stderr).toBe(0);
    expect(cli.read('ran')).toBe('1\n2\n');
    const pid = Number(readFileSync(join(cli.dir, 'pid'), 'utf8'));
    await eventually(() => expect(() => process.kill(pid, 0)).toThrow());
    expect(await everyMessage(location)).toEqual([]);
    expect(next.stdout).toContain(id);
  });

  it('one that was stopped for longer than its lease changes nothing when it goes on', async () => {
    const { location, add } = await make();
    await add({});
    const cli = intrayCli();
    const line = 'echo "$INTRAY_ATTEMPT" >> ran; [ "$INTRAY_ATTEMPT" = 2 ] || sleep 600';
    const args = ['work', location, '--lease', '2s', '--watch', '--max-jobs', '1', '--', 'sh', '-c', line];
    const stopped = cli.start(args);
    await eventually(() => expect(existsSync(join(cli.dir, 'ran'))).toBe(true));
    stopped.kill('SIGSTOP');
    expect(cli.run(args).status).toBe(0);
    const ended = new Promise((resolve) => stopped.once('exit', resolve));
    stopped.kill('SIGCONT');
    await ended;
    expect(cli.read('ran')).toBe('1\n2\n');
    expect((await (await openJetStreamKeeper(realMachine, location)).look()).counts).toMatchObject({
      waiting: 0,
      running: 0,
      failed: 0,
    });
  });

  it('have the job of one that says nothing any more when its lease is over, and not before', async () => {
    const { location, add, join: joinIt } = await make();
    const { id } = await add({});
    const leaseMs = 600;
    const beganMs = realMachine.clock.monotonicMs();
    await withLog(location, async (log) => {
      const { name } = await joinAs(realMachine, log, leaseMs);
      const entry = log.picture.entries.get(id) as Entry;
      await log.change(entry, 0, entry.state, { place: 'running', worker: name, attempts: 1 });
    });
    const session = await joinIt();
    let answer = await session.claim();
    expect(answer).toEqual({ kind: 'idle', reason: 'empty', waiting: 0 });
    while (answer.kind === 'idle') {
      await session.changed(20_000, never);
      answer = await session.claim();
    }
    expect(realMachine.clock.monotonicMs() - beganMs).toBeGreaterThanOrEqual(leaseMs);
    expect([answer.job.id, answer.attempt]).toEqual([id, 2]);
    await answer.succeed();
    await session.close();
    expect(await everyMessage(location)).toEqual([]);
  });

  it('give back a claim that was made though nobody answered', async () => {
    const { location, add } = await make();
    const { id } = await add({});
    let isSilent = true;
    const session = await sessionThat(
      location,
      async () => {},
      async () => {
        if (isSilent) throw new QueueError('not-reachable', 'nobody answers');
      },
    );
    await expect(session.claim()).rejects.toMatchObject({ code: 'not-reachable' });
    isSilent = false;
    const claim = await claimed(session);
    expect([claim.job.id, claim.attempt]).toEqual([id, 1]);
    await session.close();
  });

  it('are not woken by their own signs of life', async () => {
    const queue = await make();
    const session = await queue.join();
    await session.claim();
    const beganMs = realMachine.clock.monotonicMs();
    await session.changed(400, never);
    expect(realMachine.clock.monotonicMs() - beganMs).toBeGreaterThanOrEqual(399);
    await session.close();
  });

  it('take a claim back that came after a pause they had not read of', async () => {
    const { location, add, jobs } = await make();
    await add({});
    const before = await jobs();
    let isPaused = false;
    const session = await sessionThat(location, async () => {
      if (!isPaused) await pauseQueue(location, true);
      isPaused = true;
    });
    expect(await session.claim()).toEqual({ kind: 'idle', reason: 'paused', waiting: 1 });
    expect(await jobs()).toEqual(before);
    await pauseQueue(location, false);
    expect((await claimed(session)).attempt).toBe(1);
    await session.close();
  });

  it('take a claim back that came after another of its lane, which was put back', async () => {
    const { location, add, join: joinIt } = await make();
    const { id: first } = await add({ lane: 'a' });
    const { id: second } = await add({ lane: 'a' });
    const keeper = await openJetStreamKeeper(realMachine, location);
    const failing = await joinIt({ blocked: { action: 'skip' } });
    await (await claimed(failing)).fail('no');
    let others: SharedClaim | undefined;
    const session = await sessionThat(location, async () => {
      if (others !== undefined) return;
      const operation = await keeper.operate();
      const snapshot = await keeper.look();
      for (const job of snapshot.failed) await operation.retry(job);
      await operation.close();
      others = await claimed(failing);
    });
    expect(await session.claim()).toEqual({ kind: 'idle', reason: 'busy', waiting: 1 });
    expect(others?.job.id).toBe(first);
    await others?.succeed();
    expect((await claimed(session)).job.id).toBe(second);
    await session.close();
    await failing.close();
  });

  it('do not believe in what comes too late, though the servers took it', async () => {
    const { location, add, jobs } = await make();
    const { id } = await add({});
    await withLog(location, async (late) => {
      await withLog(location, async (other) => {
        const entry = other.picture.entries.get(id) as Entry;
        expect(await other.change(entry, 0, entry.state, { attempts: 1 })).toBe(true);
        expect(await other.change(entry, 1, entry.state, { attempts: 2 })).toBe(true);
        await other.tidied();
      });
      const entry = late.picture.entries.get(id) as Entry;
      expect(await late.change(entry, 0, entry.state, { place: 'failed' })).toBe(false);
    });
    expect((await jobs()).jobs).toHaveLength(1);
    expect(await everyMessage(location)).toHaveLength(2);
  });

  it('remove what is left of jobs that were over when somebody was killed', async () => {
    const { location, add, join: joinIt } = await make();
    const { id } = await add({ name: 'once' });
    await withLog(location, async (log) => {
      const entry = log.picture.entries.get(id) as Entry;
      expect(await log.change(entry, 0, entry.state, { place: 'over' })).toBe(true);
    });
    const keeper = await openJetStreamKeeper(realMachine, location);
    expect(await keeper.findDisorder()).toMatchObject([{ kind: 'left-over', severity: 'note' }]);
    const session = await joinIt();
    expect(await session.claim()).toMatchObject({ reason: 'empty' });
    await session.close();
    expect(await keeper.findDisorder()).toEqual([]);
    expect(await add({ name: 'once' })).toMatchObject({ id, duplicate: true });
    const garbage = await keeper.findGarbage({ keepDone: 0, olderThanMs: 0 });
    expect(garbage).toMatchObject([{ kind: 'receipt' }]);
    await keeper.removeGarbage(garbage);
    expect(await add({ name: 'once' })).toMatchObject({ id, duplicate: false });
  });

  it('repair gives back the job of a worker that is dead', async () => {
    const { location, add } = await make();
    await add({});
    const gone = await sessionThat(location, async () => {});
    await claimed(gone);
    await withLog(location, async (log) => {
      for (const [name, { seq }] of log.picture.workers) {
        await log.wire.remove([seq]);
        expect(name).not.toBe('');
      }
    });
    const keeper = await openJetStreamKeeper(realMachine, location);
    const findings = await keeper.findDisorder();
    expect(findings).toMatchObject([{ kind: 'dead-worker', remedy: 'give-back' }]);
    const operation = await keeper.operate();
    expect(await operation.repair(findings)).toMatchObject([{ result: 'done' }]);
    await operation.close();
    expect((await keeper.look()).counts).toMatchObject({ waiting: 1, running: 0 });
    await gone.close();
  });

  it('what was added, run and removed before its adder tries again is not added again', async () => {
    const { location } = await make();
    await withLog(location, async ({ wire, subjects }) => {
      const seq = await wire.append(subjects.job('a'), '{}', 'nonce');
      await wire.remove([seq]);
      expect(await wire.append(subjects.job('a'), '{}', 'nonce')).toBe(seq);
    });
    expect(await everyMessage(location)).toEqual([]);
  });

  it('notice that the queue was removed and made again, and begin again', async () => {
    const queue = await make();
    const session = await queue.join();
    for (let n = 0; n < 3; n++) {
      await queue.add({});
      await (await claimed(session)).succeed();
    }
    await removeStream(queue.location);
    await initStream(realMachine, queue.location);
    const { id } = await queue.add({});
    await expect(session.claim()).rejects.toMatchObject({ code: 'not-a-queue' });
    await session.close();
    const anew = await queue.join();
    expect((await claimed(anew)).job.id).toBe(id);
    await anew.close();
  });

  it('put nothing into a stream of somebody else that has taken the subjects of one that is gone', async () => {
    const queue = await make();
    const session = await queue.join();
    await removeStream(queue.location);
    await withStreamOf('others', queue.location, async () => {
      await expect(queue.add({})).rejects.toMatchObject({ code: 'not-possible' });
      await expect(session.claim()).rejects.toMatchObject({ code: 'not-possible' });
      await session.close().catch(() => {});
    });
  });

  it('one job of a name is added by many at once', async () => {
    const { location, jobs } = await make();
    const queues = await Promise.all(Array.from({ length: 8 }, () => openJetStream(realMachine, location)));
    const added = await Promise.all(
      queues.map((queue, n) => queue.add({ name: 'é/x', params: [String(n)] })),
    );
    expect(added.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(new Set(added.map(({ id, seq }) => `${id} ${seq}`)).size).toBe(1);
    expect((await jobs()).jobs).toHaveLength(1);
  });

  it('large payloads come out as they went in, and nothing of them is left', async () => {
    const queue = await make();
    const piece = Buffer.alloc(1024 * 1024, 'intray');
    const pieces = 12;
    const sent = createHash('sha256');
    const source = async function* () {
      for (let n = 0; n < pieces; n++) {
        piece.writeUInt32LE(n);
        sent.update(piece);
        yield piece;
      }
    };
    await queue.add({ payload: source() });
    const session = await queue.join();
    const claim = await claimed(session);
    const got = createHash('sha256');
    for await (const chunk of readChunks(realMachine.files, claim.payload)) got.update(chunk);
    expect(got.digest('hex')).toBe(sent.digest('hex'));
    await claim.succeed();
    await session.close();
    await withLog(queue.location, async ({ wire }) => expect(await wire.payloads()).toEqual([]));
    expect(await everyMessage(queue.location)).toEqual([]);
  });

  it('a payload that is gone fails its job, and a stored one of no job is garbage after a day', async () => {
    const queue = await make();
    await queue.add({ payload: Buffer.alloc(300_000, 'x') });
    await withLog(queue.location, async ({ wire }) => {
      const [{ name } = { name: '' }] = await wire.payloads();
      await wire.removePayload(name);
    });
    const session = await queue.join();
    expect(await session.claim()).toMatchObject({ reason: 'empty' });
    await session.close();
    const keeper = await openJetStreamKeeper(realMachine, queue.location);
    const [failed] = (await keeper.look()).failed;
    expect((failed && (await keeper.runs(failed)))?.records).toMatchObject([{ outcome: 'failed' }]);
    await withLog(queue.location, async ({ wire }) => {
      await wire.storePayload('stray', source('stray'));
    });
    expect(await keeper.findGarbage({ keepDone: 0, olderThanMs: 0 })).toMatchObject([{ kind: 'failed' }]);
  });

  it('what a run says can be read by its worker while it goes on, and by all when it has ended', async () => {
    const queue = await make();
    await queue.add({});
    const session = await queue.join();
    const claim = await claimed(session);
    const { stdout } = await claim.openOutput();
    await realMachine.files.write(stdout, Buffer.from('x'.repeat(100_000)));
    const [now] = queue.outputsOf?.(claim.job, 1) ?? [];
    expect(readFileSync(now?.path ?? '')).toHaveLength(100_000);
    await claim.fail('no');
    await session.close();
    const [kept] = queue.outputsOf?.(claim.job, 1) ?? [];
    const text = Buffer.from(kept?.bytes ?? []).toString();
    expect(text).toMatch(/^x{32768}\n\[intray: 34464 bytes left out\]\nx{32768}$/);
    const keeper = await openJetStreamKeeper(realMachine, queue.location);
    const [failed] = (await keeper.look()).failed;
    const outputs = failed && (await keeper.runs(failed)).outputs;
    expect(outputs).toMatchObject([{ attempt: 1, kind: 'stdout', bytes: kept?.bytes }]);
  });

  it('a job that expired fails, and says why', async () => {
    const queue = await make();
    await queue.add({ expires: toDate(1) });
    const session = await queue.join();
    expect(await session.claim()).toMatchObject({ reason: 'empty' });
    await session.close();
    const keeper = await openJetStreamKeeper(realMachine, queue.location);
    const snapshot = await keeper.look();
    const [failed] = snapshot.failed;
    const sentence = failed && (await keeper.explain(snapshot, failed)).sentence;
    expect(sentence).toContain('its time was over before it started');
  });

  it('what cannot be promised is refused, and what is promised is said', async () => {
    const queue = await make();
    await expect(queue.add({}, { durability: 'power-safe' })).rejects.toMatchObject({ code: 'not-possible' });
    await expect(queue.add({}, { sequenceFile: 'x' })).rejects.toMatchObject({ code: 'not-possible' });
    await expect(queue.add({ lane: 'x'.repeat(256) })).rejects.toMatchObject({ code: 'not-written' });
    expect(await queue.add({})).toMatchObject({ durability: 'crash-safe' });
    const { safety } = await (await openJetStreamKeeper(realMachine, queue.location)).look();
    expect(safety).toMatchObject({ level: 'crash-safe', sentence: expect.stringContaining('2.9') });
    await expect(initStream(realMachine, `${queue.location}x`, 3)).rejects.toMatchObject({
      code: 'not-possible',
    });
    await expect(openJetStream(realMachine, `${queue.location}y`)).rejects.toMatchObject({
      code: 'not-a-queue',
    });
    await expect(openJetStream(realMachine, 'nats://127.0.0.1:1/q')).rejects.toMatchObject({
      code: 'not-reachable',
    });
  });

  it('a server that is killed and begins again loses nothing that it has confirmed', async () => {
    const [server] = nats.servers;
    await survive({
      location: `nats://${nats.addresses}/restarted`,
      jobs: 300,
      replicas: 1,
      trouble: async () => {
        await server?.kill();
        await server?.start();
      },
    });
  });
});

async function* source(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
